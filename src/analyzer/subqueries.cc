#include "analyzer/subqueries.h"

#include <arrow/array.h>

#include <algorithm>
#include <functional>
#include <set>

#include "analyzer/column_value.h"
#include "analyzer/domain_join.h"
#include "base/ascii.h"
#include "base/error.h"
#include "expression/aggregate.h"
#include "expression/call.h"
#include "expression/cast.h"
#include "expression/vector.h"
#include "function/function_def.h"
#include "logical/node/aggregate.h"
#include "logical/node/deduplicate.h"
#include "logical/node/filter.h"
#include "logical/node/join.h"
#include "logical/node/project.h"

namespace millrace::analyzer {

namespace {

using expression::Alias;
using expression::AttributeId;
using expression::AttributeReference;
using expression::EvalContext;
using expression::ExpressionKind;
using expression::Literal;
using function::BindCall;
using logical::JoinType;
using logical::NodeKind;

AttributePtr NewColumn(std::string name, types::DataTypePtr type, bool nullable) {
  return std::make_shared<AttributeReference>(expression::NextAttributeId(), std::move(name), std::move(type),
                                              nullable);
}

bool ReadsOnlyFrom(const expression::Expression& value, const AttributeVector& columns) {
  std::vector<AttributeId> ids = expression::References(value);
  return std::all_of(ids.begin(), ids.end(), [&](AttributeId id) {
    return std::any_of(columns.begin(), columns.end(), [&](const AttributePtr& column) { return column->id() == id; });
  });
}

bool IsOneRow(const logical::Plan& plan) {
  if (plan.kind() == NodeKind::kProject || plan.kind() == NodeKind::kSubqueryAlias) return IsOneRow(*plan.child());
  return plan.kind() == NodeKind::kAggregate && static_cast<const logical::Aggregate&>(plan).grouping().empty();
}

bool IsAggregated(const logical::Plan& plan) {
  switch (plan.kind()) {
    case NodeKind::kProject:
    case NodeKind::kFilter:
    case NodeKind::kSubqueryAlias:
      return IsAggregated(*plan.child());
    default:
      return plan.kind() == NodeKind::kAggregate;
  }
}

// How many aggregates without GROUP BY give a row for no rows.
int NumGlobalAggregates(const logical::Plan& plan) {
  int count = 0;
  logical::VisitPlan(plan, [&](const logical::Plan& node) {
    bool global =
        node.kind() == NodeKind::kAggregate && static_cast<const logical::Aggregate&>(node).grouping().empty();
    count += global ? 1 : 0;
  });
  return count;
}

// Joining on conditions would lose the row that a subquery gives for no rows; those must run for each outer row.
arrow::Status NeedsDomain() {
  return UserError("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_SCALAR_SUBQUERY",
                   {{"treeNode", ""}});
}

// What the first column of `plan` is when no row reaches its aggregate; null when that is NULL or unknown.
ExpressionPtr ValueOnEmpty(const logical::Plan& plan, const expression::Expression& value) {
  bool computed = plan.kind() == NodeKind::kProject || plan.kind() == NodeKind::kAggregate;
  if (!computed && plan.kind() != NodeKind::kSubqueryAlias) return nullptr;
  bool known = true;
  // From the top: what an aggregate call reads does not matter.
  std::function<ExpressionPtr(const ExpressionPtr&)> below = [&](const ExpressionPtr& node) -> ExpressionPtr {
    if (node->kind() == ExpressionKind::kAggregateCall) {
      bool counts = static_cast<const expression::AggregateCall&>(*node).function()->name() == "count";
      return counts ? Literal::Long(0) : Literal::Null(node->type());
    }
    if (node->kind() == ExpressionKind::kAttribute) {
      ExpressionPtr empty = plan.kind() == NodeKind::kAggregate ? nullptr : ValueOnEmpty(*plan.child(), *node);
      known = known && empty != nullptr;
      return empty == nullptr ? node : empty;
    }
    if (node->children().empty()) return node;
    ExpressionVector children;
    for (const ExpressionPtr& child : node->children()) children.push_back(below(child));
    return node->WithChildren(std::move(children));
  };
  AttributeId id = static_cast<const AttributeReference&>(value).id();
  if (!computed) return ValueOnEmpty(*plan.child(), value);
  for (const ExpressionPtr& item : plan.expressions()) {
    bool named = item->kind() == ExpressionKind::kAlias || item->kind() == ExpressionKind::kAttribute;
    if (!named || expression::ToAttribute(item)->id() != id) continue;
    ExpressionPtr made = below(item->kind() == ExpressionKind::kAlias ? item->children()[0] : item);
    return known ? made : nullptr;
  }
  return nullptr;
}

// `value`, or an error where `num_rows` is above 1.
ExpressionPtr CheckedValue(const AttributePtr& value, const AttributePtr& num_rows) {
  auto info = std::make_shared<expression::CallInfo>();
  info->name = "scalarsubquery";
  info->can_fail = true;
  info->kernel = [](const EvalContext& context, const std::vector<arrow::Datum>& arguments,
                    int64_t rows) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(auto counts, expression::ToArray(arguments[1], rows, context.memory_pool));
    for (int64_t i = 0; i < rows; ++i) {
      if (counts->IsNull(i)) continue;
      if (static_cast<const arrow::Int64Array&>(*counts).Value(i) > 1)
        return UserError("SCALAR_SUBQUERY_TOO_MANY_ROWS");
    }
    return arguments[0];
  };
  return std::make_shared<expression::Call>(std::move(info), value->type(), true, ExpressionVector{value, num_rows});
}

// One row for each value of `keys` (columns of `plan`): the first column, how many rows there were, and the keys.
arrow::Result<PlanPtr> CountedRows(PlanPtr plan, const AttributeVector& keys, const EvalContext& eval) {
  const AttributePtr value = plan->output()[0];
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr first, BindCall("first", {value}, eval));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr count, BindCall("count", {Literal::Integer(1)}, eval));
  ExpressionVector items{std::make_shared<Alias>(std::move(first), value->name()),
                         std::make_shared<Alias>(std::move(count), "num_rows")};
  items.insert(items.end(), keys.begin(), keys.end());
  return std::make_shared<logical::Aggregate>(ExpressionVector(keys.begin(), keys.end()), std::move(items),
                                              std::move(plan));
}

