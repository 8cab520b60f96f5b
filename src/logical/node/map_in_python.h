#pragma once

#include "logical/plan.h"
#include "python/environment.h"
#include "python/user_function.h"

namespace millrace::logical {

/// Hands the rows of each partition to a Python function, whose rows come in their place (mapInPandas, mapInArrow).
class MapInPython final : public Plan {
 public:
  /// `input`: the columns the function sees, in their order.
  MapInPython(python::UserFunctionPtr function, python::EnvironmentPtr environment, AttributeVector input,
              AttributeVector output, PlanPtr child)
      : Plan(NodeKind::kMapInPython, {std::move(child)}, std::move(output)),
        function_(std::move(function)),
        environment_(std::move(environment)),
        input_(std::move(input)) {}
  const python::UserFunctionPtr& function() const { return function_; }
  const python::EnvironmentPtr& environment() const { return environment_; }
  const AttributeVector& input() const { return input_; }

  PlanPtr WithOutput(AttributeVector output) const {
    return std::make_shared<MapInPython>(function_, environment_, input_, std::move(output), child());
  }
  ExpressionVector expressions() const override { return {input_.begin(), input_.end()}; }
  PlanPtr WithExpressions(ExpressionVector input) const override;
  PlanPtr WithChildren(std::vector<PlanPtr> children) const override {
    return std::make_shared<MapInPython>(function_, environment_, input_, output(), std::move(children[0]));
  }
  std::string Describe() const override;

 private:
  python::UserFunctionPtr function_;
  python::EnvironmentPtr environment_;
  AttributeVector input_;
};

}  // namespace millrace::logical
