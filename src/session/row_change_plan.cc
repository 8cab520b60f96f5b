#include "session/row_change_plan.h"

#include <algorithm>
#include <set>

#include "base/ascii.h"
#include "base/error.h"
#include "connector/delta/table_request.h"
#include "delta/feature/table_feature.h"
#include "delta/schema/computed_column.h"
#include "delta/transaction/schema_merge.h"
#include "delta/transaction/table_metadata.h"
#include "expression/call.h"
#include "function/extract_value.h"
#include "function/function_def.h"
#include "logical/node/filter.h"
#include "logical/node/join.h"
#include "logical/node/project.h"
#include "logical/node/source_scan.h"
#include "logical/node/subquery_alias.h"
#include "session/row_assignment.h"
#include "session/session.h"
#include "session/view_target.h"
#include "sql/parser.h"

namespace millrace::session {

namespace {

using analyzer::RelationResolver;
using connector::delta_table::PinnedTable;
using connector::delta_table::RowChange;
using expression::Alias;
using expression::AttributePtr;
using expression::AttributeVector;
using expression::ExpressionPtr;
using expression::ExpressionVector;
using expression::Literal;
using logical::PlanPtr;
using Kind = sql::ChangeRows::Kind;
using ClauseKind = sql::RowClause::Kind;

const char* StatementName(Kind kind) {
  return kind == Kind::kDelete ? "DELETE" : kind == Kind::kUpdate ? "UPDATE" : "MERGE";
}

class ChangePlanner {
 public:
  ChangePlanner(Session& session, const sql::ChangeRows& change)
      : session_(session), change_(change), context_(session.MakeAnalyzerContext()), resolver_(context_) {}

  arrow::Result<RowChangePlan> Plan() {
    ARROW_RETURN_NOT_OK(ResolveInputs());
    if (change_.kind == Kind::kMerge) {
      ARROW_RETURN_NOT_OK(PlanMerge());
    } else {
      ARROW_RETURN_NOT_OK(PlanOneClause());
    }
    FindPartitionCondition();
    result_.columns = columns_;
    return std::move(result_);
  }

 private:
  const expression::EvalContext& eval() const { return context_.eval; }
  arrow::Result<ExpressionPtr> Bind(const char* name, ExpressionVector arguments) const {
    return function::BindCall(name, std::move(arguments), eval());
  }

  arrow::Status NotChangeable() const {
    std::string operation = change_.kind == Kind::kDelete   ? "DELETE"
                            : change_.kind == Kind::kUpdate ? "UPDATE TABLE"
                                                            : "MERGE INTO TABLE";
    std::vector<std::string> name = change_.table.empty() || session_.catalog().FindView(change_.table)
                                        ? change_.table
                                        : session_.FullNameOf(change_.table);
    return UserError("UNSUPPORTED_FEATURE.TABLE_OPERATION",
                     {{"tableName", QuoteNameParts(name)}, {"operation", operation}});
  }

