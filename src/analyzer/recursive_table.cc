#include "analyzer/recursive_table.h"

#include <algorithm>
#include <functional>

#include "analyzer/named_table.h"
#include "base/ascii.h"
#include "base/error.h"
#include "expression/call.h"
#include "expression/type_coercion.h"
#include "expression/vector.h"
#include "function/function_def.h"
#include "logical/node/join.h"
#include "logical/node/local_relation.h"
#include "logical/node/project.h"
#include "logical/node/source_scan.h"
#include "logical/node/subquery_alias.h"
#include "logical/transform_expressions.h"
#include "spark/connect/relations.pb.h"
#include "types/arrow_type.h"

namespace millrace::analyzer {

namespace {

using logical::LocalRelation;
using spark::connect::Relation;
using spark::connect::SetOperation;
using Rows = std::vector<LocalRelation::Partition>;

bool Mentions(const google::protobuf::Message& message, const std::string& name) {
  if (message.GetDescriptor()->full_name() == "spark.connect.Read.NamedTable") {
    auto parts = ParseNameParts(static_cast<const spark::connect::Read::NamedTable&>(message).unparsed_identifier());
    return parts.ok() && parts->size() == 1 && EqualsIgnoreCase((*parts)[0], name);
  }
  const google::protobuf::Reflection* reflection = message.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE || field->is_map()) continue;
    if (!field->is_repeated()) {
      if (Mentions(reflection->GetMessage(message, field), name)) return true;
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      if (Mentions(reflection->GetRepeatedMessage(message, field, i), name)) return true;
    }
  }
  return false;
}

/// What the loop needs when it runs.
struct LoopRequest : connector::SourceRequest {
  PlanPtr anchor;
  /// Reads `step_input` where the rows of the step before belong.
  PlanPtr recursion;
  std::shared_ptr<const Rows> step_input;
  std::function<arrow::Result<Rows>(const PlanPtr&)> run;
  expression::EvalContext eval;
  int64_t level_limit = 0;
  int64_t row_limit = 0;
  /// How many rows a LIMIT above wants.
  std::optional<int64_t> wanted_rows;
};

PlanPtr WithRows(const PlanPtr& plan, const std::shared_ptr<const Rows>& place,
                 const std::shared_ptr<const Rows>& rows) {
  return logical::TransformUp(plan, [&](const PlanPtr& node) -> PlanPtr {
    if (node->kind() != logical::NodeKind::kLocalRelation) return nullptr;
    if (static_cast<const LocalRelation&>(*node).partitions() != place) return nullptr;
    return std::make_shared<LocalRelation>(node->output(), rows);
  });
}

/// Each step draws other numbers: its seeds are those of the query and how many steps came before it (UnionLoopExec).
PlanPtr WithSeedsShifted(const PlanPtr& plan, int64_t shift, const expression::EvalContext& eval) {
  auto shifted = [&](const expression::ExpressionPtr& node) -> expression::ExpressionPtr {
    if (node->kind() != expression::ExpressionKind::kCall) return nullptr;
    const auto& call = static_cast<const expression::Call&>(*node);
    ExpressionVector arguments = call.children();
    size_t seed = call.name() == "randstr" ? 1 : 0;
    if (call.name() != "rand" && call.name() != "randn" && call.name() != "randstr") return nullptr;
    if (arguments.size() <= seed || !arguments[seed]->foldable()) return nullptr;
    auto moved = function::BindCall(
        "+", {expression::ImplicitCast(arguments[seed], types::Long()), expression::Literal::Long(shift)}, eval);
    if (!moved.ok()) return nullptr;
    arguments[seed] = *std::move(moved);
    return function::BindCall(call.name(), std::move(arguments), eval).ValueOr(nullptr);
  };
  return logical::TransformAllExpressions(plan, shifted);
}

// The same values under the table's own types.
std::shared_ptr<arrow::RecordBatch> Typed(const arrow::RecordBatch& batch, std::shared_ptr<arrow::Schema> schema) {
  arrow::ArrayVector columns;
  for (int i = 0; i < batch.num_columns(); ++i) {
    columns.push_back(arrow::MakeArray(expression::WithType(batch.column_data(i), schema->field(i)->type())));
  }
  return arrow::RecordBatch::Make(std::move(schema), batch.num_rows(), std::move(columns));
}