// As Spark shows an item of a subquery: a name it was given is of before outer columns were shown as the query's own.
std::string ItemText(const ExpressionPtr& item, const std::function<bool(expression::AttributeId)>& is_outer) {
  if (item->kind() != ExpressionKind::kAlias ||
      item->children()[0]->Sql(true) != expression::ToAttribute(item)->name()) {
    return item->Sql(true);
  }
  const ExpressionPtr& value = item->children()[0];
  ExpressionPtr named = expression::Transform(value, [&](const ExpressionPtr& node) -> ExpressionPtr {
    if (node->kind() != ExpressionKind::kAttribute) return nullptr;
    const auto& column = static_cast<const AttributeReference&>(*node);
    if (!is_outer(column.id())) return nullptr;
    std::string name;
    for (const std::string& part : column.qualifier()) name += part + ".";
    return std::make_shared<AttributeReference>(column.id(), "outer(" + name + column.name() + ")", column.type(),
                                                column.nullable());
  });
  return value->Sql(true) + " AS `" + named->Sql(true) + "`";
}

// An aggregate hosts no column of the outer query, neither as its argument nor beside it.
// Source: Spark, CheckAnalysis.checkCorrelationsInSubquery.
arrow::Status CheckSubquery(const logical::Plan& plan, const AttributeVector& outer) {
  if (plan.is_streaming()) return UserError("INVALID_SUBQUERY_EXPRESSION.STREAMING_QUERY");
  auto has = [](const AttributeVector& columns, expression::AttributeId id) {
    return std::any_of(columns.begin(), columns.end(), [&](const auto& column) { return column->id() == id; });
  };
  std::string refused;
  logical::VisitPlan(plan, [&](const logical::Plan& node) {
    if (node.kind() != logical::NodeKind::kAggregate || !refused.empty()) return;
    const AttributeVector& input = static_cast<const logical::Aggregate&>(node).child()->output();
    for (const ExpressionPtr& value : node.expressions()) {
      std::vector<expression::AttributeId> ids = expression::References(*value);
      auto is_outer = [&](expression::AttributeId id) { return has(outer, id) && !has(input, id); };
      if (std::none_of(ids.begin(), ids.end(), is_outer)) continue;
      refused += (refused.empty() ? "" : ",") + QuoteSqlExpression(ItemText(value, is_outer));
    }
  });
  if (refused.empty()) return arrow::Status::OK();
  return UserError("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.CORRELATED_REFERENCE", {{"sqlExprs", refused}});
}

// An equality between the subquery's columns and the outer query's, taken apart.
struct Equality {
  ExpressionPtr inner;
  ExpressionPtr outer;
};