  // The table's scan shows where rows stand, and reads one state whatever is committed meanwhile.
  arrow::Status ResolveInputs() {
    PlanPtr target;
    if (change_.source) {
      ARROW_ASSIGN_OR_RAISE(auto pair, resolver_.ResolvePair(*change_.source, change_.target));
      source_ = std::move(pair.left);
      target = std::move(pair.right);
      if (source_->is_streaming()) return analyzer::NotSupported("MERGE with a stream as its source");
    } else {
      ARROW_ASSIGN_OR_RAISE(target, resolver_.Resolve(change_.target));
    }
    ARROW_ASSIGN_OR_RAISE(target, TableOfView(std::move(target)));
    const logical::Plan* node = target.get();
    while (node->kind() == logical::NodeKind::kSubqueryAlias) node = node->child().get();
    if (node->kind() != logical::NodeKind::kSourceScan || node->is_streaming()) return NotChangeable();
    const auto& scan = static_cast<const logical::SourceScan&>(*node);
    if (scan.def().name != "delta") return NotChangeable();
    ARROW_ASSIGN_OR_RAISE(auto request, connector::delta_table::ParseTableRequest(*scan.request()));
    if (request.is_time_travel()) return NotChangeable();
    result_.table = request.table;
    ARROW_ASSIGN_OR_RAISE(snapshot_, request.table->Update());
    result_.pinned = std::make_shared<PinnedTable>(snapshot_);
    auto pinned_request = std::make_shared<connector::SourceRequest>(*scan.request());
    pinned_request->extension = result_.pinned;
    auto place = std::make_shared<expression::AttributeReference>(expression::NextAttributeId(), "_metadata",
                                                                  connector::delta_table::RowPlaceType(*snapshot_),
                                                                  /*nullable=*/false);
    AttributeVector output = scan.output();
    output.push_back(place);
    connector::ReadColumns read = scan.columns();
    read.indices.push_back(static_cast<int>(scan.request()->schema->fields().size()));
    PlanPtr pinned_scan =
        std::make_shared<logical::SourceScan>(output, read, &scan.def(), pinned_request, false, scan.key());
    target_ = logical::TransformUp(target, [&](const PlanPtr& at) { return at.get() == node ? pinned_scan : nullptr; });
    columns_ = target_->output();
    place_ = columns_.back();
    columns_.pop_back();
    records_changes_ = delta::BooleanProperty(snapshot_->metadata(), "delta.enableChangeDataFeed", false);
    if (change_.source) both_ = source_->output();
    both_.insert(both_.end(), columns_.begin(), columns_.end());
    // No file holds what is of type VOID.
    fields_ = delta::WithoutVoidFields(*snapshot_->schema())->fields();
    std::erase_if(columns_, [](const AttributePtr& column) { return column->type()->id() == types::TypeId::kNull; });
    if (columns_.size() != fields_.size()) return analyzer::NotSupported("changing rows of a view over some columns");
    return arrow::Status::OK();
  }

  // The condition of DELETE or UPDATE.
  arrow::Result<ExpressionPtr> Where(const spark::connect::Expression& message) {
    if (HasSubquery(message)) {
      return UserError("DELTA_UNSUPPORTED_SUBQUERY", {{"operation", StatementName(change_.kind)}, {"cond", "…"}});
    }
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr condition, resolver_.Expressions(columns_).ResolveCondition(message));
    ARROW_RETURN_NOT_OK(CheckRowWise({condition}));
    return condition;
  }

  // What a filter of Spark may hold: nothing over several rows.
  static arrow::Status CheckRowWise(const ExpressionVector& expressions) {
    for (const ExpressionPtr& one : expressions) {
      if (one == nullptr) continue;
      std::string found;
      expression::Visit(*one, [&](const expression::Expression& part) {
        bool over_rows = part.kind() == expression::ExpressionKind::kAggregateCall;
        if (over_rows && found.empty()) found = QuoteSqlExpression(part.Sql(true));
        return !over_rows;
      });
      if (!found.empty()) return UserError("UNSUPPORTED_EXPR_FOR_OPERATOR", {{"invalidExprSqls", found}});
    }
    return arrow::Status::OK();
  }

  static arrow::Status CheckDeterministic(const ExpressionVector& expressions) {
    bool all = true;
    std::string list;
    for (const ExpressionPtr& one : expressions) {
      if (one == nullptr) continue;
      all = all && one->deterministic();
      list += (list.empty() ? "" : ", ") + QuoteSqlExpression(one->Sql(true));
    }
    return all ? arrow::Status::OK() : UserError("INVALID_NON_DETERMINISTIC_EXPRESSIONS", {{"sqlExprs", list}});
  }

  // A condition of MERGE: ON (`name` is "search"), or of a clause.
  arrow::Result<ExpressionPtr> MergeCondition(const spark::connect::Expression& message, const AttributeVector& scope,
                                              const char* name) {
    std::string what = std::string(name) + " condition of MERGE operation";
    if (HasSubquery(message)) {
      return UserError("DELTA_UNSUPPORTED_SUBQUERY", {{"operation", what}, {"cond", "…"}});
    }
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr condition, resolver_.Expressions(scope).Resolve(message));
    bool is_search = name == std::string_view("search");
    if (condition->type()->id() != types::TypeId::kBoolean) {
      if (!is_search) return resolver_.Expressions(scope).ResolveCondition(message);
      return UserError("JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE",
                       {{"joinCondition", QuoteSqlExpression(condition->Sql(true))},
                        {"conditionType", QuoteSqlType(condition->type()->Sql())}});
    }
    std::string shown = "(condition = " + condition->Sql(false) + ")";
    if (!condition->deterministic()) {
      return UserError("DELTA_NON_DETERMINISTIC_FUNCTION_NOT_SUPPORTED",
                       {{"operation", what}, {"expression", shown + "."}});
    }
    if (expression::Contains(*condition, expression::ExpressionKind::kAggregateCall)) {
      return UserError("DELTA_AGGREGATION_NOT_SUPPORTED", {{"operation", what}, {"predicate", shown}});
    }
    return condition;
  }

