#include "logical/node/transform_with_state.h"

namespace millrace::logical {

ExpressionVector TransformWithState::expressions() const { return ExpressionsOf(inputs_); }

PlanPtr TransformWithState::WithExpressions(ExpressionVector expressions) const {
  return std::make_shared<TransformWithState>(processor_, WithColumns(inputs_, expressions), output(), children());
}

std::string TransformWithState::Describe() const {
  std::string text = "TransformWithState <processor>(";
  if (processor_.function != nullptr) text = "TransformWithStateInPySpark " + processor_.function->name + "(";
  text += DescribeAttributes(inputs_[0].values) + "), " + DescribeAttributes(inputs_[0].keys) + ", ";
  return text + DescribeAttributes(output()) + ", " + processor_.output_mode + ", " + processor_.time_mode;
}

}  // namespace millrace::logical