std::optional<Equality> TakeApart(const ExpressionPtr& condition, const AttributeVector& inner) {
  if (condition->kind() != ExpressionKind::kCall || condition->children().size() != 2) return std::nullopt;
  if (static_cast<const expression::Call&>(*condition).name() != "=") return std::nullopt;
  const ExpressionPtr& left = condition->children()[0];
  const ExpressionPtr& right = condition->children()[1];
  bool left_inner = ReadsOnlyFrom(*left, inner);
  bool right_inner = ReadsOnlyFrom(*right, inner);
  if (left_inner == right_inner) return std::nullopt;
  return left_inner ? Equality{left, right} : Equality{right, left};
}

// The values before IN; several are a struct, as Spark shows them.
std::string ShownValues(const ExpressionVector& values) {
  if (values.size() == 1) return values[0]->Sql(true);
  std::string text;
  for (size_t i = 0; i < values.size(); ++i) {
    bool named = values[i]->kind() == ExpressionKind::kAttribute;
    std::string name =
        named ? static_cast<const AttributeReference&>(*values[i]).name() : "col" + std::to_string(i + 1);
    text += (i == 0 ? "" : ", ") + ("'" + name + "', ") + values[i]->Sql(true);
  }
  return "named_struct(" + text + ")";
}

}  // namespace

arrow::Result<ExpressionPtr> Subqueries::AddScalar(const PlanPtr& plan, const AttributeVector& outer,
                                                   const EvalContext& eval) {
  ARROW_RETURN_NOT_OK(CheckSubquery(*plan, outer));
  if (plan->output().size() != 1) {
    return UserError("INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN",
                     {{"number", std::to_string(plan->output().size())}});
  }
  Scalar scalar;
  const AttributePtr value = plan->output()[0];
  scalar.column = NewColumn("scalarsubquery(" + OuterReferencesText(*plan, outer) + ")", value->type(), true);
  scalar.original = plan;
  arrow::Status simple = MakeScalar(plan, outer, eval, &scalar);
  if (!simple.ok()) {
    if (!IsErrorCondition(simple, "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY")) return simple;
    scalar.domain = OuterColumns(*plan, outer);
    if (scalar.domain.empty()) return simple;
  }
  scalars_.push_back(scalar);
  return scalar.column;
}

arrow::Status Subqueries::MakeScalar(const PlanPtr& plan, const AttributeVector& outer, const EvalContext& eval,
                                     Scalar* made) {
  Scalar& scalar = *made;
  const AttributePtr value = plan->output()[0];
  ARROW_ASSIGN_OR_RAISE(scalar.subquery, Decorrelate(plan, outer));
  if (!scalar.subquery.conditions.empty()) {
    if (NumGlobalAggregates(*plan) > (IsOneRow(*plan) ? 1 : 0)) return NeedsDomain();
    if (!IsAggregated(*plan)) ARROW_RETURN_NOT_OK(CountMatches(&scalar, eval));
    if (IsOneRow(*plan)) scalar.on_empty = ValueOnEmpty(*plan, *value);
    if (scalar.on_empty != nullptr) {
      ARROW_ASSIGN_OR_RAISE(auto constant, expression::EvaluateFoldable(*scalar.on_empty, eval));
      if (!constant->is_valid) scalar.on_empty = nullptr;
    }
  } else if (!IsOneRow(*plan)) {
    ARROW_RETURN_NOT_OK(CountMatches(&scalar, eval));
  }
  return arrow::Status::OK();
}

arrow::Status Subqueries::CountMatches(Scalar* scalar, const EvalContext& eval) {
  AttributeVector keys;
  const PlanPtr& plan = scalar->subquery.plan;
  for (const ExpressionPtr& condition : scalar->subquery.conditions) {
    std::optional<Equality> equality = TakeApart(condition, plan->output());
    if (!equality || !IsColumnValue(*equality->inner)) {
      return UserError("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.MUST_AGGREGATE_CORRELATED_SCALAR_SUBQUERY");
    }
    std::vector<AttributeId> ids = expression::References(*condition);
    for (const AttributePtr& column : plan->output()) {
      bool read = std::find(ids.begin(), ids.end(), column->id()) != ids.end();
      bool known = std::find(keys.begin(), keys.end(), column) != keys.end();
      if (read && !known) keys.push_back(column);
    }
  }
  ARROW_ASSIGN_OR_RAISE(scalar->subquery.plan, CountedRows(plan, keys, eval));
  scalar->num_rows = scalar->subquery.plan->output()[1];
  return arrow::Status::OK();
}