  arrow::Result<ChangeClause> Clause(const sql::RowClause& message, RowChange change, const AttributeVector& scope) {
    ChangeClause clause;
    clause.change = change;
    clause.kind = message.kind;
    if (message.condition) {
      const char* name = message.kind == ClauseKind::kDelete ? "DELETE"
                         : change == RowChange::kInsert      ? "INSERT"
                                                             : "UPDATE";
      ARROW_ASSIGN_OR_RAISE(clause.condition, MergeCondition(*message.condition, scope, name));
    }
    switch (message.kind) {
      case ClauseKind::kDelete:
        return clause;
      case ClauseKind::kUpdate: {
        ARROW_ASSIGN_OR_RAISE(clause.values, assignments_.Update(message.assignments, scope));
        return clause;
      }
      case ClauseKind::kUpdateAll: {
        ARROW_ASSIGN_OR_RAISE(auto assignments, assignments_.Star(source_->output(), evolves_, "UPDATE clause"));
        ARROW_ASSIGN_OR_RAISE(clause.values,
                              assignments_.Update(assignments, source_->output(), /*keeps_fields=*/evolves_));
        return clause;
      }
      case ClauseKind::kInsert: {
        ARROW_ASSIGN_OR_RAISE(clause.values, assignments_.Insert(message.assignments, scope));
        return clause;
      }
      case ClauseKind::kInsertAll: {
        ARROW_ASSIGN_OR_RAISE(auto assignments, assignments_.Star(source_->output(), evolves_, "INSERT clause"));
        ARROW_ASSIGN_OR_RAISE(clause.values, assignments_.Insert(assignments, scope));
        return clause;
      }
    }
    return clause;
  }

  // The columns of the new values: the table's, and with schema evolution those the clauses bring.
  arrow::Status FindNewFields() {
    new_fields_ = fields_;
    for (size_t i = 0; i < fields_.size(); ++i) new_fields_[i].type = columns_[i]->type();
    evolves_ = change_.evolves_schema ||
               context_.conf("spark.databricks.delta.schema.autoMerge.enabled").value_or("false") == "true";
    if (!evolves_ || !change_.source) return arrow::Status::OK();
    bool star = false;
    std::set<std::string> assigned;
    for (const auto* clauses : {&change_.matched, &change_.not_matched}) {
      for (const sql::RowClause& clause : *clauses) {
        star = star || clause.kind == ClauseKind::kUpdateAll || clause.kind == ClauseKind::kInsertAll;
        for (const sql::Assignment& assignment : clause.assignments) {
          if (!assignment.column.has_unresolved_attribute()) continue;
          auto parts = analyzer::ParseNameParts(assignment.column.unresolved_attribute().unparsed_identifier());
          if (parts.ok()) assigned.insert(ToLowerAscii(parts->back()));
        }
      }
    }
    std::vector<types::StructField> brought;
    for (const AttributePtr& column : source_->output()) {
      if (!star && assigned.count(ToLowerAscii(column->name())) == 0) continue;
      types::StructField field = column->ToField();
      field.nullable = true;
      field.metadata_json.clear();
      brought.push_back(std::move(field));
    }
    types::DataTypePtr more = types::Struct(std::move(brought));
    bool widens = delta::BooleanProperty(snapshot_->metadata(), "delta.enableTypeWidening", false);
    ARROW_ASSIGN_OR_RAISE(types::DataTypePtr merged,
                          delta::MergeSchemas(types::Struct(new_fields_), more, /*casts=*/true, widens));
    result_.evolves_schema = !delta::SameSchema(*types::Struct(new_fields_), *merged);
    new_fields_ = merged->fields();
    return arrow::Status::OK();
  }

