#include "optimizer/rule.h"

namespace millrace::optimizer {

// Names are resolved, so qualifiers have done their work.
arrow::Result<PlanPtr> EliminateSubqueryAlias(const PlanPtr& plan, const EvalContext&) {
  if (plan->kind() == logical::NodeKind::kSubqueryAlias) return EliminateSubqueryAlias(plan->child(), {});
  return logical::TransformUp(plan, [](const PlanPtr& node) -> PlanPtr {
    return node->kind() == logical::NodeKind::kSubqueryAlias ? node->child() : nullptr;
  });
}

}  // namespace millrace::optimizer