// Conditions where they say it all, else the outer columns to run the subquery for.
arrow::Status Subqueries::Correlate(const PlanPtr& plan, const AttributeVector& outer, Predicate* predicate) {
  predicate->original = plan;
  arrow::Result<Decorrelated> simple = Decorrelate(plan, outer);
  bool lost_rows = simple.ok() && !simple->conditions.empty() && NumGlobalAggregates(*plan) > 0;
  if (simple.ok() && !lost_rows) {
    predicate->subquery = std::move(*simple);
    predicate->domain = predicate->subquery.conditions.empty() ? AttributeVector{} : OuterColumns(*plan, outer);
    return arrow::Status::OK();
  }
  predicate->domain = OuterColumns(*plan, outer);
  if (lost_rows) return arrow::Status::OK();
  bool refused = !IsErrorCondition(simple.status(), "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY");
  return refused || predicate->domain.empty() ? simple.status() : arrow::Status::OK();
}

arrow::Result<ExpressionPtr> Subqueries::AddExists(const PlanPtr& plan, const AttributeVector& outer) {
  ARROW_RETURN_NOT_OK(CheckSubquery(*plan, outer));
  Predicate predicate;
  ARROW_RETURN_NOT_OK(Correlate(plan, outer, &predicate));
  predicate.column = NewColumn("exists(" + OuterReferencesText(*plan, outer) + ")", types::Boolean(), false);
  predicates_.push_back(predicate);
  return predicate.column;
}

namespace {

// The same types in the same places, whatever structs call their fields.
bool SameStructure(const types::DataType& a, const types::DataType& b) {
  if (a.id() != b.id() || a.fields().size() != b.fields().size()) return false;
  for (size_t i = 0; i < a.fields().size(); ++i) {
    if (!SameStructure(*a.fields()[i].type, *b.fields()[i].type)) return false;
  }
  return a.fields().empty() ? a.Equals(b) : true;
}

// Structs are compared by place, those of a query with the names of what is asked for.
// Source: Spark, InSubquery.checkInputDataTypes.
ExpressionPtr Renamed(const ExpressionPtr& value, const types::DataTypePtr& type) {
  if (value->type()->Equals(*type) || !SameStructure(*value->type(), *type)) return value;
  return std::make_shared<expression::Cast>(value, type, expression::CastMode::kAnsi, false);
}

}  // namespace

arrow::Result<ExpressionPtr> Subqueries::AddIn(const ExpressionVector& values, const PlanPtr& plan,
                                               const AttributeVector& outer, const EvalContext& eval) {
  ARROW_RETURN_NOT_OK(CheckSubquery(*plan, outer));
  const AttributeVector columns = plan->output();
  if (values.size() != columns.size()) {
    auto list = [](const auto& all) {
      std::string text;
      for (const auto& one : all) text += (text.empty() ? "" : ", ") + QuoteSqlExpression(one->Sql(true));
      return text;
    };
    return UserError(
        "DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH",
        {{"sqlExpr", QuoteSqlExpression("(" + (values.empty() ? "" : values[0]->Sql(true)) + " IN (listquery()))")},
         {"leftLength", std::to_string(values.size())},
         {"leftColumns", list(values)},
         {"rightLength", std::to_string(columns.size())},
         {"rightColumns", list(columns)}});
  }
  Predicate predicate;
  ARROW_RETURN_NOT_OK(Correlate(plan, outer, &predicate));
  for (size_t i = 0; i < values.size(); ++i) predicate.values.push_back(Renamed(values[i], columns[i]->type()));
  bool nullable = false;
  for (size_t i = 0; i < values.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr equal, BindCall("==", {predicate.values[i], columns[i]}, eval));
    nullable = nullable || equal->nullable();
    predicate.equal =
        predicate.equal == nullptr ? equal : std::make_shared<expression::Logical>(true, predicate.equal, equal);
  }
  predicate.column =
      NewColumn("(" + ShownValues(values) + " IN (listquery(" + OuterReferencesText(*plan, outer) + ")))",
                types::Boolean(), nullable);
  predicates_.push_back(predicate);
  return predicate.column;
}

arrow::Result<PlanPtr> Subqueries::JoinScalarByDomain(const Scalar& scalar, PlanPtr input,
                                                      const EvalContext& eval) const {
  const AttributePtr value = scalar.original->output()[0];
  ARROW_ASSIGN_OR_RAISE(DomainPlan run, JoinWithDomain(scalar.original, scalar.domain, input, eval));
  // The value first, whatever the operators did to the order.
  ExpressionVector items{value};
  items.insert(items.end(), run.domain.begin(), run.domain.end());
  PlanPtr rows = std::make_shared<logical::Project>(std::move(items), run.plan);
  ARROW_ASSIGN_OR_RAISE(rows, CountedRows(std::move(rows), run.domain, eval));
  AttributeVector columns = input->output();
  ARROW_ASSIGN_OR_RAISE(ExpressionVector same, SameValues(scalar.domain, run.domain, eval));
  AttributePtr first = rows->output()[0]->WithNullable(true);
  AttributePtr count = rows->output()[1]->WithNullable(true);
  PlanPtr joined = std::make_shared<logical::Join>(JoinType::kLeftOuter, logical::JoinConjuncts(same), std::move(input),
                                                   std::move(rows));
  ExpressionVector shown(columns.begin(), columns.end());
  shown.push_back(std::make_shared<Alias>(CheckedValue(first, count), scalar.column->name(), scalar.column->id()));
  return std::make_shared<logical::Project>(std::move(shown), std::move(joined));
}

