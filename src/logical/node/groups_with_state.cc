#include "logical/node/groups_with_state.h"

namespace millrace::logical {

std::string_view GroupStateTimeoutName(GroupStateTimeout timeout) {
  static constexpr std::string_view kNames[] = {"NoTimeout", "ProcessingTimeTimeout", "EventTimeTimeout"};
  return kNames[static_cast<size_t>(timeout)];
}

ExpressionVector GroupsWithState::expressions() const { return ExpressionsOf({columns_}); }

PlanPtr GroupsWithState::WithExpressions(ExpressionVector expressions) const {
  return std::make_shared<GroupsWithState>(function_, WithColumns({columns_}, expressions)[0], output(), child());
}

std::string GroupsWithState::Describe() const {
  std::string text = "FlatMapGroupsInPandasWithState " + function_.function->name + "(";
  text += DescribeAttributes(columns_.values) + "), " + DescribeAttributes(columns_.keys) + ", ";
  text += DescribeAttributes(output()) + ", " + function_.state_type->Sql() + ", ";
  return text + (function_.updates ? "Update, " : "Append, ") + std::string(GroupStateTimeoutName(function_.timeout));
}

}  // namespace millrace::logical
