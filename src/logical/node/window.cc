#include "logical/node/window.h"

namespace millrace::logical {

namespace {

AttributeVector OutputOf(const AttributeVector& input, const std::vector<WindowFunction>& functions) {
  AttributeVector output = input;
  for (const WindowFunction& function : functions) output.push_back(function.column);
  return output;
}

}  // namespace

Window::Window(WindowSpec spec, std::vector<WindowFunction> functions, PlanPtr child)
    : Plan(NodeKind::kWindow, {child}, OutputOf(child->output(), functions)),
      spec_(std::move(spec)),
      functions_(std::move(functions)) {}

ExpressionVector Window::expressions() const {
  ExpressionVector all = spec_.partition;
  for (const expression::SortOrder& order : spec_.order) all.push_back(order.child);
  for (const WindowFunction& function : functions_) {
    all.insert(all.end(), function.arguments.begin(), function.arguments.end());
    if (function.frame.lower.key != nullptr) all.push_back(function.frame.lower.key);
    if (function.frame.upper.key != nullptr) all.push_back(function.frame.upper.key);
  }
  return all;
}

PlanPtr Window::WithExpressions(ExpressionVector expressions) const {
  WindowSpec spec = spec_;
  std::vector<WindowFunction> functions = functions_;
  size_t next = 0;
  for (ExpressionPtr& key : spec.partition) key = expressions[next++];
  for (expression::SortOrder& order : spec.order) order.child = expressions[next++];
  for (WindowFunction& function : functions) {
    for (ExpressionPtr& argument : function.arguments) argument = expressions[next++];
    if (function.frame.lower.key != nullptr) function.frame.lower.key = expressions[next++];
    if (function.frame.upper.key != nullptr) function.frame.upper.key = expressions[next++];
  }
  return std::make_shared<Window>(std::move(spec), std::move(functions), child());
}

std::string Window::Describe() const {
  std::string made;
  for (const WindowFunction& function : functions_) {
    if (!made.empty()) made += ", ";
    made += DescribeAttribute(*function.column);
  }
  std::string order;
  for (const expression::SortOrder& key : spec_.order) {
    if (!order.empty()) order += ", ";
    order += DescribeSortOrder(key);
  }
  return fmt::format("Window [{}], {}, [{}]", made, DescribeExpressions(spec_.partition), order);
}

}  // namespace millrace::logical
