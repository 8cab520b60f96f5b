#include "analyzer/relation_resolver.h"

#include <algorithm>
#include <set>

#include "analyzer/collation_keys.h"
#include "analyzer/metadata_columns.h"
#include "analyzer/python_functions.h"
#include "analyzer/python_table_functions.h"
#include "base/ascii.h"
#include "base/error.h"
#include "base/query_context.h"
#include "base/stack_room.h"
#include "expression/query_settings.h"
#include "expression/text_zone.h"
#include "logical/node/project.h"
#include "logical/node/source_scan.h"
#include "spark/connect/relations.pb.h"
#include "sql/data_type_proto.h"

namespace millrace::analyzer {

namespace {

namespace connect = spark::connect;
using connect::Relation;

// Deeper ones where the thread's stack has room.
constexpr int kAlwaysServedDepth = 400;

struct RelationEntry {
  Relation::RelTypeCase kind;
  ResolveFunction resolve;
};

// One line a relation that users can ask for.
constexpr RelationEntry kRelations[] = {
    {Relation::kRead, ResolveRead},
    {Relation::kProject, ResolveProject},
    {Relation::kFilter, ResolveFilter},
    {Relation::kJoin, ResolveJoin},
    {Relation::kSetOp, ResolveSetOperation},
    {Relation::kSort, ResolveSort},
    {Relation::kLimit, ResolveLimit},
    {Relation::kOffset, ResolveOffset},
    {Relation::kTail, ResolveTail},
    {Relation::kAggregate, ResolveAggregate},
    {Relation::kSql, ResolveSql},
    {Relation::kLocalRelation, ResolveLocalRelation},
    {Relation::kSample, ResolveSample},
    {Relation::kDeduplicate, ResolveDeduplicate},
    {Relation::kRange, ResolveRange},
    {Relation::kSubqueryAlias, ResolveSubqueryAlias},
    {Relation::kRepartition, ResolveRepartition},
    {Relation::kRepartitionByExpression, ResolveRepartitionByExpression},
    {Relation::kToDf, ResolveToDf},
    {Relation::kToSchema, ResolveToSchema},
    {Relation::kWithColumns, ResolveWithColumns},
    {Relation::kWithColumnsRenamed, ResolveWithColumnsRenamed},
    {Relation::kDrop, ResolveDrop},
    {Relation::kHint, ResolveHint},
    {Relation::kWithWatermark, ResolveWithWatermark},
    {Relation::kCachedRemoteRelation, ResolveCachedRemoteRelation},
    {Relation::kWithRelations, ResolveWithRelations},
    {Relation::kUnresolvedTableValuedFunction, ResolveTableFunction},
    {Relation::kFillNa, ResolveFillNa},
    {Relation::kDropNa, ResolveDropNa},
    {Relation::kReplace, ResolveReplace},
    {Relation::kUnpivot, ResolveUnpivot},
    {Relation::kLateralJoin, ResolveLateralJoin},
    {Relation::kCommonInlineUserDefinedTableFunction, ResolvePythonTableFunction},
    {Relation::kMapPartitions, ResolveMapPartitions},
    {Relation::kGroupMap, ResolveGroupMap},
    {Relation::kCoGroupMap, ResolveCoGroupMap},
    {Relation::kApplyInPandasWithState, ResolveApplyInPandasWithState},
    {Relation::kDescribe, ResolveDescribe},
    {Relation::kSummary, ResolveSummary},
    {Relation::kCorr, ResolveCorrelation},
    {Relation::kCov, ResolveCovariance},
    {Relation::kCachedLocalRelation, ResolveCachedLocalRelation},
    {Relation::kChunkedCachedLocalRelation, ResolveChunkedCachedLocalRelation},
    {Relation::kCrosstab, ResolveCrosstab},
    {Relation::kApproxQuantile, ResolveApproxQuantile},
    {Relation::kFreqItems, ResolveFrequentItems},
    {Relation::kSampleBy, ResolveSampleBy},
    {Relation::kTranspose, ResolveTranspose},
    {Relation::kParse, ResolveParse},
    {Relation::kAsOfJoin, ResolveAsOfJoin},
    {Relation::kNearestByJoin, ResolveNearestByJoin},
    {Relation::kCollectMetrics, ResolveCollectMetrics},
    {Relation::kExtension, ResolveExtension},
};

// The failure to find a table, or to call a table function, says where in the text it stands.
arrow::Status PlacedFailure(const Relation& relation, const std::shared_ptr<const std::string>& text,
                            const arrow::Status& failure) {
  const auto& origin = relation.common().origin().jvm_origin();
  bool in_text = origin.has_stop_index() && text != nullptr && origin.stop_index() < static_cast<int32_t>(text->size());
  bool placed = relation.has_unresolved_table_valued_function() || IsErrorCondition(failure, "TABLE_OR_VIEW_NOT_FOUND");
  if (!in_text || !placed) return failure;
  QueryContext context;
  context.sql_text = text;
  context.start = origin.start_index();
  context.stop = origin.stop_index();
  return WithAnalysisContext(failure, std::move(context));
}

}  // namespace

arrow::Result<types::DataTypePtr> ParseSchemaText(std::string_view text) {
  std::string_view trimmed = TrimAscii(text);
  arrow::Result<types::DataTypePtr> type = trimmed.starts_with('{') || trimmed.starts_with('"')
                                               ? types::ParseTypeJson(trimmed)
                                               : types::ParseSchemaDdl(trimmed);
  ARROW_RETURN_NOT_OK(type);
  if ((*type)->id() != types::TypeId::kStruct) return types::Struct({{"value", *type, true, ""}});
  return type;
}

arrow::Result<PlanPtr> RelationResolver::Resolve(const Relation& relation) {
  struct DepthGuard {
    int& depth;
    explicit DepthGuard(int& d) : depth(d) { ++depth; }
    ~DepthGuard() { --depth; }
  } guard(depth_);
  if (depth_ > kAlwaysServedDepth && !HasStackRoom()) {
    return NotSupported("a plan nested deeper than " + std::to_string(depth_ - 1));
  }
  for (const RelationEntry& entry : kRelations) {
    if (entry.kind != relation.rel_type_case()) continue;
    const auto& origin = relation.common().origin().jvm_origin();
    std::shared_ptr<const std::string> outside = sql_text_;
    if (origin.has_sql_text()) sql_text_ = std::make_shared<const std::string>(origin.sql_text());
    arrow::Result<PlanPtr> resolved = entry.resolve(*this, relation);
    if (!resolved.ok()) resolved = PlacedFailure(relation, sql_text_, resolved.status());
    sql_text_ = std::move(outside);
    ARROW_ASSIGN_OR_RAISE(PlanPtr plan, std::move(resolved));
    for (int64_t frame : input_frames_) {
      for (FramePlace& place : plan_columns_[frame]) place.is_input = false;
    }
    input_frames_.clear();
    if (relation.has_common() && relation.common().has_plan_id()) {
      plan_columns_[relation.common().plan_id()] = {{plan->output(), true}};
      input_frames_.push_back(relation.common().plan_id());
    }
    return plan;
  }
  const auto* field = relation.GetDescriptor()->FindFieldByNumber(relation.rel_type_case());
  return NotSupported("the relation " + (field == nullptr ? std::string("without a kind") : field->name()));
}

arrow::Result<ExpressionPtr> RelationResolver::ResolveColumn(const std::string& name,
                                                             const AttributeVector& input) const {
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> parts, ParseNameParts(name));
  ARROW_ASSIGN_OR_RAISE(auto value, ResolveName(parts, input, context_.eval.case_sensitive));
  if (!value) {
    // df.dropDuplicates(["a.b"]) means the column of that whole name.
    ARROW_ASSIGN_OR_RAISE(value, ResolveName({name}, input, context_.eval.case_sensitive));
  }
  if (!value) return UnresolvedColumn(parts, input);
  return *value;
}

