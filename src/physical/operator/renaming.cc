#include "physical/operator/renaming.h"

namespace millrace::physical {

bool MatchesRenaming(const logical::Plan& node) {
  return node.kind() == logical::NodeKind::kSubqueryAlias || node.kind() == logical::NodeKind::kWatermark;
}

arrow::Result<OperatorPtr> PlanRenaming(const logical::PlanPtr& node, const RequiredColumns& required,
                                        Planner& planner) {
  return planner.Plan(node->child(), required);
}

}  // namespace millrace::physical
