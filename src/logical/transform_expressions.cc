#include "logical/transform_expressions.h"

namespace millrace::logical {

PlanPtr TransformAllExpressions(const PlanPtr& plan,
                                const std::function<ExpressionPtr(const ExpressionPtr&)>& replace) {
  return TransformUp(plan, [&](const PlanPtr& node) {
    return MapExpressions(node, [&](const ExpressionPtr& root) { return expression::Transform(root, replace); });
  });
}

}  // namespace millrace::logical