  arrow::Status PlanOneClause() {
    ARROW_RETURN_NOT_OK(FindNewFields());
    PlanPtr input = target_;
    if (change_.condition) {
      ARROW_ASSIGN_OR_RAISE(result_.condition, Where(*change_.condition));
      input = std::make_shared<logical::Filter>(result_.condition, input);
    }
    ChangeClause clause;
    if (change_.kind == Kind::kUpdate) {
      clause.change = RowChange::kUpdate;
      clause.kind = ClauseKind::kUpdate;
      analyzer::OperatorInput below;
      assignments_.AllowSubqueries(&below);
      for (const sql::Assignment& assignment : change_.matched[0].assignments) {
        for (const spark::connect::Relation& plan : assignment.subqueries) {
          resolver_.DefineSubquery(plan.common().plan_id(), &plan);
        }
      }
      auto values = assignments_.Update(change_.matched[0].assignments, columns_);
      assignments_.AllowSubqueries(nullptr);
      ARROW_ASSIGN_OR_RAISE(clause.values, std::move(values));
      ARROW_RETURN_NOT_OK(CheckRowWise(clause.values));
      if (!below.window_functions.empty()) return analyzer::NotSupported("window functions in assignments");
      PlanPtr rows = input;
      ARROW_ASSIGN_OR_RAISE(input, below.ApplyBelowWindows(std::move(input), eval()));
      // A subquery that reads the rows is joined with them on a condition; Spark takes none in Delta's UPDATE.
      for (PlanPtr at = input; at != rows; at = at->children()[0]) {
        if (at->kind() != logical::NodeKind::kJoin) continue;
        if (static_cast<const logical::Join&>(*at).condition() == nullptr) continue;
        return UserError("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_SCALAR_SUBQUERY",
                         {{"treeNode", ""}});
      }
    }
    ExpressionVector all = clause.values;
    all.push_back(result_.condition);
    ARROW_RETURN_NOT_OK(CheckDeterministic(all));
    result_.matched.push_back(clause);
    return Finish(std::move(input), {clause}, nullptr);
  }

  arrow::Status PlanMerge() {
    ARROW_RETURN_NOT_OK(FindNewFields());
    ARROW_ASSIGN_OR_RAISE(result_.condition, MergeCondition(*change_.condition, both_, "search"));
    for (const sql::RowClause& message : change_.matched) {
      RowChange change = message.kind == ClauseKind::kDelete ? RowChange::kDelete : RowChange::kUpdate;
      ARROW_ASSIGN_OR_RAISE(ChangeClause clause, Clause(message, change, both_));
      result_.matched.push_back(std::move(clause));
    }
    for (const sql::RowClause& message : change_.not_matched) {
      ARROW_ASSIGN_OR_RAISE(ChangeClause clause, Clause(message, RowChange::kInsert, source_->output()));
      result_.not_matched.push_back(std::move(clause));
    }
    for (const sql::RowClause& message : change_.not_matched_by_source) {
      RowChange change =
          message.kind == ClauseKind::kDelete ? RowChange::kDeleteUnmatched : RowChange::kUpdateUnmatched;
      ARROW_ASSIGN_OR_RAISE(ChangeClause clause, Clause(message, change, columns_));
      result_.not_matched_by_source.push_back(std::move(clause));
    }
    result_.has_inserts = !result_.not_matched.empty();
    result_.rejects_repeats = !(result_.matched.size() == 1 && result_.matched[0].change == RowChange::kDelete &&
                                result_.matched[0].condition == nullptr);
    bool all_conditional = std::all_of(result_.matched.begin(), result_.matched.end(),
                                       [](const ChangeClause& clause) { return clause.condition != nullptr; });
    // Rows that the source meets twice are an error even where the clauses would take them once.
    bool marks_deleted = delta::Supports(snapshot_->protocol(), "deletionVectors") &&
                         delta::BooleanProperty(snapshot_->metadata(), "delta.enableDeletionVectors", false);
    bool by_source = !result_.not_matched_by_source.empty();
    result_.rewrites_kept = !marks_deleted && (by_source || (!result_.matched.empty() && !result_.not_matched.empty()));
    bool keeps_matched = !result_.matched.empty() || (by_source && result_.rewrites_kept);
    if (keeps_matched && all_conditional) result_.matched.push_back({.change = RowChange::kKeep});
    if (by_source && result_.rewrites_kept && result_.not_matched_by_source.back().condition != nullptr) {
      result_.not_matched_by_source.push_back({.change = RowChange::kKeepUnmatched});
    }
    return JoinAndFinish();
  }