arrow::Result<RelationResolver::Pair> RelationResolver::ResolvePair(const Relation& left, const Relation& right) {
  PlanColumns before = plan_columns_;
  ARROW_ASSIGN_OR_RAISE(PlanPtr left_plan, Resolve(left));
  PlanColumns with_left = plan_columns_;
  std::vector<int64_t> left_frames = std::move(input_frames_);
  input_frames_.clear();
  plan_columns_ = before;
  ARROW_ASSIGN_OR_RAISE(PlanPtr right_plan, Resolve(right));
  PlanColumns right_columns = std::move(plan_columns_);
  plan_columns_ = std::move(with_left);
  input_frames_.insert(input_frames_.end(), left_frames.begin(), left_frames.end());

  std::set<expression::AttributeId> left_ids;
  for (const auto& attribute : left_plan->output()) left_ids.insert(attribute->id());
  bool shared = std::any_of(right_plan->output().begin(), right_plan->output().end(),
                            [&](const auto& a) { return left_ids.count(a->id()) > 0; });
  std::vector<std::pair<expression::AttributeId, expression::AttributePtr>> renumbered;
  if (shared) right_plan = logical::FreshCopy(right_plan, &renumbered);
  for (auto& [plan_id, places] : right_columns) {
    if (before.count(plan_id) > 0) continue;
    std::vector<FramePlace>& all = plan_columns_[plan_id];
    for (FramePlace& place : places) {
      for (auto& column : place.columns) {
        for (const auto& [old_id, fresh] : renumbered) {
          if (column->id() == old_id) column = fresh->WithName(column->name())->WithQualifier(column->qualifier());
        }
      }
      all.push_back(std::move(place));
    }
  }
  return Pair{std::move(left_plan), std::move(right_plan)};
}

