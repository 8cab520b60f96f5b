#pragma once

#include "logical/node/groups_in_python.h"
#include "logical/plan.h"

namespace millrace::logical {

/// When a group that gets no rows is handed to its function again.
enum class GroupStateTimeout : uint8_t { kNone, kProcessingTime, kEventTime };
/// "NoTimeout", "ProcessingTimeTimeout", "EventTimeTimeout".
std::string_view GroupStateTimeoutName(GroupStateTimeout timeout);

/// Hands each group of rows to a Python function together with the state it keeps for the group from one micro-batch to
/// the next: applyInPandasWithState.
class GroupsWithState final : public Plan {
 public:
  struct Function {
    python::UserFunctionPtr function;
    python::EnvironmentPtr environment;
    /// A struct: what a group's state is made of.
    types::DataTypePtr state_type;
    /// Its rows replace earlier ones of the group; otherwise they are final (append).
    bool updates = false;
    GroupStateTimeout timeout = GroupStateTimeout::kNone;
  };

  GroupsWithState(Function function, GroupedColumns columns, AttributeVector output, PlanPtr child)
      : Plan(NodeKind::kGroupsWithState, {std::move(child)}, std::move(output)),
        function_(std::move(function)),
        columns_(std::move(columns)) {}
  const Function& function() const { return function_; }
  const GroupedColumns& columns() const { return columns_; }

  PlanPtr WithOutput(AttributeVector output) const {
    return std::make_shared<GroupsWithState>(function_, columns_, std::move(output), child());
  }
  /// The keys, then the values.
  ExpressionVector expressions() const override;
  PlanPtr WithExpressions(ExpressionVector expressions) const override;
  PlanPtr WithChildren(std::vector<PlanPtr> children) const override {
    return std::make_shared<GroupsWithState>(function_, columns_, output(), std::move(children[0]));
  }
  std::string Describe() const override;

 private:
  Function function_;
  GroupedColumns columns_;
};

}  // namespace millrace::logical