// EXISTS, or `value IN` with its three answers: a left join with what matches, and one that tells whether there were
// rows at all and NULLs among them.
arrow::Result<PlanPtr> Subqueries::JoinPredicateByDomain(const Predicate& predicate, PlanPtr input,
                                                         const EvalContext& eval) const {
  const bool is_in = predicate.equal != nullptr;
  if (predicate.values.size() > 1) return JoinTuples(predicate, std::move(input), eval);
  AttributeVector columns = input->output();
  DomainPlan run{logical::FreshCopy(predicate.original, nullptr), {}};
  ExpressionPtr member = is_in ? ExpressionPtr(run.plan->output()[0]) : nullptr;
  if (!predicate.domain.empty()) {
    ARROW_ASSIGN_OR_RAISE(run, JoinWithDomain(predicate.original, predicate.domain, input, eval));
    if (is_in) member = predicate.original->output()[0];
  }
  ExpressionVector keys(run.domain.begin(), run.domain.end());
  // 1. For each row of the domain: some row, some NULL.
  ExpressionVector stats = keys;
  ExpressionPtr none = Literal::Boolean(false);
  if (is_in) {
    ARROW_ASSIGN_OR_RAISE(none, BindCall("isnull", {member}, eval));
  }
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr any_null, BindCall("max", {none}, eval));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr count, BindCall("count", {Literal::Integer(1)}, eval));
  stats.push_back(std::make_shared<Alias>(std::move(any_null), "any_null"));
  stats.push_back(std::make_shared<Alias>(std::move(count), "num_rows"));
  PlanPtr known = std::make_shared<logical::Aggregate>(keys, std::move(stats), run.plan);
  AttributePtr has_null = known->output()[keys.size()]->WithNullable(true);
  AttributePtr num_rows = known->output()[keys.size() + 1]->WithNullable(true);
  ARROW_ASSIGN_OR_RAISE(ExpressionVector same, SameValues(predicate.domain, run.domain, eval));
  PlanPtr joined = std::make_shared<logical::Join>(same.empty() ? JoinType::kCross : JoinType::kLeftOuter,
                                                   logical::JoinConjuncts(same), std::move(input), std::move(known));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr some, BindCall("coalesce", {num_rows, Literal::Long(0)}, eval));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr found, BindCall(">", {some, Literal::Long(0)}, eval));
  ExpressionPtr answer = found;
  if (is_in) {
    // 2. The distinct members.
    DomainPlan again{logical::FreshCopy(run.plan, nullptr), {}};
    auto at = [&](const AttributePtr& column) {
      for (size_t i = 0; i < run.plan->output().size(); ++i) {
        if (run.plan->output()[i]->id() == column->id()) return again.plan->output()[i];
      }
      return column;
    };
    ExpressionVector items{std::make_shared<Alias>(Literal::Boolean(true), "found")};
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr equal, BindCall("==", {predicate.values[0], member}, eval));
    ExpressionPtr cast = equal->children()[1];  // the member as the comparison wants it
    cast = expression::Transform(cast, [&](const ExpressionPtr& node) -> ExpressionPtr {
      if (node->kind() != ExpressionKind::kAttribute) return nullptr;
      return at(std::static_pointer_cast<const AttributeReference>(node));
    });
    items.push_back(std::make_shared<Alias>(cast, "member"));
    for (const AttributePtr& column : run.domain) items.push_back(at(column));
    PlanPtr members = std::make_shared<logical::Project>(std::move(items), again.plan);
    AttributeVector distinct = members->output();
    members = std::make_shared<logical::Deduplicate>(distinct, false, std::move(members));
    AttributeVector domain(distinct.begin() + 2, distinct.end());
    ARROW_ASSIGN_OR_RAISE(ExpressionVector matches, SameValues(predicate.domain, domain, eval));
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr hit, BindCall("==", {predicate.values[0], distinct[1]}, eval));
    matches.push_back(std::move(hit));
    joined = std::make_shared<logical::Join>(JoinType::kLeftOuter, logical::JoinConjuncts(matches), std::move(joined),
                                             std::move(members));
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr is_member, BindCall("isnotnull", {distinct[0]->WithNullable(true)}, eval));
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr value_null, BindCall("isnull", {predicate.values[0]}, eval));
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr is_empty, BindCall("not", {found}, eval));
    ExpressionPtr unknown = std::make_shared<expression::Logical>(false, value_null, has_null);
    answer = std::make_shared<expression::CaseWhen>(
        ExpressionVector{is_member, Literal::Boolean(true), is_empty, Literal::Boolean(false), unknown,
                         Literal::Null(types::Boolean()), Literal::Boolean(false)},
        false);
  }
  ExpressionVector shown(columns.begin(), columns.end());
  shown.push_back(std::make_shared<Alias>(answer, predicate.column->name(), predicate.column->id()));
  return std::make_shared<logical::Project>(std::move(shown), std::move(joined));
}

