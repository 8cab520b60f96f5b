#include <algorithm>
#include <optional>

#include "expression/aggregate.h"
#include "logical/node/aggregate.h"
#include "logical/node/project.h"
#include "optimizer/rule.h"

namespace millrace::optimizer {

namespace {

void CountUses(const ExpressionPtr& root, std::map<AttributeId, int>* uses) {
  if (root->kind() == ExpressionKind::kAttribute) {
    ++(*uses)[static_cast<const expression::AttributeReference&>(*root).id()];
  }
  for (const ExpressionPtr& child : root->children()) CountUses(child, uses);
}

/// The upper items over what `lower` computes its items from; nullopt where something would be computed twice.
std::optional<ExpressionVector> Inlined(const ExpressionVector& upper, const ExpressionVector& lower) {
  Substitution aliases = AliasesOf(lower);
  std::map<AttributeId, int> uses;
  for (const ExpressionPtr& item : upper) CountUses(item, &uses);
  for (const auto& [id, expression] : aliases) {
    auto it = uses.find(id);
    if (it == uses.end()) {
      // Dropping a draw would shift no one else's: each call draws for itself.
      continue;
    }
    if (!expression->deterministic()) return std::nullopt;
    if (it->second > 1 && !IsCheap(expression)) return std::nullopt;
  }
  ExpressionVector items;
  for (const ExpressionPtr& item : upper) {
    if (item->kind() == ExpressionKind::kAttribute) {
      // A passed-through alias keeps its name and id.
      auto it = aliases.find(static_cast<const expression::AttributeReference&>(*item).id());
      if (it == aliases.end()) {
        items.push_back(item);
        continue;
      }
      expression::AttributePtr shown = expression::ToAttribute(item);
      items.push_back(
          std::make_shared<expression::Alias>(it->second, shown->name(), shown->id(), shown->metadata_json()));
    } else {
      items.push_back(Substitute(item, aliases));
    }
  }
  return items;
}

bool HasPythonUdf(const ExpressionVector& items) {
  return std::any_of(items.begin(), items.end(),
                     [](const ExpressionPtr& item) { return expression::Contains(*item, ExpressionKind::kPythonUdf); });
}

PlanPtr Collapse(const PlanPtr& node) {
  if (node->kind() != logical::NodeKind::kProject) return nullptr;
  const auto& upper = static_cast<const logical::Project&>(*node);
  if (node->child()->kind() == logical::NodeKind::kProject) {
    const auto& lower = static_cast<const logical::Project&>(*node->child());
    std::optional<ExpressionVector> items = Inlined(upper.items(), lower.items());
    if (!items) return nullptr;
    return std::make_shared<logical::Project>(std::move(*items), lower.child());
  }
  // The buffers of a streaming aggregation lie in its state in the order in which its functions appear, and Spark looks
  // for them in what the projection above wants.
  if (node->child()->kind() == logical::NodeKind::kAggregate && node->child()->is_streaming()) {
    const auto& lower = static_cast<const logical::Aggregate&>(*node->child());
    if (HasPythonUdf(upper.items()) || HasPythonUdf(lower.items())) return nullptr;
    std::optional<ExpressionVector> items = Inlined(upper.items(), lower.items());
    if (!items) return nullptr;
    return std::make_shared<logical::Aggregate>(lower.grouping(), std::move(*items), lower.child());
  }
  return nullptr;
}

}  // namespace

// A lower item that several upper ones use is left where it is computed once, unless it costs nothing.
arrow::Result<PlanPtr> CollapseProjects(const PlanPtr& plan, const EvalContext&) {
  return logical::TransformUp(plan, Collapse);
}

}  // namespace millrace::optimizer