bool RelationResolver::IsClassic() const {
  return context_.conf && context_.conf("millrace.submit.one.job").value_or("") == "true";
}

PlanPtr RelationResolver::ShareStream(int64_t plan_id, PlanPtr plan) {
  if (!plan->is_streaming() || !IsClassic()) return plan;
  return logical::TransformUp(plan, [&](const PlanPtr& node) -> PlanPtr {
    if (node->kind() != logical::NodeKind::kSourceScan) return nullptr;
    const auto& scan = static_cast<const logical::SourceScan&>(*node);
    int64_t key = stream_keys_.emplace(plan_id, scan.source_key()).first->second;
    return key == scan.source_key() ? nullptr : scan.WithKey({key, scan.key().place});
  });
}

void RelationResolver::LeaveUnion(const AttributeVector& first, const AttributeVector& output) {
  if (!IsClassic()) {
    plan_columns_.clear();
    input_frames_.clear();
    return;
  }
  for (auto& [plan_id, places] : plan_columns_) {
    for (FramePlace& place : places) {
      for (expression::AttributePtr& column : place.columns) {
        for (size_t i = 0; i < first.size(); ++i) {
          if (first[i]->id() == column->id()) column = output[i]->WithName(column->name());
        }
      }
    }
  }
}

void RelationResolver::DefineRelation(const std::string& name, PlanPtr plan) {
  definitions_.emplace_back(ToLowerAscii(name), std::move(plan));
}

const PlanPtr* RelationResolver::FindRelation(const std::string& name) const {
  std::string lower = ToLowerAscii(name);
  for (size_t i = definitions_.size(); i-- > 0;) {
    if (definitions_[i].first == lower) return &definitions_[i].second;
  }
  return nullptr;
}

void RelationResolver::LeaveScope(Scope scope) {
  definitions_.resize(scope.num_definitions);
  subqueries_ = std::move(scope.subqueries);
}

void RelationResolver::DefineSubquery(int64_t plan_id, const Relation* relation) { subqueries_[plan_id] = relation; }

const Relation* RelationResolver::FindSubquery(int64_t plan_id) const {
  auto it = subqueries_.find(plan_id);
  return it == subqueries_.end() ? nullptr : it->second;
}

bool RelationResolver::ReadsOnlyOuter(const expression::Expression& value) const {
  std::vector<expression::AttributeId> ids = expression::References(value);
  return !ids.empty() && std::all_of(ids.begin(), ids.end(), [&](expression::AttributeId id) {
    return std::any_of(outer_scopes_.begin(), outer_scopes_.end(),
                       [&](const AttributeVector* columns) { return FindColumn(id, *columns) != nullptr; });
  });
}