// `(a, b) IN`: the distinct tuples of the input meet the rows that they do not differ from. Such a row is a match where
// every comparison is true, and leaves the answer open where one is NULL.
arrow::Result<PlanPtr> Subqueries::JoinTuples(const Predicate& predicate, PlanPtr input,
                                              const EvalContext& eval) const {
  AttributeVector columns = input->output();
  PlanPtr copy = logical::FreshCopy(input, nullptr);
  auto at_copy = [&](const ExpressionPtr& node) -> ExpressionPtr {
    if (node->kind() != ExpressionKind::kAttribute) return nullptr;
    AttributeId id = static_cast<const AttributeReference&>(*node).id();
    for (size_t i = 0; i < columns.size(); ++i) {
      if (columns[i]->id() == id) return copy->output()[i];
    }
    return nullptr;
  };
  ExpressionVector asked;
  for (const ExpressionPtr& value : predicate.values) {
    asked.push_back(std::make_shared<Alias>(expression::Transform(value, at_copy), "value"));
  }
  for (const AttributePtr& column : predicate.domain) {
    asked.push_back(std::make_shared<Alias>(expression::Transform(ExpressionPtr(column), at_copy), column->name()));
  }
  PlanPtr tuples = std::make_shared<logical::Project>(std::move(asked), copy);
  AttributeVector tuple = tuples->output();
  tuples = std::make_shared<logical::Deduplicate>(tuple, false, std::move(tuples));

  DomainPlan run{logical::FreshCopy(predicate.original, nullptr), {}};
  AttributeVector members = run.plan->output();
  if (!predicate.domain.empty()) {
    ARROW_ASSIGN_OR_RAISE(run, JoinWithDomain(predicate.original, predicate.domain, input, eval));
    members = predicate.original->output();
  }
  size_t width = predicate.values.size();
  AttributeVector asked_domain(tuple.begin() + static_cast<int64_t>(width), tuple.end());
  ARROW_ASSIGN_OR_RAISE(ExpressionVector conditions, SameValues(asked_domain, run.domain, eval));
  ExpressionPtr all_equal;
  for (size_t i = 0; i < width; ++i) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr equal, BindCall("==", {tuple[i], members[i]}, eval));
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr open, BindCall("coalesce", {equal, Literal::Boolean(true)}, eval));
    conditions.push_back(std::move(open));
    all_equal = all_equal == nullptr ? equal : std::make_shared<expression::Logical>(true, all_equal, equal);
  }
  PlanPtr met = std::make_shared<logical::Join>(JoinType::kInner, logical::JoinConjuncts(conditions), std::move(tuples),
                                                run.plan);
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr sure, BindCall("coalesce", {all_equal, Literal::Boolean(false)}, eval));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr some_sure, BindCall("max", {sure}, eval));
  ExpressionVector items{std::make_shared<Alias>(std::move(some_sure), "found")};
  items.insert(items.end(), tuple.begin(), tuple.end());
  PlanPtr answers = std::make_shared<logical::Aggregate>(ExpressionVector(tuple.begin(), tuple.end()), std::move(items),
                                                         std::move(met));
  AttributePtr found = answers->output()[0]->WithNullable(true);
  ExpressionVector same;
  for (size_t i = 0; i < tuple.size(); ++i) {
    ExpressionPtr own = i < width ? predicate.values[i] : ExpressionPtr(predicate.domain[i - width]);
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr equal, BindCall("<=>", {std::move(own), tuple[i]}, eval));
    same.push_back(std::move(equal));
  }
  PlanPtr joined = std::make_shared<logical::Join>(JoinType::kLeftOuter, logical::JoinConjuncts(same), std::move(input),
                                                   std::move(answers));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr none, BindCall("isnull", {found}, eval));
  ExpressionPtr answer = std::make_shared<expression::CaseWhen>(
      ExpressionVector{none, Literal::Boolean(false), found, Literal::Boolean(true), Literal::Null(types::Boolean())},
      true);
  ExpressionVector shown(columns.begin(), columns.end());
  shown.push_back(std::make_shared<Alias>(answer, predicate.column->name(), predicate.column->id()));
  return std::make_shared<logical::Project>(std::move(shown), std::move(joined));
}

