#pragma once

#include "analyzer/operator_input.h"
#include "expression/eval_context.h"
#include "logical/node/aggregate.h"

namespace millrace::analyzer {

/// The items of an aggregate that grow by what expressions above it read: grouping keys and aggregates.
class AggregateItems {
 public:
  AggregateItems(ExpressionVector grouping, ExpressionVector items)
      : grouping_(std::move(grouping)), items_(std::move(items)) {}

  /// `root`, which was resolved over the aggregate's input, over the aggregate's output.
  ExpressionPtr Rewrite(const ExpressionPtr& root);
  /// Shows `column` under its own id, when it is a key.
  void Show(const AttributePtr& column);
  void Add(ExpressionPtr item) { items_.push_back(std::move(item)); }
  PlanPtr Aggregate(PlanPtr child) const {
    return std::make_shared<logical::Aggregate>(grouping_, items_, std::move(child));
  }

 private:
  ExpressionVector grouping_;
  ExpressionVector items_;
};

/// What an operator other than an aggregate reads of single rows. Errors: UNSUPPORTED_EXPR_FOR_OPERATOR.
arrow::Status CheckWithoutAggregates(const ExpressionVector& values);
arrow::Status CheckWithoutWindowFunctions(const OperatorInput& below);

/// Every column that an item reads must be grouped or inside an aggregate; `below` made the columns that are exempt.
/// Errors: MISSING_AGGREGATION, MISSING_GROUP_BY, NESTED_AGGREGATE_FUNCTION.
/// grouping(a) or grouping_id(…).
bool IsGroupingCall(const expression::Expression& value);
arrow::Status CheckGrouped(const expression::Expression& value, const ExpressionVector& grouping,
                           const OperatorInput& below);

/// The aggregate whose output is `items`, over `input` widened by `below`; window functions are computed above it.
arrow::Result<PlanPtr> MakeAggregate(ExpressionVector grouping, ExpressionVector items, PlanPtr input,
                                     OperatorInput below, const expression::EvalContext& eval);
/// The same where `child` has all that `below` makes but its window functions.
arrow::Result<PlanPtr> AggregateBelowWindows(ExpressionVector grouping, ExpressionVector items, PlanPtr child,
                                             OperatorInput below);

}  // namespace millrace::analyzer
