#include <algorithm>

#include "analyzer/aggregate_items.h"
#include "analyzer/relation_resolver.h"
#include "base/error.h"
#include "expression/aggregate.h"
#include "expression/cast.h"
#include "expression/compare.h"
#include "expression/type_coercion.h"
#include "function/function_def.h"
#include "logical/node/aggregate.h"
#include "logical/node/limit.h"
#include "logical/node/sort.h"
#include "spark/connect/relations.pb.h"
#include "sql/plan_conventions.h"

namespace millrace::analyzer {

namespace {

using expression::AggregateCall;
using expression::Alias;
using expression::ExpressionKind;
using expression::Literal;

arrow::Result<std::string> NameOf(const ExpressionPtr& value, const expression::EvalContext& eval) {
  expression::Cast as_text(value, types::String(), expression::CastMode::kAnsi, false);
  ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(as_text, eval));
  if (!scalar->is_valid) return std::string("null");
  return std::string(static_cast<const arrow::BaseBinaryScalar&>(*scalar).view());
}

// The aggregates of `item` over the rows for which `condition` holds.
ExpressionPtr Over(const ExpressionPtr& item, const ExpressionPtr& condition) {
  return expression::Transform(item, [&](const ExpressionPtr& node) -> ExpressionPtr {
    if (node->kind() != ExpressionKind::kAggregateCall) return nullptr;
    const auto& call = static_cast<const AggregateCall&>(*node);
    ExpressionVector arguments(call.children().begin(), call.children().begin() + call.num_arguments());
    ExpressionPtr filter =
        call.filter() == nullptr ? condition : std::make_shared<expression::Logical>(true, call.filter(), condition);
    return std::make_shared<AggregateCall>(call.function(), std::move(arguments), call.distinct(), std::move(filter));
  });
}

// Source: Spark, PivotTransformer. A combination without rows is NULL, even where the aggregate would be 0.
arrow::Result<PlanPtr> MakePivot(const ExpressionPtr& column, const ExpressionVector& values, ExpressionVector grouping,
                                 ExpressionVector items, PlanPtr child, const expression::EvalContext& eval) {
  size_t num_keys = grouping.size();
  bool several = items.size() - num_keys > 1;
  ExpressionVector made(items.begin(), items.begin() + static_cast<ptrdiff_t>(num_keys));
  for (const ExpressionPtr& named : values) {
    bool aliased = named->kind() == ExpressionKind::kAlias;
    const ExpressionPtr& value = aliased ? named->children()[0] : named;
    if (!value->foldable()) {
      return UserError("NON_LITERAL_PIVOT_VALUES", {{"expression", QuoteSqlExpression(value->Sql(true))}});
    }
    std::string name;
    if (aliased) {
      name = static_cast<const Alias&>(*named).name();
    } else {
      ARROW_ASSIGN_OR_RAISE(name, NameOf(value, eval));
    }
    bool several_columns = column->type()->id() == types::TypeId::kStruct;
    bool fits = several_columns ? value->type()->id() == types::TypeId::kStruct &&
                                      value->type()->fields().size() == column->type()->fields().size()
                                : true;
    if (!fits || !expression::CanCast(*value->type(), *column->type(), expression::CastMode::kAnsi)) {
      return UserError("PIVOT_VALUE_DATA_TYPE_MISMATCH",
                       {{"value", name}, {"valueType", value->type()->Sql()}, {"pivotType", column->type()->Sql()}});
    }
    ExpressionPtr wanted = expression::ImplicitCast(value, column->type());
    if (several_columns) {
      // By place, whatever the names.
      wanted = std::make_shared<expression::Cast>(value, column->type(), expression::CastMode::kAnsi, false);
    }
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr matches, function::BindCall("<=>", {column, std::move(wanted)}, eval));
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr rows, function::BindCall("count", {Literal::Integer(1)}, eval, false, matches));
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr present, function::BindCall(">", {rows, Literal::Long(0)}, eval));
    for (size_t i = num_keys; i < items.size(); ++i) {
      const ExpressionPtr& item = items[i];
      ExpressionPtr aggregate = Over(item->kind() == ExpressionKind::kAlias ? item->children()[0] : item, matches);
      ExpressionPtr null = Literal::Null(aggregate->type());
      ExpressionPtr chosen = std::make_shared<expression::CaseWhen>(ExpressionVector{present, aggregate, null}, true);
      std::string suffix = several ? "_" + expression::ToAttribute(item)->name() : "";
      made.push_back(std::make_shared<Alias>(std::move(chosen), name + suffix));
    }
  }
  return std::make_shared<logical::Aggregate>(std::move(grouping), std::move(made), std::move(child),
                                              logical::Aggregate::Origin::kPivot);
}