/// Runs a step when its rows are asked for, so that a LIMIT above ends an endless recursion.
class LoopReader final : public connector::BatchReader {
 public:
  LoopReader(const LoopRequest* request, std::vector<int> columns) : request_(*request), columns_(std::move(columns)) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    while (next_ >= pending_.size()) {
      if (level_ > 0 && rows_ == nullptr) return nullptr;
      ARROW_RETURN_NOT_OK(Step());
      if (rows_ == nullptr) return nullptr;
    }
    return pending_[next_++]->SelectColumns(columns_);
  }

 private:
  arrow::Status Step() {
    PlanPtr plan = request_.anchor;
    if (level_ > 0) plan = WithRows(request_.recursion, request_.step_input, rows_);
    if (level_ > 1) plan = WithSeedsShifted(plan, level_ - 1, request_.eval);
    ++level_;
    ARROW_ASSIGN_OR_RAISE(Rows rows, request_.run(plan));
    pending_.clear();
    next_ = 0;
    int64_t count = 0;
    std::shared_ptr<arrow::Schema> schema = types::ToArrowSchema(*request_.schema);
    for (auto& partition : rows) {
      for (auto& batch : partition) {
        if (batch->num_rows() == 0) continue;
        batch = Typed(*batch, schema);
        count += batch->num_rows();
        pending_.push_back(batch);
      }
    }
    if (count == 0) {
      rows_ = nullptr;
      return arrow::Status::OK();
    }
    if (request_.level_limit != -1 && level_ > request_.level_limit) {
      return UserError("RECURSION_LEVEL_LIMIT_EXCEEDED", {{"levelLimit", std::to_string(request_.level_limit)}});
    }
    total_ += count;
    if (request_.wanted_rows) {
      rows_ = total_ >= *request_.wanted_rows ? nullptr : std::make_shared<const Rows>(std::move(rows));
      return arrow::Status::OK();
    }
    if (request_.row_limit != -1 && total_ >= request_.row_limit) {
      return UserError("RECURSION_ROW_LIMIT_EXCEEDED", {{"rowLimit", std::to_string(request_.row_limit)}});
    }
    rows_ = std::make_shared<const Rows>(std::move(rows));
    return arrow::Status::OK();
  }

  const LoopRequest& request_;
  std::vector<int> columns_;
  int64_t level_ = 0;
  int64_t total_ = 0;
  std::shared_ptr<const Rows> rows_;
  std::vector<std::shared_ptr<arrow::RecordBatch>> pending_;
  size_t next_ = 0;
};

class LoopPartition final : public connector::InputPartition {
 public:
  LoopPartition(const LoopRequest* request, std::vector<int> columns)
      : request_(request), columns_(std::move(columns)) {}
  arrow::Result<std::unique_ptr<connector::BatchReader>> Open(arrow::MemoryPool*) const override {
    return std::make_unique<LoopReader>(request_, columns_);
  }

 private:
  const LoopRequest* request_;
  std::vector<int> columns_;
};

class LoopScan final : public connector::BatchScan {
 public:
  explicit LoopScan(const LoopRequest* request) : request_(request) {}
  arrow::Result<connector::InputPartitions> PlanPartitions(const connector::ReadColumns& columns) override {
    return connector::InputPartitions{std::make_shared<LoopPartition>(request_, columns.indices)};
  }
  std::string Description() const override { return "UnionLoop"; }

 private:
  const LoopRequest* request_;
};

// The request belongs to the plan, which outlives what is opened with it.
const connector::SourceDef kUnionLoop{
    .name = "UnionLoop",
    .description = "WITH RECURSIVE.",
    .schema = [](const connector::SourceRequest& request) -> arrow::Result<types::DataTypePtr> {
      return request.schema;
    },
    .open_batch = [](const connector::SourceRequest& request) -> arrow::Result<std::unique_ptr<connector::BatchScan>> {
      return std::make_unique<LoopScan>(static_cast<const LoopRequest*>(&request));
    }};

