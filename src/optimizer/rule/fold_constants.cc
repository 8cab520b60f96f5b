#include "expression/call.h"
#include "logical/transform_expressions.h"
#include "optimizer/rule.h"

namespace millrace::optimizer {

namespace {

// Functions without arguments are moments of the run: a streaming plan outlives them.
bool CallsWithoutArguments(const expression::Expression& root) {
  if (root.kind() == ExpressionKind::kCall && root.children().empty()) return true;
  for (const ExpressionPtr& child : root.children()) {
    if (CallsWithoutArguments(*child)) return true;
  }
  return false;
}

bool CanFold(const expression::Expression& node) {
  switch (node.kind()) {
    case ExpressionKind::kCall:
    case ExpressionKind::kCast:
    case ExpressionKind::kCaseWhen:
    case ExpressionKind::kLogical:
    case ExpressionKind::kHigherOrderCall:
      return node.foldable() && node.deterministic();
    default:
      return false;
  }
}

}  // namespace

// An expression that cannot be computed stays: it raises only if a row reaches it.
arrow::Result<PlanPtr> FoldConstants(const PlanPtr& plan, const EvalContext& context) {
  bool streaming = plan->is_streaming();
  auto fold = [&](const ExpressionPtr& node) -> ExpressionPtr {
    if (!CanFold(*node) || (streaming && CallsWithoutArguments(*node))) return nullptr;
    arrow::Result<std::shared_ptr<arrow::Scalar>> value = expression::EvaluateFoldable(*node, context);
    if (!value.ok()) return nullptr;
    return std::make_shared<expression::Literal>(node->type(), *std::move(value));
  };
  return logical::TransformAllExpressions(plan, fold);
}

}  // namespace millrace::optimizer
