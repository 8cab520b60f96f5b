#pragma once

#include "expression/native_function.h"
#include "logical/node/groups_in_python.h"
#include "logical/plan.h"

namespace millrace::logical {

/// When a group that gets no rows is handed to its function again.
enum class GroupStateTimeout : uint8_t { kNone, kProcessingTime, kEventTime };
/// "NoTimeout", "ProcessingTimeTimeout", "EventTimeTimeout".
std::string_view GroupStateTimeoutName(GroupStateTimeout timeout);

/// Hands each group of rows to a function together with the state it keeps for the group from one micro-batch to the
/// next: applyInPandasWithState of Python, mapGroupsWithState and flatMapGroupsWithState of C++. A second child, when
/// there is one, gives the state that groups begin with.
class GroupsWithState final : public Plan {
 public:
  struct Function {
    /// Of Python; null for one of C++.
    python::UserFunctionPtr function;
    python::EnvironmentPtr environment;
    expression::NativeFunctionPtr native = nullptr;
    /// Of C++: where among the grouping columns each field of its key is.
    std::vector<int> key_order = {};
    /// mapGroupsWithState: one row a group.
    bool maps = false;
    /// A struct: what a group's state is made of.
    types::DataTypePtr state_type;
    /// Its rows replace earlier ones of the group; otherwise they are final (append).
    bool updates = false;
    GroupStateTimeout timeout = GroupStateTimeout::kNone;

    /// What users call it.
    std::string_view name() const {
      return native == nullptr ? "applyInPandasWithState" : maps ? "mapGroupsWithState" : "flatMapGroupsWithState";
    }
  };

  GroupsWithState(Function function, std::vector<GroupedColumns> inputs, AttributeVector output,
                  std::vector<PlanPtr> children)
      : Plan(NodeKind::kGroupsWithState, std::move(children), std::move(output)),
        function_(std::move(function)),
        inputs_(std::move(inputs)) {}
  const Function& function() const { return function_; }
  const GroupedColumns& columns() const { return inputs_[0]; }
  /// One for each child.
  const std::vector<GroupedColumns>& inputs() const { return inputs_; }

  PlanPtr WithOutput(AttributeVector output) const {
    return std::make_shared<GroupsWithState>(function_, inputs_, std::move(output), children());
  }
  /// For each child its keys, then its values.
  ExpressionVector expressions() const override;
  PlanPtr WithExpressions(ExpressionVector expressions) const override;
  PlanPtr WithChildren(std::vector<PlanPtr> children) const override {
    return std::make_shared<GroupsWithState>(function_, inputs_, output(), std::move(children));
  }
  std::string Describe() const override;

 private:
  Function function_;
  std::vector<GroupedColumns> inputs_;
};

}  // namespace millrace::logical
