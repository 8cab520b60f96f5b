#include "logical/node/filter.h"
#include "optimizer/rule.h"

namespace millrace::optimizer {

arrow::Result<PlanPtr> CombineFilters(const PlanPtr& plan, const EvalContext&) {
  return logical::TransformUp(plan, [](const PlanPtr& node) -> PlanPtr {
    if (node->kind() != logical::NodeKind::kFilter || node->child()->kind() != logical::NodeKind::kFilter) {
      return nullptr;
    }
    const auto& upper = static_cast<const logical::Filter&>(*node);
    const auto& lower = static_cast<const logical::Filter&>(*node->child());
    if (!upper.condition()->deterministic() || !lower.condition()->deterministic()) return nullptr;
    // The lower one first: it may guard the upper one against rows it fails for.
    ExpressionVector conjuncts = logical::SplitConjuncts(lower.condition());
    for (const ExpressionPtr& conjunct : logical::SplitConjuncts(upper.condition())) {
      bool known = std::any_of(conjuncts.begin(), conjuncts.end(), [&](const ExpressionPtr& other) {
        return expression::SemanticallyEqual(*other, *conjunct);
      });
      if (!known) conjuncts.push_back(conjunct);
    }
    return std::make_shared<logical::Filter>(logical::JoinConjuncts(conjuncts), lower.child());
  });
}

}  // namespace millrace::optimizer
