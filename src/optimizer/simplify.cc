#include "optimizer/simplify.h"

#include "logical/node/local_relation.h"
#include "logical/node/project.h"
#include "optimizer/rule.h"

namespace millrace::optimizer {

arrow::Result<ExpressionPtr> Simplify(const ExpressionPtr& value, const EvalContext& context) {
  auto no_rows = std::make_shared<const std::vector<logical::LocalRelation::Partition>>();
  PlanPtr plan = std::make_shared<logical::Project>(
      ExpressionVector{std::make_shared<expression::Alias>(value, "value")},
      std::make_shared<logical::LocalRelation>(expression::AttributeVector{}, std::move(no_rows)));
  for (auto* rule : {FoldConstants, SimplifyExpressions, UnwrapCast, FoldConstants}) {
    ARROW_ASSIGN_OR_RAISE(plan, rule(plan, context));
  }
  const ExpressionPtr item = plan->expressions().front();
  return item->kind() == ExpressionKind::kAlias ? item->children()[0] : item;
}

}  // namespace millrace::optimizer