arrow::Result<PlanPtr> RelationResolver::ResolveSubqueryPlan(
    int64_t plan_id, const AttributeVector& outer, const std::function<arrow::Status(const PlanPtr&)>& inside) {
  auto it = subqueries_.find(plan_id);
  if (it == subqueries_.end()) return InternalError("No plan of the subquery " + std::to_string(plan_id));
  // The frames of a subquery are no places for the query around it.
  PlanColumns around = plan_columns_;
  arrow::Result<PlanPtr> plan = ResolveBeside(*it->second, outer);
  arrow::Status status = plan.ok() && inside ? inside(*plan) : arrow::Status::OK();
  plan_columns_ = std::move(around);
  ARROW_RETURN_NOT_OK(status);
  return plan;
}

arrow::Result<PlanPtr> RelationResolver::ResolveBeside(const Relation& relation, const AttributeVector& outer) {
  std::vector<int64_t> frames_around = std::move(input_frames_);
  input_frames_.clear();
  outer_scopes_.push_back(&outer);
  arrow::Result<PlanPtr> plan = Resolve(relation);
  outer_scopes_.pop_back();
  input_frames_.insert(input_frames_.end(), frames_around.begin(), frames_around.end());
  return plan;
}

arrow::Result<std::optional<ExpressionPtr>> RelationResolver::ResolveOuter(
    const std::vector<std::string>& parts) const {
  for (size_t i = outer_scopes_.size(); i-- > 0;) {
    ARROW_ASSIGN_OR_RAISE(auto value, ResolveName(parts, *outer_scopes_[i], context_.eval.case_sensitive));
    if (value) return value;
  }
  return std::nullopt;
}

bool AnalyzerContext::ConfIs(std::string_view key, std::string_view value) const {
  std::optional<std::string> set = conf ? conf(key) : std::nullopt;
  return set && EqualsIgnoreCase(*set, value);
}

namespace {

expression::QuerySettings QuerySettingsOf(const AnalyzerContext& context) {
  expression::QuerySettings settings;
  settings.ansi = context.eval.ansi;
  auto is = [&](std::string_view key, std::string_view value) { return context.ConfIs(key, value); };
  settings.decimal_precision_loss = !is("spark.sql.decimalOperations.allowPrecisionLoss", "false");
  settings.map_keys_last_win = is("spark.sql.mapKeyDedupPolicy", "LAST_WIN");
  settings.legacy_time_parser = is("spark.sql.legacy.timeParserPolicy", "LEGACY");
  settings.time_type = is("spark.sql.timeType.enabled", "true");
  settings.double_quoted_identifiers = settings.ansi && is("spark.sql.ansi.doubleQuotedIdentifiers", "true");
  settings.timestamp_ntz = is("spark.sql.timestampType", "TIMESTAMP_NTZ");
  settings.negative_index_in_array_insert = is("spark.sql.legacy.negativeIndexInArrayInsert", "true");
  return settings;
}

}  // namespace

arrow::Result<PlanPtr> ResolveFrame(const Relation& relation, const AnalyzerContext& context, KnownFrame* known) {
  expression::TextZone zone(context.eval.time_zone);
  expression::QuerySettingsScope settings(QuerySettingsOf(context));
  RelationResolver resolver(context);
  ARROW_ASSIGN_OR_RAISE(PlanPtr plan, resolver.Resolve(relation));
  // What is remembered goes into larger frames, which are looked at as a whole.
  if (known != nullptr) *known = resolver.Known(plan);
  return CompareByCollation(plan, context.eval);
}

arrow::Result<PlanPtr> ResolveRelation(const Relation& relation, const AnalyzerContext& context) {
  return ResolveFrame(relation, context, nullptr);
}

bool ServesRelation(int field_number) {
  return std::any_of(std::begin(kRelations), std::end(kRelations),
                     [&](const RelationEntry& entry) { return entry.kind == field_number; });
}

arrow::Result<types::DataTypePtr> ResolveDataType(const connect::DataType& type) {
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr resolved, sql::DataTypeFromProto(type));
  if (resolved->Holds(types::TypeId::kTime) && !expression::CurrentQuerySettings().time_type) {
    return UserError("UNSUPPORTED_TIME_TYPE");
  }
  return resolved;
}

}  // namespace millrace::analyzer