// Where a step may read the one before it: not under what needs all rows, nor on the side of a join that is filled up.
arrow::Status CheckPlaces(const logical::Plan& plan, const std::shared_ptr<const Rows>& place, bool allowed) {
  if (plan.kind() == logical::NodeKind::kLocalRelation &&
      static_cast<const LocalRelation&>(plan).partitions() == place && !allowed) {
    return UserError("INVALID_RECURSIVE_REFERENCE.PLACE");
  }
  std::vector<bool> sides(plan.children().size(), allowed);
  switch (plan.kind()) {
    case logical::NodeKind::kAggregate:
    case logical::NodeKind::kWindow:
    case logical::NodeKind::kSort:
      sides.assign(sides.size(), false);
      break;
    case logical::NodeKind::kJoin:
      switch (static_cast<const logical::Join&>(plan).type()) {
        case logical::JoinType::kInner:
        case logical::JoinType::kCross:
          break;
        case logical::JoinType::kRightOuter:
          sides[0] = false;
          break;
        case logical::JoinType::kFullOuter:
          sides.assign(2, false);
          break;
        default:
          sides[1] = false;
      }
      break;
    default:
      break;
  }
  for (size_t i = 0; i < sides.size(); ++i) ARROW_RETURN_NOT_OK(CheckPlaces(*plan.children()[i], place, sides[i]));
  return arrow::Status::OK();
}

Relation Around(const Relation* outer, const Relation& root, const std::string& name, bool with_self) {
  if (outer == nullptr) return root;
  Relation whole;
  *whole.mutable_with_relations()->mutable_root() = root;
  for (const Relation& reference : outer->with_relations().references()) {
    if (with_self || !Mentions(reference, name)) *whole.mutable_with_relations()->add_references() = reference;
  }
  return whole;
}

arrow::Result<PlanPtr> Renamed(PlanPtr plan, const std::vector<std::string>& names) {
  if (names.empty()) return plan;
  if (names.size() != plan->output().size()) {
    return UserError("ASSIGNMENT_ARITY_MISMATCH",
                     {{"numExpr", std::to_string(plan->output().size())}, {"numTarget", std::to_string(names.size())}});
  }
  ExpressionVector items;
  for (size_t i = 0; i < names.size(); ++i) {
    items.push_back(std::make_shared<expression::Alias>(plan->output()[i], names[i]));
  }
  return std::make_shared<logical::Project>(std::move(items), std::move(plan));
}

// The step's columns as the anchor's types.
arrow::Result<PlanPtr> AsAnchor(const PlanPtr& step, const PlanPtr& anchor) {
  size_t count = anchor->output().size();
  if (step->output().size() != count) {
    return UserError("NUM_COLUMNS_MISMATCH", {{"operator", "UNIONLOOP"},
                                              {"firstNumColumns", std::to_string(count)},
                                              {"invalidOrdinalNum", "second"},
                                              {"invalidNumColumns", std::to_string(step->output().size())}});
  }
  ExpressionVector items;
  for (size_t i = 0; i < count; ++i) {
    const auto& from = step->output()[i];
    const types::DataTypePtr& to = anchor->output()[i]->type();
    if (from->type()->EqualsIgnoreNullability(*to)) {
      items.push_back(from);
      continue;
    }
    if (!expression::CanImplicitCast(from->type(), to)) {
      return UserError("INCOMPATIBLE_COLUMN_TYPE", {{"operator", "UnionLoop"},
                                                    {"columnOrdinalNumber", i == 0   ? "first"
                                                                            : i == 1 ? "second"
                                                                                     : std::to_string(i + 1) + "th"},
                                                    {"tableOrdinalNumber", "second"},
                                                    {"dataType1", QuoteSqlType(from->type()->Sql())},
                                                    {"dataType2", QuoteSqlType(to->Sql())},
                                                    {"hint", ""}});
    }
    items.push_back(std::make_shared<expression::Alias>(expression::ImplicitCast(from, to), from->name()));
  }
  return std::make_shared<logical::Project>(std::move(items), step);
}

}  // namespace