  // True for each row of the source, which is counted by it.
  ExpressionPtr CountedTrue() {
    auto info = std::make_shared<expression::CallInfo>();
    info->name = "in_source";
    info->deterministic = false;
    info->foldable = false;
    info->kernel = [count = result_.num_source_rows](const expression::EvalContext&, const std::vector<arrow::Datum>&,
                                                     int64_t num_rows) -> arrow::Result<arrow::Datum> {
      *count += num_rows;
      return arrow::Datum(std::make_shared<arrow::BooleanScalar>(true));
    };
    return std::make_shared<expression::Call>(std::move(info), types::Boolean(), /*nullable=*/false,
                                              ExpressionVector{});
  }

  static logical::JoinType JoinTypeOf(bool matched, bool inserts, bool by_source) {
    if (inserts && by_source) return logical::JoinType::kFullOuter;
    if (by_source) return logical::JoinType::kRightOuter;
    if (!inserts) return logical::JoinType::kInner;
    return matched ? logical::JoinType::kLeftOuter : logical::JoinType::kLeftAnti;
  }

  // CASE of the clauses of one kind: the number of the first one whose condition is met.
  static ExpressionPtr FirstMet(const std::vector<ChangeClause>& clauses, int first) {
    ExpressionVector cases;
    for (size_t i = 0; i < clauses.size(); ++i) {
      cases.push_back(clauses[i].condition == nullptr ? Literal::Boolean(true) : clauses[i].condition);
      cases.push_back(Literal::Integer(first + static_cast<int>(i)));
    }
    if (cases.empty()) return Literal::Null(types::Integer());
    return std::make_shared<expression::CaseWhen>(std::move(cases), /*as_if=*/false);
  }

