#include "logical/node/groups_with_state.h"

namespace millrace::logical {

std::string_view GroupStateTimeoutName(GroupStateTimeout timeout) {
  static constexpr std::string_view kNames[] = {"NoTimeout", "ProcessingTimeTimeout", "EventTimeTimeout"};
  return kNames[static_cast<size_t>(timeout)];
}

ExpressionVector GroupsWithState::expressions() const {
  ExpressionVector all(columns_.keys.begin(), columns_.keys.end());
  all.insert(all.end(), columns_.values.begin(), columns_.values.end());
  return all;
}

PlanPtr GroupsWithState::WithExpressions(ExpressionVector expressions) const {
  GroupedColumns columns = columns_;
  size_t next = 0;
  for (AttributeVector* part : {&columns.keys, &columns.values}) {
    for (AttributePtr& column : *part) column = expression::ToAttribute(expressions[next++]);
  }
  return std::make_shared<GroupsWithState>(function_, std::move(columns), output(), child());
}

std::string GroupsWithState::Describe() const {
  std::string text = "FlatMapGroupsInPandasWithState " + function_.function->name + "(";
  text += DescribeAttributes(columns_.values) + "), " + DescribeAttributes(columns_.keys) + ", ";
  text += DescribeAttributes(output()) + ", " + function_.state_type->Sql() + ", ";
  return text + (function_.updates ? "Update, " : "Append, ") + std::string(GroupStateTimeoutName(function_.timeout));
}

}  // namespace millrace::logical