PlanPtr StopRecursionAt(const PlanPtr& plan, int64_t num_rows) {
  switch (plan->kind()) {
    case logical::NodeKind::kProject:
    case logical::NodeKind::kSubqueryAlias: {
      PlanPtr child = StopRecursionAt(plan->child(), num_rows);
      return child == plan->child() ? plan : plan->WithChildren({std::move(child)});
    }
    case logical::NodeKind::kSourceScan: {
      const auto& scan = static_cast<const logical::SourceScan&>(*plan);
      if (&scan.def() != &kUnionLoop) return plan;
      auto request = std::make_shared<LoopRequest>(static_cast<const LoopRequest&>(*scan.request()));
      request->wanted_rows = std::min(num_rows, request->wanted_rows.value_or(num_rows));
      return std::make_shared<logical::SourceScan>(scan.output(), scan.columns(), &scan.def(), std::move(request),
                                                   /*streaming=*/false, scan.key());
    }
    default:
      return plan;
  }
}

arrow::Result<PlanPtr> ResolveRecursiveTable(RelationResolver& resolver, const std::string& name, const Relation& query,
                                             std::optional<int64_t> max_level) {
  if (!Mentions(query, name)) return resolver.Resolve(query);
  std::vector<std::string> names;
  const Relation* inner = &query;
  if (inner->has_to_df()) {
    names.assign(inner->to_df().column_names().begin(), inner->to_df().column_names().end());
    inner = &inner->to_df().input();
  }
  const Relation* outer = inner->has_with_relations() ? inner : nullptr;
  if (outer != nullptr) inner = &outer->with_relations().root();
  bool is_union = inner->has_set_op() && inner->set_op().set_op_type() == SetOperation::SET_OP_TYPE_UNION;
  if (!is_union) return UserError("INVALID_RECURSIVE_CTE");
  const SetOperation& both = inner->set_op();
  if (Mentions(both.left_input(), name)) return UserError("INVALID_RECURSIVE_CTE");
  if (!both.is_all()) return UserError("UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE");
  const AnalyzerContext& context = resolver.context();
  if (!context.run_plan) return NotSupported("WITH RECURSIVE here");

  auto request = std::make_shared<LoopRequest>();
  Relation anchor = Around(outer, both.left_input(), name, /*with_self=*/false);
  ARROW_ASSIGN_OR_RAISE(request->anchor, resolver.Resolve(anchor));
  if (request->anchor->is_streaming()) return NotSupported("WITH RECURSIVE of a stream");
  AttributeVector input;
  for (const auto& column : request->anchor->output()) {
    input.push_back(column->NewInstance()->WithNullable(true)->WithQualifier({}));
  }
  request->step_input = std::make_shared<const Rows>();
  PlanPtr self = std::make_shared<LocalRelation>(input, request->step_input);
  ARROW_ASSIGN_OR_RAISE(self, Renamed(std::move(self), names));
  RelationResolver::Scope outside = resolver.EnterScope();
  resolver.DefineRelation(name, self);
  Relation step = Around(outer, both.right_input(), name, /*with_self=*/true);
  arrow::Result<PlanPtr> recursion = resolver.Resolve(step);
  resolver.LeaveScope(std::move(outside));
  ARROW_RETURN_NOT_OK(recursion.status());
  ARROW_RETURN_NOT_OK(CheckPlaces(**recursion, request->step_input, true));
  ARROW_ASSIGN_OR_RAISE(request->recursion, AsAnchor(*recursion, request->anchor));

  std::vector<types::StructField> fields;
  for (size_t i = 0; i < request->anchor->output().size(); ++i) {
    types::StructField field = request->anchor->output()[i]->ToField();
    field.nullable = field.nullable || request->recursion->output()[i]->nullable();
    fields.push_back(std::move(field));
  }
  request->user_schema = types::Struct(std::move(fields));
  request->schema = request->user_schema;
  request->run = context.run_plan;
  request->eval = context.eval;
  auto limit = [&](std::string_view key, int64_t fallback) {
    std::optional<std::string> text = context.connector == nullptr ? std::nullopt : context.connector->conf(key);
    return text ? std::strtoll(text->c_str(), nullptr, 10) : fallback;
  };
  request->level_limit = max_level.value_or(limit("spark.sql.cteRecursionLevelLimit", 100));
  request->row_limit = limit("spark.sql.cteRecursionRowLimit", 1000000);
  ARROW_ASSIGN_OR_RAISE(PlanPtr scan, ScanSource(context, &kUnionLoop, std::move(request), /*streaming=*/false));
  return Renamed(std::move(scan), names);
}

}  // namespace millrace::analyzer
