#include "analyzer/aggregate_items.h"

#include <algorithm>

#include "analyzer/analyzer.h"
#include "base/error.h"
#include "expression/aggregate.h"
#include "expression/call.h"
#include "function/function_def.h"
#include "logical/node/project.h"

namespace millrace::analyzer {

using expression::Alias;
using expression::ExpressionKind;

ExpressionPtr AggregateItems::Rewrite(const ExpressionPtr& root) {
  bool is_group = std::any_of(grouping_.begin(), grouping_.end(),
                              [&](const ExpressionPtr& group) { return expression::SemanticallyEqual(*group, *root); });
  if (is_group || root->kind() == ExpressionKind::kAggregateCall) {
    for (const ExpressionPtr& item : items_) {
      const expression::Expression& value = item->kind() == ExpressionKind::kAlias ? *item->children()[0] : *item;
      if (expression::SemanticallyEqual(value, *root)) return expression::ToAttribute(item);
    }
    bool named = root->kind() == ExpressionKind::kAttribute;
    items_.push_back(named ? root : std::make_shared<Alias>(root, root->Sql(true)));
    return expression::ToAttribute(items_.back());
  }
  if (root->children().empty()) return root;
  ExpressionVector children;
  bool changed = false;
  for (const ExpressionPtr& child : root->children()) {
    children.push_back(Rewrite(child));
    changed = changed || children.back() != child;
  }
  return changed ? root->WithChildren(std::move(children)) : root;
}

void AggregateItems::Show(const AttributePtr& column) {
  bool is_key = std::any_of(grouping_.begin(), grouping_.end(),
                            [&](const ExpressionPtr& group) { return expression::SemanticallyEqual(*group, *column); });
  bool shown = std::any_of(items_.begin(), items_.end(), [&](const ExpressionPtr& item) {
    return expression::ToAttribute(item)->id() == column->id();
  });
  if (is_key && !shown) items_.push_back(column);
}

arrow::Status CheckWithoutAggregates(const ExpressionVector& values) {
  std::string list;
  for (const ExpressionPtr& value : values) {
    expression::Visit(*value, [&](const expression::Expression& node) {
      if (node.kind() != ExpressionKind::kAggregateCall) return true;
      list += (list.empty() ? "" : ", ") + QuoteSqlExpression(node.Sql(true));
      return false;
    });
  }
  return list.empty() ? arrow::Status::OK() : UserError("UNSUPPORTED_EXPR_FOR_OPERATOR", {{"invalidExprSqls", list}});
}

arrow::Status CheckWithoutWindowFunctions(const OperatorInput& below) {
  if (below.window_functions.empty()) return arrow::Status::OK();
  return UserError("UNSUPPORTED_EXPR_FOR_OPERATOR",
                   {{"invalidExprSqls", QuoteSqlExpression(below.window_functions.FirstText())}});
}

bool IsGroupingCall(const expression::Expression& value) {
  if (value.kind() != ExpressionKind::kCall) return false;
  const std::string& name = static_cast<const expression::Call&>(value).name();
  return name == "grouping" || name == "grouping_id";
}

arrow::Status CheckGrouped(const expression::Expression& value, const ExpressionVector& grouping,
                           const OperatorInput& below) {
  for (const ExpressionPtr& group : grouping) {
    if (expression::SemanticallyEqual(*group, value)) return arrow::Status::OK();
  }
  if (value.kind() == ExpressionKind::kAggregateCall) {
    for (const ExpressionPtr& child : value.children()) {
      if (expression::Contains(*child, ExpressionKind::kAggregateCall)) return UserError("NESTED_AGGREGATE_FUNCTION");
      if (below.window_functions.ReadsAny(*child)) return UserError("_LEGACY_ERROR_TEMP_1031");
      if (!child->deterministic()) {
        return UserError("AGGREGATE_FUNCTION_WITH_NONDETERMINISTIC_EXPRESSION",
                         {{"sqlExpr", QuoteSqlExpression(value.Sql(true))}});
      }
    }
    return arrow::Status::OK();
  }
  if (value.kind() == ExpressionKind::kAttribute) {
    if (below.window_functions.ReadsAny(value)) return arrow::Status::OK();
    if (grouping.empty()) return UserError("MISSING_GROUP_BY");
    const auto& attribute = static_cast<const expression::AttributeReference&>(value);
    return UserError("MISSING_AGGREGATION",
                     {{"expression", QuoteSqlExpression(attribute.Sql(true))},
                      {"expressionAnyValue", QuoteSqlExpression("any_value(" + attribute.Sql(true) + ")")}});
  }
  if (value.kind() == ExpressionKind::kLambdaFunction || IsGroupingCall(value)) return arrow::Status::OK();
  for (const ExpressionPtr& child : value.children()) ARROW_RETURN_NOT_OK(CheckGrouped(*child, grouping, below));
  return arrow::Status::OK();
}

arrow::Result<PlanPtr> MakeAggregate(ExpressionVector grouping, ExpressionVector items, PlanPtr input,
                                     OperatorInput below, const expression::EvalContext& eval) {
  ARROW_ASSIGN_OR_RAISE(PlanPtr child, below.ApplyBelowWindows(std::move(input), eval));
  if (below.time_windows.is_session()) {
    const AttributePtr& session = below.time_windows.column();
    ExpressionVector others;
    for (const ExpressionPtr& key : grouping) {
      if (!expression::SemanticallyEqual(*key, *session)) others.push_back(key);
    }
    // In a stream the sessions are merged where they are kept.
    if (others.size() < grouping.size() && !child->is_streaming()) {
      child = below.time_windows.MergeSessions(std::move(child), others);
    }
  }
  return AggregateBelowWindows(std::move(grouping), std::move(items), std::move(child), std::move(below));
}

arrow::Result<PlanPtr> AggregateBelowWindows(ExpressionVector grouping, ExpressionVector items, PlanPtr child,
                                             OperatorInput below) {
  if (below.window_functions.empty()) {
    return std::make_shared<logical::Aggregate>(std::move(grouping), std::move(items), std::move(child));
  }
  // Items with window functions are computed above; the aggregate gives what they read.
  ExpressionVector inner;
  for (const ExpressionPtr& item : items) {
    if (!below.window_functions.ReadsAny(*item)) inner.push_back(item);
  }
  AggregateItems aggregate(std::move(grouping), std::move(inner));
  ExpressionVector shown;
  for (const ExpressionPtr& item : items) {
    shown.push_back(below.window_functions.ReadsAny(*item) ? aggregate.Rewrite(item) : expression::ToAttribute(item));
  }
  below.window_functions.Rewrite([&](const ExpressionPtr& value) { return aggregate.Rewrite(value); });
  ARROW_ASSIGN_OR_RAISE(PlanPtr windowed, below.window_functions.Apply(aggregate.Aggregate(std::move(child))));
  return std::make_shared<logical::Project>(std::move(shown), std::move(windowed));
}

}  // namespace millrace::analyzer
