#include "logical/node/aggregate.h"

namespace millrace::logical {

namespace {

AttributeVector OutputOf(const ExpressionVector& items) {
  AttributeVector output;
  output.reserve(items.size());
  for (const ExpressionPtr& item : items) output.push_back(expression::ToAttribute(item));
  return output;
}

}  // namespace

Aggregate::Aggregate(ExpressionVector grouping, ExpressionVector items, PlanPtr child, Origin origin)
    : Plan(NodeKind::kAggregate, {std::move(child)}, OutputOf(items)),
      grouping_(std::move(grouping)),
      items_(std::move(items)),
      origin_(origin) {}

ExpressionVector Aggregate::expressions() const {
  ExpressionVector all = grouping_;
  all.insert(all.end(), items_.begin(), items_.end());
  return all;
}

PlanPtr Aggregate::WithExpressions(ExpressionVector expressions) const {
  auto middle = expressions.begin() + static_cast<ptrdiff_t>(grouping_.size());
  return std::make_shared<Aggregate>(ExpressionVector(expressions.begin(), middle),
                                     ExpressionVector(middle, expressions.end()), child(), origin_);
}

std::string Aggregate::Describe() const {
  return "Aggregate " + DescribeExpressions(grouping_) + ", " + DescribeExpressions(items_);
}

}  // namespace millrace::logical
