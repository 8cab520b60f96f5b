#include "logical/node/aggregate.h"
#include "logical/node/deduplicate.h"
#include "logical/node/expand.h"
#include "logical/node/project.h"
#include "logical/node/source_scan.h"
#include "logical/node/union.h"
#include "optimizer/rule.h"

namespace millrace::optimizer {

namespace {

using Columns = std::set<AttributeId>;
using logical::NodeKind;

void AddReferences(const ExpressionVector& expressions, Columns* columns) {
  for (const ExpressionPtr& expression : expressions) {
    for (AttributeId id : expression::References(*expression)) columns->insert(id);
  }
}

PlanPtr Prune(const PlanPtr& node, const Columns& needed);

ExpressionVector ItemsIn(const ExpressionVector& items, const Columns& needed) {
  ExpressionVector kept;
  for (const ExpressionPtr& item : items) {
    if (needed.count(expression::ToAttribute(item)->id()) > 0) kept.push_back(item);
  }
  return kept;
}

PlanPtr PruneProject(const PlanPtr& node, const Columns& needed) {
  const auto& project = static_cast<const logical::Project&>(*node);
  ExpressionVector items = ItemsIn(project.items(), needed);
  Columns below;
  AddReferences(items, &below);
  PlanPtr child = Prune(project.child(), below);
  if (child == project.child() && items.size() == project.items().size()) return node;
  return std::make_shared<logical::Project>(std::move(items), std::move(child));
}

PlanPtr PruneAggregate(const PlanPtr& node, const Columns& needed) {
  const auto& aggregate = static_cast<const logical::Aggregate&>(*node);
  ExpressionVector items = ItemsIn(aggregate.items(), needed);
  Columns below;
  AddReferences(items, &below);
  AddReferences(aggregate.grouping(), &below);
  PlanPtr child = Prune(aggregate.child(), below);
  if (child == aggregate.child() && items.size() == aggregate.items().size()) return node;
  return std::make_shared<logical::Aggregate>(aggregate.grouping(), std::move(items), std::move(child));
}

PlanPtr PruneUnion(const PlanPtr& node, const Columns& needed) {
  std::vector<size_t> kept;
  expression::AttributeVector output;
  for (size_t i = 0; i < node->output().size(); ++i) {
    if (needed.count(node->output()[i]->id()) == 0) continue;
    kept.push_back(i);
    output.push_back(node->output()[i]);
  }
  bool narrower = kept.size() < node->output().size();
  bool changed = narrower;
  std::vector<PlanPtr> children;
  for (const PlanPtr& child : node->children()) {
    if (!narrower) {
      children.push_back(Prune(child, IdsOf(child->output())));
      changed = changed || children.back() != child;
      continue;
    }
    // Columns go by position, so a projection keeps them apart from what else the child gives.
    ExpressionVector items;
    for (size_t i : kept) items.push_back(child->output()[i]);
    PlanPtr projected = std::make_shared<logical::Project>(std::move(items), child);
    children.push_back(Prune(projected, IdsOf(projected->output())));
  }
  return changed ? std::make_shared<logical::Union>(std::move(output), std::move(children)) : node;
}

PlanPtr PruneExpand(const PlanPtr& node, const Columns& needed) {
  const auto& expand = static_cast<const logical::Expand&>(*node);
  std::vector<ExpressionVector> projections(expand.projections().size());
  expression::AttributeVector output;
  for (size_t i = 0; i < node->output().size(); ++i) {
    if (needed.count(node->output()[i]->id()) == 0) continue;
    output.push_back(node->output()[i]);
    for (size_t p = 0; p < projections.size(); ++p) projections[p].push_back(expand.projections()[p][i]);
  }
  Columns below;
  for (const ExpressionVector& projection : projections) AddReferences(projection, &below);
  PlanPtr child = Prune(node->child(), below);
  if (child == node->child() && output.size() == node->output().size()) return node;
  return std::make_shared<logical::Expand>(std::move(projections), std::move(output), std::move(child));
}

// The column that costs least to read, for scans of which only the number of rows is wanted.
int CheapestColumn(const expression::AttributeVector& columns) {
  for (size_t i = 0; i < columns.size(); ++i) {
    const types::DataType& type = *columns[i]->type();
    if (type.is_integral() || type.is_datetime() || type.id() == types::TypeId::kBoolean) return static_cast<int>(i);
  }
  return 0;
}

PlanPtr PruneScan(const PlanPtr& node, const Columns& needed) {
  std::vector<int> kept;
  for (size_t i = 0; i < node->output().size(); ++i) {
    if (needed.count(node->output()[i]->id()) > 0) kept.push_back(static_cast<int>(i));
  }
  if (kept.size() == node->output().size()) return node;
  if (kept.empty()) kept.push_back(CheapestColumn(node->output()));
  if (kept.size() == node->output().size()) return node;
  return static_cast<const logical::SourceScan&>(*node).Prune(kept);
}

PlanPtr Exactly(PlanPtr child, const Columns& needed) {
  ExpressionVector items;
  for (const auto& column : child->output()) {
    if (needed.count(column->id()) > 0) items.push_back(column);
  }
  if (items.size() == child->output().size()) return child;
  return std::make_shared<logical::Project>(std::move(items), std::move(child));
}

// A streaming deduplication tells late rows by the event time among its child's columns, so it gets exactly those that
// Spark would leave there: what is read above, the keys, and for dropDuplicatesWithinWatermark the event time.
PlanPtr PruneDeduplicate(const PlanPtr& node, const Columns& needed) {
  Columns below = needed;
  AddReferences(node->expressions(), &below);
  if (static_cast<const logical::Deduplicate&>(*node).within_watermark()) {
    for (const auto& column : node->child()->output()) {
      if (column->metadata_json().find("spark.watermarkDelayMs") != std::string::npos) below.insert(column->id());
    }
  }
  PlanPtr child = Prune(node->child(), below);
  if (node->is_streaming()) child = Exactly(std::move(child), below);
  return child == node->child() ? node : node->WithChildren({std::move(child)});
}

// A join of two streams keeps all columns of its children in state: those that Spark leaves there, and no more.
PlanPtr PruneStreamingJoin(const PlanPtr& node, const Columns& needed) {
  Columns below = needed;
  AddReferences(node->expressions(), &below);
  PlanPtr left = Exactly(Prune(node->children()[0], below), below);
  PlanPtr right = Exactly(Prune(node->children()[1], below), below);
  if (left == node->children()[0] && right == node->children()[1]) return node;
  return node->WithChildren({std::move(left), std::move(right)});
}

PlanPtr Prune(const PlanPtr& node, const Columns& needed) {
  switch (node->kind()) {
    case NodeKind::kLocalRelation:
    case NodeKind::kRange:
      return node;
    case NodeKind::kSourceScan:
      return PruneScan(node, needed);
    case NodeKind::kProject:
      return PruneProject(node, needed);
    case NodeKind::kAggregate:
      return PruneAggregate(node, needed);
    case NodeKind::kUnion:
      return PruneUnion(node, needed);
    case NodeKind::kExpand:
      return PruneExpand(node, needed);
    case NodeKind::kDeduplicate:
      return PruneDeduplicate(node, needed);
    case NodeKind::kJoin:
      if (node->children()[0]->is_streaming() && node->children()[1]->is_streaming()) {
        return PruneStreamingJoin(node, needed);
      }
      break;
    default:
      break;
  }
  Columns below = needed;
  AddReferences(node->expressions(), &below);
  std::vector<PlanPtr> children;
  bool changed = false;
  for (const PlanPtr& child : node->children()) {
    children.push_back(Prune(child, below));
    changed = changed || children.back() != child;
  }
  return changed ? node->WithChildren(std::move(children)) : node;
}

}  // namespace

// Which columns each node needs of its children, from the top down to the scans.
arrow::Result<PlanPtr> PruneColumns(const PlanPtr& plan, const EvalContext&) {
  PlanPtr pruned = Prune(plan, IdsOf(plan->output()));
  if (pruned == plan || pruned->output().size() == plan->output().size()) return pruned;
  return std::make_shared<logical::Project>(ExpressionVector(plan->output().begin(), plan->output().end()),
                                            std::move(pruned));
}

}  // namespace millrace::optimizer