  arrow::Status JoinAndFinish() {
    PlanPtr source = source_;
    bool anti = result_.matched.empty() && result_.not_matched_by_source.empty();
    auto marker = std::make_shared<Alias>(CountedTrue(), "_in_source");
    ExpressionVector with_marker(source->output().begin(), source->output().end());
    with_marker.push_back(marker);
    source = std::make_shared<logical::Project>(std::move(with_marker), std::move(source));
    logical::JoinType type =
        JoinTypeOf(!result_.matched.empty(), !result_.not_matched.empty(), !result_.not_matched_by_source.empty());
    PlanPtr join = std::make_shared<logical::Join>(type, result_.condition, std::move(source), target_);
    int num_matched = static_cast<int>(result_.matched.size());
    int num_inserts = static_cast<int>(result_.not_matched.size());
    ExpressionPtr clause;
    AttributePtr in_source, place;
    for (const AttributePtr& column : join->output()) {
      if (column->id() == marker->id()) in_source = column;
      if (column->id() == place_->id()) place = column;
    }
    if (anti) {
      clause = std::make_shared<expression::CaseWhen>(
          ExpressionVector{in_source, FirstMet(result_.not_matched, num_matched)}, /*as_if=*/false);
    } else {
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr has_source, Bind("isnotnull", {in_source}));
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr has_target, Bind("isnotnull", {place}));
      auto has_both = std::make_shared<expression::Logical>(true, has_source, has_target);
      clause = std::make_shared<expression::CaseWhen>(
          ExpressionVector{has_both, FirstMet(result_.matched, 0), has_source,
                           FirstMet(result_.not_matched, num_matched),
                           FirstMet(result_.not_matched_by_source, num_matched + num_inserts)},
          /*as_if=*/false);
    }
    auto chosen = std::make_shared<Alias>(std::move(clause), "_clause");
    ExpressionVector items(join->output().begin(), join->output().end());
    items.push_back(chosen);
    PlanPtr plan = std::make_shared<logical::Project>(std::move(items), std::move(join));
    AttributePtr chosen_column = chosen->ToAttribute();
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr met, Bind("isnotnull", {chosen_column}));
    plan = std::make_shared<logical::Filter>(std::move(met), std::move(plan));
    std::vector<ChangeClause> clauses = result_.matched;
    clauses.insert(clauses.end(), result_.not_matched.begin(), result_.not_matched.end());
    clauses.insert(clauses.end(), result_.not_matched_by_source.begin(), result_.not_matched_by_source.end());
    return Finish(std::move(plan), clauses, chosen_column);
  }

  arrow::Result<ExpressionPtr> IsClause(const AttributePtr& chosen, size_t clause) const {
    return Bind("==", {chosen, Literal::Integer(static_cast<int>(clause))});
  }

  // `value(i)` of the clause that a row meets; null ones are NULL of `type`.
  template <typename ValueOf>
  arrow::Result<ExpressionPtr> ByClause(const std::vector<ChangeClause>& clauses, const AttributePtr& chosen,
                                        const types::DataTypePtr& type, ValueOf value) const {
    if (chosen == nullptr) {
      ExpressionPtr only = value(size_t{0});
      return only == nullptr ? Literal::Null(type) : only;
    }
    ExpressionVector cases;
    for (size_t i = 0; i < clauses.size(); ++i) {
      ExpressionPtr of_clause = value(i);
      if (of_clause == nullptr) continue;
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr is_this, IsClause(chosen, i));
      cases.push_back(std::move(is_this));
      cases.push_back(std::move(of_clause));
    }
    if (cases.empty()) return Literal::Null(type);
    return std::make_shared<expression::CaseWhen>(std::move(cases), /*as_if=*/false);
  }

  /// `input` has the table's columns, the place and, with several clauses, the number of the clause.
  arrow::Status Finish(PlanPtr input, const std::vector<ChangeClause>& clauses, const AttributePtr& chosen) {
    AttributeVector below = input->output();
    auto of_input = [&](const AttributePtr& column) -> ExpressionPtr {
      for (const AttributePtr& candidate : below) {
        if (candidate->id() == column->id()) return candidate;
      }
      return nullptr;
    };
    ExpressionVector items;
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr change, ByClause(clauses, chosen, types::Integer(), [&](size_t i) {
                            return Literal::Integer(static_cast<int>(clauses[i].change));
                          }));
    items.push_back(std::make_shared<Alias>(std::move(change), "change"));
    ExpressionPtr place = of_input(place_);
    items.push_back(std::make_shared<Alias>(
        place == nullptr ? Literal::Null(types::String()) : function::GetStructField(place, 0, "file_path"), "file"));
    items.push_back(std::make_shared<Alias>(
        place == nullptr ? Literal::Null(types::Long()) : function::GetStructField(place, 1, "row_index"), "row"));
    bool has_id = place != nullptr && place->type()->fields().size() > 2;
    items.push_back(std::make_shared<Alias>(
        has_id ? function::GetStructField(place, 2, "row_id") : Literal::Null(types::Long()), "id"));
    bool any_values =
        std::any_of(clauses.begin(), clauses.end(), [](const ChangeClause& clause) { return !clause.values.empty(); });
    if (any_values) {
      for (size_t column = 0; column < new_fields_.size(); ++column) {
        ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, ByClause(clauses, chosen, new_fields_[column].type, [&](size_t i) {
                                return clauses[i].values.empty() ? ExpressionPtr() : clauses[i].values[column];
                              }));
        items.push_back(std::make_shared<Alias>(std::move(value), new_fields_[column].name));
      }
    }
    if (records_changes_) {
      // Files of changes have the columns of the new values: those that the schema's evolution brings are NULL.
      for (size_t i = 0; i < (any_values ? new_fields_ : fields_).size(); ++i) {
        const types::StructField& field = any_values ? new_fields_[i] : fields_[i];
        ExpressionPtr old = i < columns_.size() ? of_input(columns_[i]) : nullptr;
        if (old == nullptr) {
          old = Literal::Null(any_values ? field.type : columns_[i]->type());
        } else if (any_values) {
          ARROW_ASSIGN_OR_RAISE(old, assignments_.Conformed(old, field));
        }
        items.push_back(std::make_shared<Alias>(std::move(old), field.name));
      }
    }
    size_t num_items = items.size();
    if (chosen != nullptr) items.push_back(chosen);
    PlanPtr plan = std::make_shared<logical::Project>(std::move(items), std::move(input));
    if (any_values) {
      ARROW_ASSIGN_OR_RAISE(plan, WithComputed(std::move(plan), clauses, chosen, num_items));
    } else if (chosen != nullptr) {
      ExpressionVector kept(plan->output().begin(), plan->output().begin() + static_cast<int64_t>(num_items));
      plan = std::make_shared<logical::Project>(std::move(kept), std::move(plan));
    }
    AttributeVector output = plan->output();
    size_t at = connector::delta_table::kNumPlaceColumns;
    auto take = [&](size_t count) {
      std::vector<types::StructField> fields;
      for (size_t i = 0; i < count; ++i, ++at) fields.push_back({output[at]->name(), output[at]->type(), true, ""});
      return types::Struct(std::move(fields));
    };
    if (any_values) result_.new_values = take(new_fields_.size());
    if (records_changes_) result_.old_values = take((any_values ? new_fields_ : fields_).size());
    result_.plan = std::move(plan);
    return arrow::Status::OK();
  }

  // Generated columns that nobody gives, of the other new values; identity columns are the writer's.
  arrow::Result<PlanPtr> WithComputed(PlanPtr plan, const std::vector<ChangeClause>& clauses,
                                      const AttributePtr& chosen, size_t num_items) {
    AttributeVector output = plan->output();
    size_t first = connector::delta_table::kNumPlaceColumns;
    AttributeVector values(output.begin() + static_cast<int64_t>(first),
                           output.begin() + static_cast<int64_t>(first + new_fields_.size()));
    ExpressionVector items(output.begin(), output.begin() + static_cast<int64_t>(num_items));
    bool computes = delta::Supports(snapshot_->protocol(), "generatedColumns");
    for (size_t column = 0; column < new_fields_.size(); ++column) {
      std::vector<size_t> left_out;
      for (size_t i = 0; i < clauses.size(); ++i) {
        if (!clauses[i].values.empty() && clauses[i].values[column] == nullptr) left_out.push_back(i);
      }
      const types::StructField& field = new_fields_[column];
      if (left_out.empty()) continue;
      if (delta::IsIdentityColumn(field)) {
        size_t num_inserts = 0;
        for (const ChangeClause& clause : clauses) num_inserts += clause.change == RowChange::kInsert;
        if (left_out.size() < num_inserts)
          return analyzer::NotSupported("an identity column that only some INSERT give");
        result_.numbered.push_back(field.name);
        continue;
      }
      std::string sql = delta::GenerationExpression(field);
      if (sql.empty() || !computes) continue;
      spark::connect::Expression message;
      message.mutable_expression_string()->set_expression(sql);
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr computed, resolver_.Expressions(values).Resolve(message));
      ARROW_ASSIGN_OR_RAISE(computed, assignments_.Conformed(computed, field));
      if (chosen != nullptr) {
        ExpressionVector cases;
        for (size_t i : left_out) {
          ARROW_ASSIGN_OR_RAISE(ExpressionPtr is_this, IsClause(chosen, i));
          cases.push_back(std::move(is_this));
          cases.push_back(computed);
        }
        cases.push_back(values[column]);
        computed = std::make_shared<expression::CaseWhen>(std::move(cases), /*as_if=*/false);
      }
      items[first + column] = std::make_shared<Alias>(std::move(computed), field.name);
    }
    return std::make_shared<logical::Project>(std::move(items), std::move(plan));
  }

  void FindPartitionCondition() {
    bool whole = !result_.not_matched_by_source.empty();
    std::set<expression::AttributeId> partitions;
    for (int index : snapshot_->partition_columns()) partitions.insert(columns_[static_cast<size_t>(index)]->id());
    ExpressionVector found;
    ExpressionVector conjuncts = logical::SplitConjuncts(result_.condition);
    for (const ExpressionPtr& conjunct : conjuncts) {
      std::vector<expression::AttributeId> read = expression::References(*conjunct);
      bool of_partitions =
          !read.empty() && std::all_of(read.begin(), read.end(), [&](auto id) { return partitions.count(id) > 0; });
      if (of_partitions) found.push_back(conjunct);
    }
    result_.partitions_only = found.size() == conjuncts.size();
    if (!whole) result_.partition_condition = logical::JoinConjuncts(found);
  }

  Session& session_;
  const sql::ChangeRows& change_;
  analyzer::AnalyzerContext context_;
  RelationResolver resolver_;
  PlanPtr source_;
  PlanPtr target_;
  AttributeVector columns_;
  /// The source's columns, then the table's.
  AttributeVector both_;
  AttributePtr place_;
  delta::SnapshotPtr snapshot_;
  std::vector<types::StructField> fields_;
  std::vector<types::StructField> new_fields_;
  bool evolves_ = false;
  RowAssignments assignments_{context_, resolver_, columns_, new_fields_, evolves_};
  bool records_changes_ = false;
  RowChangePlan result_;
};

}  // namespace

arrow::Result<RowChangePlan> PlanRowChanges(Session& session, const sql::ChangeRows& change) {
  return ChangePlanner(session, change).Plan();
}

}  // namespace millrace::session
