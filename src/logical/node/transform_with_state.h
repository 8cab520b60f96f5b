#pragma once

#include "expression/native_function.h"
#include "logical/node/groups_in_python.h"
#include "logical/plan.h"

namespace millrace::logical {

/// Hands each group of rows to a processor of the user's, in Python or C++, which keeps variables and timers for the
/// group: transformWithState, transformWithStateInPandas. A second child, when there is one, gives the state that
/// groups begin with.
class TransformWithState final : public Plan {
 public:
  struct Processor {
    /// Of Python; null for one of C++.
    python::UserFunctionPtr function;
    python::EnvironmentPtr environment;
    expression::NativeFunctionPtr native = nullptr;
    /// Of C++: where among the grouping columns each field of its key is.
    std::vector<int> key_order = {};
    /// "append", "update", "complete": kept with the state, and must not change.
    std::string output_mode;
    /// "none", "processingtime", "eventtime".
    std::string time_mode;
  };

  TransformWithState(Processor processor, std::vector<GroupedColumns> inputs, AttributeVector output,
                     std::vector<PlanPtr> children)
      : Plan(NodeKind::kTransformWithState, std::move(children), std::move(output)),
        processor_(std::move(processor)),
        inputs_(std::move(inputs)) {}
  const Processor& processor() const { return processor_; }
  /// One for each child.
  const std::vector<GroupedColumns>& inputs() const { return inputs_; }

  PlanPtr WithOutput(AttributeVector output) const {
    return std::make_shared<TransformWithState>(processor_, inputs_, std::move(output), children());
  }
  /// For each child its keys, then its values.
  ExpressionVector expressions() const override;
  PlanPtr WithExpressions(ExpressionVector expressions) const override;
  PlanPtr WithChildren(std::vector<PlanPtr> children) const override {
    return std::make_shared<TransformWithState>(processor_, inputs_, output(), std::move(children));
  }
  std::string Describe() const override;

 private:
  Processor processor_;
  std::vector<GroupedColumns> inputs_;
};

}  // namespace millrace::logical
