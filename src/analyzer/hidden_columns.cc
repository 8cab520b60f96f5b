#include <algorithm>

#include "analyzer/metadata_columns.h"
#include "analyzer/relation_resolver.h"
#include "logical/node/join.h"
#include "logical/node/project.h"

/// Columns that a plan leaves out of its rows and can show: keys of USING joins, metadata of sources.

namespace millrace::analyzer {

using logical::NodeKind;

namespace {

bool Has(const AttributeVector& columns, const expression::AttributePtr& column) {
  return std::any_of(columns.begin(), columns.end(), [&](const auto& one) { return one->id() == column->id(); });
}

// Operators over which a key that a join hides can still be named.
// Source: Spark, LogicalPlan.metadataOutput and the nodes that override it.
bool PassesHidden(NodeKind kind) {
  switch (kind) {
    case NodeKind::kProject:
    case NodeKind::kFilter:
    case NodeKind::kSort:
    case NodeKind::kLimit:
    case NodeKind::kSample:
    case NodeKind::kDeduplicate:
    case NodeKind::kRepartition:
    case NodeKind::kJoin:
    case NodeKind::kWatermark:
      return true;
    default:
      return false;
  }
}

}  // namespace

AttributeVector RelationResolver::KeysBelow(const PlanPtr& plan) const {
  if (hidden_.empty()) return {};
  for (const auto& [node, columns] : hidden_) {
    if (node == plan) return columns;
  }
  AttributeVector keys;
  if (!PassesHidden(plan->kind())) return keys;
  for (size_t i = 0; i < plan->children().size(); ++i) {
    for (auto& column : KeysBelow(plan->children()[i])) {
      if (plan->kind() == NodeKind::kJoin) {
        auto type = static_cast<const logical::Join&>(*plan).type();
        if (i == 1 && (type == logical::JoinType::kLeftSemi || type == logical::JoinType::kLeftAnti)) continue;
        bool missing = type == logical::JoinType::kFullOuter ||
                       type == (i == 0 ? logical::JoinType::kRightOuter : logical::JoinType::kLeftOuter);
        if (missing) column = column->WithNullable(true);
      }
      if (!Has(keys, column)) keys.push_back(std::move(column));
    }
  }
  return keys;
}

const AttributeVector* RelationResolver::HiddenOf(const PlanPtr& plan) {
  for (const auto* known : {&hidden_, &passed_, &metadata_}) {
    for (const auto& [node, columns] : *known) {
      if (node == plan) return &columns;
    }
  }
  AttributeVector keys = KeysBelow(plan);
  std::erase_if(keys, [&](const auto& key) { return Has(plan->output(), key); });
  if (!keys.empty()) return &passed_.emplace_back(plan, std::move(keys)).second;
  AttributeVector columns = MetadataColumnsOf(plan);
  if (columns.empty()) return nullptr;
  return &metadata_.emplace_back(plan, std::move(columns)).second;
}

bool RelationResolver::HidesKeys(const PlanPtr& plan) const {
  auto is_plan = [&](const auto& entry) { return entry.first == plan; };
  return std::any_of(hidden_.begin(), hidden_.end(), is_plan) || std::any_of(passed_.begin(), passed_.end(), is_plan);
}

PlanPtr RelationResolver::WithKeys(const PlanPtr& plan, const AttributeVector& keys) {
  const AttributeVector* hides = nullptr;
  for (const auto& [node, columns] : hidden_) {
    if (node == plan) hides = &columns;
  }
  if (hides == nullptr && !PassesHidden(plan->kind())) return plan;
  std::vector<PlanPtr> children = plan->children();
  for (PlanPtr& child : children) {
    if (hides == nullptr) child = WithKeys(child, keys);
  }
  if (plan->kind() != NodeKind::kProject) return plan->WithChildren(std::move(children));
  expression::ExpressionVector items = static_cast<const logical::Project&>(*plan).items();
  for (const auto& column : children[0]->output()) {
    if (Has(keys, column) && !Has(plan->output(), column)) items.push_back(column);
  }
  PlanPtr shown = std::make_shared<logical::Project>(std::move(items), std::move(children[0]));
  if (hides != nullptr) Hide(shown, *hides);
  return shown;
}

PlanPtr RelationResolver::WithHidden(const PlanPtr& plan, const OperatorInput& below) {
  if (below.carried != nullptr) return below.carried;
  if (!below.reads_hidden) return plan;
  return HidesKeys(plan) ? WithKeys(plan, *below.hidden) : ShowMetadataColumns(plan, *below.hidden);
}

}  // namespace millrace::analyzer
