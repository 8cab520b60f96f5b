#pragma once

#include "logical/plan.h"
#include "python/environment.h"
#include "python/user_function.h"

namespace millrace::logical {

/// One input of GroupsInPython.
struct GroupedColumns {
  AttributeVector keys;
  /// What the function sees of a group, in its order; keys may be among them.
  AttributeVector values;
};

/// The columns of inputs, each one's keys before its values, and inputs with others in their place.
ExpressionVector ExpressionsOf(const std::vector<GroupedColumns>& inputs);
std::vector<GroupedColumns> WithColumns(std::vector<GroupedColumns> inputs, const ExpressionVector& expressions);

/// Hands each group of rows to a Python function, whose rows come in its place: applyInPandas, applyInArrow; with two
/// children the groups of equal keys of both (cogroup).
class GroupsInPython final : public Plan {
 public:
  GroupsInPython(python::UserFunctionPtr function, python::EnvironmentPtr environment,
                 std::vector<GroupedColumns> inputs, AttributeVector output, std::vector<PlanPtr> children)
      : Plan(NodeKind::kGroupsInPython, std::move(children), std::move(output)),
        function_(std::move(function)),
        environment_(std::move(environment)),
        inputs_(std::move(inputs)) {}
  const python::UserFunctionPtr& function() const { return function_; }
  const python::EnvironmentPtr& environment() const { return environment_; }
  /// One for each child.
  const std::vector<GroupedColumns>& inputs() const { return inputs_; }

  PlanPtr WithOutput(AttributeVector output) const {
    return std::make_shared<GroupsInPython>(function_, environment_, inputs_, std::move(output), children());
  }
  /// For each child its keys, then its values.
  ExpressionVector expressions() const override;
  PlanPtr WithExpressions(ExpressionVector expressions) const override;
  PlanPtr WithChildren(std::vector<PlanPtr> children) const override {
    return std::make_shared<GroupsInPython>(function_, environment_, inputs_, output(), std::move(children));
  }
  std::string Describe() const override;

 private:
  python::UserFunctionPtr function_;
  python::EnvironmentPtr environment_;
  std::vector<GroupedColumns> inputs_;
};

}  // namespace millrace::logical
