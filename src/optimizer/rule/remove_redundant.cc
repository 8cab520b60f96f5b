#include "logical/node/project.h"
#include "logical/node/repartition.h"
#include "logical/node/sort.h"
#include "optimizer/rule.h"

namespace millrace::optimizer {

namespace {

// A projection of exactly the columns below it.
bool ChangesNothing(const logical::Project& project) {
  const auto& columns = project.child()->output();
  if (project.items().size() != columns.size()) return false;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (project.items()[i]->kind() != ExpressionKind::kAttribute) return false;
    const auto& item = static_cast<const expression::AttributeReference&>(*project.items()[i]);
    if (item.id() != columns[i]->id() || item.name() != columns[i]->name() ||
        item.metadata_json() != columns[i]->metadata_json()) {
      return false;
    }
  }
  return true;
}

PlanPtr Remove(const PlanPtr& node) {
  switch (node->kind()) {
    case logical::NodeKind::kProject:
      return ChangesNothing(static_cast<const logical::Project&>(*node)) ? node->child() : nullptr;
    case logical::NodeKind::kSort: {
      const auto& sort = static_cast<const logical::Sort&>(*node);
      if (sort.orders().empty()) return sort.child();
      // Ordered anew: no one sees the order below (which is not a tie-breaker either in Spark).
      if (sort.global() && sort.child()->kind() == logical::NodeKind::kSort) {
        return sort.WithChildren({sort.child()->child()});
      }
      return nullptr;
    }
    case logical::NodeKind::kRepartition: {
      const auto& outer = static_cast<const logical::Repartition&>(*node);
      if (!outer.shuffle() || node->child()->kind() != logical::NodeKind::kRepartition) return nullptr;
      return node->WithChildren({node->child()->child()});
    }
    default:
      return nullptr;
  }
}

}  // namespace

arrow::Result<PlanPtr> RemoveRedundant(const PlanPtr& plan, const EvalContext&) {
  return logical::TransformUp(plan, Remove);
}

}  // namespace millrace::optimizer
