#include "logical/node/groups_with_state.h"

namespace millrace::logical {

std::string_view GroupStateTimeoutName(GroupStateTimeout timeout) {
  static constexpr std::string_view kNames[] = {"NoTimeout", "ProcessingTimeTimeout", "EventTimeTimeout"};
  return kNames[static_cast<size_t>(timeout)];
}

ExpressionVector GroupsWithState::expressions() const { return ExpressionsOf(inputs_); }

PlanPtr GroupsWithState::WithExpressions(ExpressionVector expressions) const {
  return std::make_shared<GroupsWithState>(function_, WithColumns(inputs_, expressions), output(), children());
}

std::string GroupsWithState::Describe() const {
  std::string text = "FlatMapGroupsWithState <function>(";
  if (function_.function != nullptr) text = "FlatMapGroupsInPandasWithState " + function_.function->name + "(";
  text += DescribeAttributes(columns().values) + "), " + DescribeAttributes(columns().keys) + ", ";
  text += DescribeAttributes(output()) + ", " + function_.state_type->Sql() + ", ";
  return text + (function_.updates ? "Update, " : "Append, ") + std::string(GroupStateTimeoutName(function_.timeout));
}

}  // namespace millrace::logical
