#include "logical/node/limit.h"
#include "logical/node/local_relation.h"
#include "logical/node/project.h"
#include "optimizer/rule.h"

namespace millrace::optimizer {

namespace {

bool IsPlainLimit(const logical::Plan& node) {
  if (node.kind() != logical::NodeKind::kLimit) return false;
  const auto& limit = static_cast<const logical::Limit&>(node);
  return limit.limit().has_value() && limit.offset() == 0 && !limit.tail();
}

// A stream of which no row is wanted is not read, and no rows of it are counted. Its place in the offset log stays.
// Source: Spark, OptimizeLimitZero.
PlanPtr NoRowsOf(const logical::Limit& limit) {
  auto none = std::make_shared<const std::vector<logical::LocalRelation::Partition>>(1);
  return std::make_shared<logical::LocalRelation>(limit.output(), std::move(none), std::string(),
                                                  logical::LocalRelation::Rows::kComputed,
                                                  /*streaming=*/true);
}

}  // namespace

// LIMIT 5 of LIMIT 3 is LIMIT 3; a stream's LIMIT 0 is empty; LIMIT goes below a projection, where it meets ORDER BY.
arrow::Result<PlanPtr> CombineLimits(const PlanPtr& plan, const EvalContext&) {
  return logical::TransformUp(plan, [](const PlanPtr& node) -> PlanPtr {
    if (node->kind() != logical::NodeKind::kLimit) return nullptr;
    const auto& limit = static_cast<const logical::Limit&>(*node);
    if (node->is_streaming() && IsPlainLimit(*node) && *limit.limit() == 0) return NoRowsOf(limit);
    const PlanPtr& child = node->child();
    if (child->kind() == logical::NodeKind::kLocalRelation && child->is_streaming()) return child;
    if (child->kind() == logical::NodeKind::kProject) {
      const auto& project = static_cast<const logical::Project&>(*child);
      if (!AllDeterministic(project.items())) return nullptr;
      return std::make_shared<logical::Project>(project.items(), node->WithChildren({project.child()}));
    }
    if (!IsPlainLimit(*node) || child->kind() != logical::NodeKind::kLimit) return nullptr;
    const auto& lower = static_cast<const logical::Limit&>(*child);
    if (lower.tail()) return nullptr;
    int64_t fewest = std::min(*limit.limit(), lower.limit().value_or(*limit.limit()));
    return std::make_shared<logical::Limit>(fewest, lower.offset(), /*tail=*/false, lower.child());
  });
}

}  // namespace millrace::optimizer