arrow::Status Subqueries::Split(const AttributeVector& left_columns, const AttributeVector& right_columns,
                                Subqueries* left, Subqueries* right) const {
  auto side = [&](const PlanPtr& plan, const ExpressionVector& values) -> arrow::Result<Subqueries*> {
    auto reads = [&](const AttributeVector& columns) {
      if (!OuterColumns(*plan, columns).empty()) return true;
      return std::any_of(values.begin(), values.end(), [&](const ExpressionPtr& value) {
        std::vector<AttributeId> ids = expression::References(*value);
        return std::any_of(columns.begin(), columns.end(), [&](const AttributePtr& column) {
          return std::find(ids.begin(), ids.end(), column->id()) != ids.end();
        });
      });
    };
    bool of_right = reads(right_columns);
    if (of_right && reads(left_columns)) {
      return UserError("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_EXPRESSION_IN_JOIN_CONDITION",
                       {{"subqueryExpression", logical::TreeString(*plan)}});
    }
    return of_right ? right : left;
  };
  for (const Scalar& scalar : scalars_) {
    ARROW_ASSIGN_OR_RAISE(Subqueries * of, side(scalar.original, {}));
    of->scalars_.push_back(scalar);
  }
  for (const Predicate& predicate : predicates_) {
    ARROW_ASSIGN_OR_RAISE(Subqueries * of, side(predicate.original, predicate.values));
    of->predicates_.push_back(predicate);
  }
  return arrow::Status::OK();
}

arrow::Result<PlanPtr> Subqueries::JoinScalar(const Scalar& scalar, PlanPtr input, const EvalContext& eval) const {
  if (!scalar.domain.empty()) return JoinScalarByDomain(scalar, std::move(input), eval);
  const PlanPtr& plan = scalar.subquery.plan;
  bool has_default = scalar.on_empty != nullptr;
  bool checked = scalar.num_rows != nullptr;
  AttributePtr value = has_default || checked ? NewColumn("value", scalar.column->type(), true) : scalar.column;
  AttributePtr found = NewColumn("found", types::Boolean(), true);
  ExpressionVector items{std::make_shared<Alias>(plan->output()[0], value->name(), value->id())};
  if (has_default) items.push_back(std::make_shared<Alias>(Literal::Boolean(true), found->name(), found->id()));
  if (checked) items.push_back(scalar.num_rows);
  // Only the value and what the conditions read goes on.
  ExpressionPtr condition = logical::JoinConjuncts(scalar.subquery.conditions);
  if (condition != nullptr) {
    std::vector<AttributeId> ids = expression::References(*condition);
    for (const AttributePtr& column : plan->output()) {
      if (std::find(ids.begin(), ids.end(), column->id()) != ids.end()) items.push_back(column);
    }
  }
  PlanPtr right = std::make_shared<logical::Project>(std::move(items), plan);
  AttributeVector columns = input->output();
  PlanPtr joined = std::make_shared<logical::Join>(condition == nullptr ? JoinType::kCross : JoinType::kLeftOuter,
                                                   condition, std::move(input), std::move(right));
  if (!has_default && !checked) return joined;
  ExpressionPtr chosen;
  if (checked) {
    chosen = CheckedValue(value, scalar.num_rows->WithNullable(true));
  } else {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr missing, BindCall("isnull", {found}, eval));
    chosen = std::make_shared<expression::CaseWhen>(ExpressionVector{missing, scalar.on_empty, value}, true);
  }
  ExpressionVector shown(columns.begin(), columns.end());
  shown.push_back(std::make_shared<Alias>(chosen, scalar.column->name(), scalar.column->id()));
  return std::make_shared<logical::Project>(std::move(shown), std::move(joined));
}

