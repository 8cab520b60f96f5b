#include "expression/aggregate.h"
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

PlanPtr Collapse(const PlanPtr& node) {
  if (node->kind() != logical::NodeKind::kProject || node->child()->kind() != logical::NodeKind::kProject) {
    return nullptr;
  }
  const auto& upper = static_cast<const logical::Project&>(*node);
  const auto& lower = static_cast<const logical::Project&>(*node->child());
  Substitution aliases = AliasesOf(lower.items());
  std::map<AttributeId, int> uses;
  for (const ExpressionPtr& item : upper.items()) CountUses(item, &uses);
  for (const auto& [id, expression] : aliases) {
    auto it = uses.find(id);
    if (it == uses.end()) {
      // Dropping a draw would shift no one else's: each call draws for itself.
      continue;
    }
    if (!expression->deterministic()) return nullptr;
    if (it->second > 1 && !IsCheap(expression)) return nullptr;
  }
  ExpressionVector items;
  for (const ExpressionPtr& item : upper.items()) {
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
  return std::make_shared<logical::Project>(std::move(items), lower.child());
}

}  // namespace

// A lower item that several upper ones use is left where it is computed once, unless it costs nothing.
arrow::Result<PlanPtr> CollapseProjects(const PlanPtr& plan, const EvalContext&) {
  return logical::TransformUp(plan, Collapse);
}

}  // namespace millrace::optimizer
