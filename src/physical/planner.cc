#include "physical/planner.h"

#include <arrow/compute/initialize.h>

#include "base/error.h"
#include "physical/registry.h"

namespace millrace::physical {

arrow::Result<OperatorPtr> Planner::Plan(const logical::PlanPtr& node, const RequiredColumns& required) {
  if (options_.extension) {
    ARROW_ASSIGN_OR_RAISE(OperatorPtr planned, options_.extension(node, required, *this));
    if (planned != nullptr) return planned;
  }
  for (const OperatorRule& rule : OperatorRules()) {
    if (rule.matches(*node)) return rule.plan(node, required, *this);
  }
  return InternalError("no operator for " + node->Describe());
}

arrow::Result<OperatorPtr> PlanOperators(const logical::PlanPtr& plan, PlannerOptions options) {
  static const arrow::Status kernels = arrow::compute::Initialize();
  ARROW_RETURN_NOT_OK(kernels);
  // Spark takes projections below a limit.
  const logical::Plan* collected = plan.get();
  while (collected->kind() == logical::NodeKind::kProject) collected = collected->child().get();
  return Planner(std::move(options), collected).Plan(plan);
}

arrow::Result<OperatorPtr> PlanOperators(const logical::PlanPtr& plan, int parallelism) {
  return PlanOperators(plan, PlannerOptions{.parallelism = parallelism});
}

KeptColumns KeepRequired(const AttributeVector& input, const RequiredColumns& required) {
  KeptColumns kept;
  for (size_t i = 0; i < input.size(); ++i) {
    if (required.has_value() && required->count(input[i]->id()) == 0) continue;
    kept.indices.push_back(static_cast<int>(i));
    kept.columns.push_back(input[i]);
  }
  return kept;
}

void AddReferences(const expression::ExpressionVector& expressions, std::set<expression::AttributeId>* columns) {
  for (const expression::ExpressionPtr& expression : expressions) {
    for (expression::AttributeId id : expression::References(*expression)) columns->insert(id);
  }
}

}  // namespace millrace::physical