// The values of the column as they are now, in order. Source: Spark, RelationalGroupedDataset.collectPivotValues.
arrow::Result<ExpressionVector> DistinctValues(RelationResolver& resolver, const ExpressionPtr& column,
                                               const PlanPtr& child) {
  if (child->is_streaming()) return UserError("_LEGACY_ERROR_TEMP_3063");
  if (!resolver.context().run_plan) {
    return NotSupported("pivot without a list of values where no query may run");
  }
  int64_t max_values = 10000;
  if (resolver.context().conf) {
    if (auto set = resolver.context().conf("spark.sql.pivotMaxValues")) max_values = std::atoll(set->c_str());
  }
  ExpressionPtr named = std::make_shared<Alias>(column, "value");
  ExpressionPtr value = expression::ToAttribute(named);
  PlanPtr plan = std::make_shared<logical::Aggregate>(ExpressionVector{column}, ExpressionVector{named}, child);
  plan =
      std::make_shared<logical::Sort>(std::vector<expression::SortOrder>{{value, true, true}}, true, std::move(plan));
  plan = std::make_shared<logical::Limit>(max_values + 1, 0, false, std::move(plan));
  ARROW_ASSIGN_OR_RAISE(auto batches, resolver.context().RowsOf(plan));
  ExpressionVector values;
  for (const auto& batch : batches) {
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      ARROW_ASSIGN_OR_RAISE(auto scalar, batch->column(0)->GetScalar(row));
      values.push_back(std::make_shared<Literal>(column->type(), std::move(scalar)));
    }
  }
  if (static_cast<int64_t>(values.size()) > max_values) {
    return UserError("_LEGACY_ERROR_TEMP_1324", {{"pivotColumn", column->Sql(true)},
                                                 {"maxValues", std::to_string(max_values)},
                                                 {"config", "spark.sql.pivotMaxValues"}});
  }
  return values;
}

}  // namespace

arrow::Result<PlanPtr> ResolvePivot(RelationResolver& resolver, const spark::connect::Aggregate& message,
                                    PlanPtr child) {
  const expression::EvalContext& eval = resolver.context().eval;
  const AttributeVector columns = child->output();
  ExpressionResolver expressions = resolver.Expressions(columns);
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr column, expressions.Resolve(message.pivot().col()));
  if (column->kind() == ExpressionKind::kAlias) column = column->children()[0];
  if (!expression::IsOrderable(*column->type())) {
    return UserError("INCOMPARABLE_PIVOT_COLUMN", {{"columnName", QuoteIdentifier(column->Sql(true))}});
  }
  ARROW_ASSIGN_OR_RAISE(ExpressionVector aggregates, expressions.ResolveItems(message.aggregate_expressions()));
  ExpressionVector values;
  ExpressionVector items;
  ExpressionVector grouping;
  bool from_sql = message.grouping_expressions_size() == 1 &&
                  message.grouping_expressions(0).has_unresolved_function() &&
                  message.grouping_expressions(0).unresolved_function().is_internal() &&
                  message.grouping_expressions(0).unresolved_function().function_name() == sql::kPivotValues;
  if (from_sql) {
    ARROW_ASSIGN_OR_RAISE(values,
                          expressions.ResolveAll(message.grouping_expressions(0).unresolved_function().arguments()));
    std::vector<expression::AttributeId> read = expression::References(*column);
    for (const ExpressionPtr& aggregate : aggregates) {
      std::vector<expression::AttributeId> ids = expression::References(*aggregate);
      read.insert(read.end(), ids.begin(), ids.end());
    }
    for (const AttributePtr& one : columns) {
      if (std::find(read.begin(), read.end(), one->id()) == read.end()) grouping.push_back(one);
    }
    items = grouping;
  } else {
    if (message.pivot().values_size() == 0) {
      ARROW_ASSIGN_OR_RAISE(values, DistinctValues(resolver, column, child));
    }
    for (const auto& literal : message.pivot().values()) {
      spark::connect::Expression wrapped;
      *wrapped.mutable_literal() = literal;
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, ResolveLiteral(wrapped));
      values.push_back(std::move(value));
    }
    ARROW_ASSIGN_OR_RAISE(ExpressionVector keys, expressions.ResolveAll(message.grouping_expressions()));
    for (const ExpressionPtr& key : keys) {
      items.push_back(ExpressionResolver::Name(key));
      grouping.push_back(key->kind() == ExpressionKind::kAlias ? key->children()[0] : key);
    }
  }
  for (const ExpressionPtr& aggregate : aggregates) {
    const ExpressionPtr& value = aggregate->kind() == ExpressionKind::kAlias ? aggregate->children()[0] : aggregate;
    arrow::Status grouped = CheckGrouped(*value, grouping, {});
    bool single_rows =
        IsErrorCondition(grouped, "MISSING_GROUP_BY") || IsErrorCondition(grouped, "MISSING_AGGREGATION");
    if (single_rows && from_sql) return UserError("_LEGACY_ERROR_TEMP_1006", {{"sql", value->Sql()}});
    ARROW_RETURN_NOT_OK(grouped);
    items.push_back(aggregate);
  }
  return MakePivot(column, values, std::move(grouping), std::move(items), std::move(child), eval);
}

}  // namespace millrace::analyzer