// A column that says for each row whether the subquery has a match: a left join with its distinct keys.
arrow::Result<PlanPtr> Subqueries::JoinPredicate(const Predicate& predicate, PlanPtr input,
                                                 const EvalContext& eval) const {
  if (predicate.subquery.plan == nullptr || predicate.column->nullable()) {
    return JoinPredicateByDomain(predicate, std::move(input), eval);
  }
  ExpressionVector conditions = predicate.subquery.conditions;
  ExpressionVector equalities = logical::SplitConjuncts(predicate.equal);
  conditions.insert(conditions.end(), equalities.begin(), equalities.end());
  const PlanPtr& plan = predicate.subquery.plan;
  ExpressionVector keys{std::make_shared<Alias>(Literal::Boolean(true), "found")};
  ExpressionVector outer;
  for (const ExpressionPtr& condition : conditions) {
    std::optional<Equality> equality = TakeApart(condition, plan->output());
    if (!equality) return JoinPredicateByDomain(predicate, std::move(input), eval);
    keys.push_back(std::make_shared<Alias>(equality->inner, "key"));
    outer.push_back(equality->outer);
  }
  PlanPtr matches = std::make_shared<logical::Project>(std::move(keys), plan);
  AttributeVector distinct = matches->output();
  ExpressionVector joins;
  for (size_t i = 0; i < outer.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr equal, BindCall("==", {outer[i], distinct[i + 1]}, eval));
    joins.push_back(std::move(equal));
  }
  matches = std::make_shared<logical::Deduplicate>(distinct, false, std::move(matches));
  AttributeVector columns = input->output();
  PlanPtr joined = std::make_shared<logical::Join>(JoinType::kLeftOuter, logical::JoinConjuncts(joins),
                                                   std::move(input), std::move(matches));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr found, BindCall("isnotnull", {distinct[0]->WithNullable(true)}, eval));
  ExpressionVector shown(columns.begin(), columns.end());
  shown.push_back(std::make_shared<Alias>(found, predicate.column->name(), predicate.column->id()));
  return std::make_shared<logical::Project>(std::move(shown), std::move(joined));
}

arrow::Result<PlanPtr> Subqueries::Apply(PlanPtr input, const EvalContext& eval) const {
  for (const Scalar& scalar : scalars_) {
    ARROW_ASSIGN_OR_RAISE(input, JoinScalar(scalar, std::move(input), eval));
  }
  for (const Predicate& predicate : predicates_) {
    ARROW_ASSIGN_OR_RAISE(input, JoinPredicate(predicate, std::move(input), eval));
  }
  return input;
}

arrow::Result<PlanPtr> Subqueries::SemiOrAnti(const Predicate& predicate, bool negated, PlanPtr input,
                                              const EvalContext& eval) const {
  ExpressionVector conditions = predicate.subquery.conditions;
  for (ExpressionPtr equal : logical::SplitConjuncts(predicate.equal)) {
    // x NOT IN (…, NULL, …) is never true: a comparison that is NULL counts as a match.
    if (negated && equal->nullable()) {
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr unknown, BindCall("isnull", {equal}, eval));
      equal = std::make_shared<expression::Logical>(false, equal, unknown);
    }
    conditions.push_back(std::move(equal));
  }
  return std::make_shared<logical::Join>(negated ? JoinType::kLeftAnti : JoinType::kLeftSemi,
                                         logical::JoinConjuncts(conditions), std::move(input), predicate.subquery.plan);
}

arrow::Result<PlanPtr> Subqueries::Filter(const ExpressionPtr& condition, PlanPtr input,
                                          const EvalContext& eval) const {
  auto find = [&](const ExpressionPtr& value) -> const Predicate* {
    if (value->kind() != ExpressionKind::kAttribute) return nullptr;
    for (const Predicate& predicate : predicates_) {
      if (predicate.column->id() == static_cast<const AttributeReference&>(*value).id()) return &predicate;
    }
    return nullptr;
  };
  Subqueries rest;
  rest.scalars_ = scalars_;
  ExpressionVector stay;
  std::set<AttributeId> alone;
  for (const ExpressionPtr& conjunct : logical::SplitConjuncts(condition)) {
    bool negated = conjunct->kind() == ExpressionKind::kCall &&
                   EqualsIgnoreCase(static_cast<const expression::Call&>(*conjunct).name(), "not");
    const Predicate* predicate = find(negated ? conjunct->children()[0] : conjunct);
    if (predicate == nullptr || predicate->subquery.plan == nullptr) {
      stay.push_back(conjunct);
      continue;
    }
    alone.insert(predicate->column->id());
    ARROW_ASSIGN_OR_RAISE(input, SemiOrAnti(*predicate, negated, std::move(input), eval));
  }
  for (const Predicate& predicate : predicates_) {
    if (alone.count(predicate.column->id()) == 0) rest.predicates_.push_back(predicate);
  }
  ARROW_ASSIGN_OR_RAISE(input, rest.Apply(std::move(input), eval));
  if (stay.empty()) return input;
  return std::make_shared<logical::Filter>(logical::JoinConjuncts(stay), std::move(input));
}

}  // namespace millrace::analyzer
