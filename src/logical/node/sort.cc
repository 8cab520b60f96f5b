#include "logical/node/sort.h"

namespace millrace::logical {

Sort::Sort(std::vector<expression::SortOrder> orders, bool global, PlanPtr child)
    : Plan(NodeKind::kSort, {child}, child->output()), orders_(std::move(orders)), global_(global) {}

ExpressionVector Sort::expressions() const {
  ExpressionVector keys;
  for (const expression::SortOrder& order : orders_) keys.push_back(order.child);
  return keys;
}

PlanPtr Sort::WithExpressions(ExpressionVector expressions) const {
  std::vector<expression::SortOrder> orders = orders_;
  for (size_t i = 0; i < orders.size(); ++i) orders[i].child = std::move(expressions[i]);
  return std::make_shared<Sort>(std::move(orders), global_, child());
}

std::string Sort::Describe() const {
  std::string keys;
  for (const expression::SortOrder& order : orders_) {
    if (!keys.empty()) keys += ", ";
    keys += DescribeSortOrder(order);
  }
  return fmt::format("Sort [{}], {}", keys, global_);
}

}  // namespace millrace::logical
