#include "logical/node/aggregate.h"
#include "logical/node/filter.h"
#include "logical/node/generate.h"
#include "logical/node/join.h"
#include "logical/node/project.h"
#include "logical/node/union.h"
#include "logical/node/watermark.h"
#include "optimizer/rule.h"

namespace millrace::optimizer {

namespace {

using logical::JoinType;
using logical::NodeKind;

PlanPtr FilterOver(const ExpressionVector& conjuncts, PlanPtr child) {
  if (conjuncts.empty()) return child;
  return std::make_shared<logical::Filter>(logical::JoinConjuncts(conjuncts), std::move(child));
}

// Parts conjuncts into those that go down and those that stay. One that can fail may be guarded by those before it, so
// it goes only when all of them go; and a non-deterministic one ends the walk, as its draws go by the rows that reach
// it.
struct Parted {
  ExpressionVector down;
  ExpressionVector stay;
};
template <typename MayPush>
Parted Part(const ExpressionVector& conjuncts, MayPush may_push) {
  Parted parted;
  bool drew = false;
  for (const ExpressionPtr& conjunct : conjuncts) {
    drew = drew || !conjunct->deterministic();
    bool guarded = conjunct->can_fail() && !parted.stay.empty();
    (!drew && !guarded && may_push(conjunct) ? parted.down : parted.stay).push_back(conjunct);
  }
  return parted;
}

PlanPtr ThroughProject(const logical::Filter& filter) {
  const auto& project = static_cast<const logical::Project&>(*filter.child());
  if (!AllDeterministic(project.items())) return nullptr;
  Substitution aliases = AliasesOf(project.items());
  // An expensive item would be computed twice: in the filter below and in the projection.
  auto may_push = [&](const ExpressionPtr& conjunct) {
    for (AttributeId id : expression::References(*conjunct)) {
      auto it = aliases.find(id);
      if (it != aliases.end() && !IsCheap(it->second)) return false;
    }
    return true;
  };
  Parted parted = Part(logical::SplitConjuncts(filter.condition()), may_push);
  if (parted.down.empty()) return nullptr;
  for (ExpressionPtr& conjunct : parted.down) conjunct = Substitute(conjunct, aliases);
  return FilterOver(parted.stay,
                    std::make_shared<logical::Project>(project.items(), FilterOver(parted.down, project.child())));
}

PlanPtr ThroughAggregate(const logical::Filter& filter) {
  const auto& aggregate = static_cast<const logical::Aggregate&>(*filter.child());
  if (aggregate.grouping().empty() || !AllDeterministic(aggregate.grouping())) return nullptr;
  Substitution keys;
  std::set<AttributeId> key_columns;
  for (const ExpressionPtr& item : aggregate.items()) {
    ExpressionPtr value = item->kind() == ExpressionKind::kAlias ? item->children()[0] : item;
    for (const ExpressionPtr& group : aggregate.grouping()) {
      if (!expression::SemanticallyEqual(*group, *value)) continue;
      AttributeId id = expression::ToAttribute(item)->id();
      keys[id] = value;
      key_columns.insert(id);
    }
  }
  Parted parted = Part(logical::SplitConjuncts(filter.condition()), [&](const ExpressionPtr& conjunct) {
    return !expression::References(*conjunct).empty() && ReadsOnly(conjunct, key_columns);
  });
  if (parted.down.empty()) return nullptr;
  for (ExpressionPtr& conjunct : parted.down) conjunct = Substitute(conjunct, keys);
  return FilterOver(parted.stay, aggregate.WithChildren({FilterOver(parted.down, aggregate.child())}));
}

PlanPtr ThroughUnion(const logical::Filter& filter) {
  const logical::Plan& node = *filter.child();
  if (!filter.condition()->deterministic()) return nullptr;
  std::vector<PlanPtr> children;
  for (const PlanPtr& child : node.children()) {
    Substitution columns;
    for (size_t i = 0; i < node.output().size(); ++i) columns[node.output()[i]->id()] = child->output()[i];
    children.push_back(std::make_shared<logical::Filter>(Substitute(filter.condition(), columns), child));
  }
  return node.WithChildren(std::move(children));
}

// For nodes whose rows are a part, a copy or another order of their child's: those conjuncts that read only `columns`.
PlanPtr ThroughRows(const logical::Filter& filter, const std::set<AttributeId>& columns) {
  const logical::Plan& node = *filter.child();
  Parted parted = Part(logical::SplitConjuncts(filter.condition()),
                       [&](const ExpressionPtr& conjunct) { return ReadsOnly(conjunct, columns); });
  if (parted.down.empty()) return nullptr;
  return FilterOver(parted.stay, node.WithChildren({FilterOver(parted.down, node.child())}));
}

PlanPtr ThroughJoin(const logical::Filter& filter) {
  const auto& join = static_cast<const logical::Join&>(*filter.child());
  JoinType type = join.type();
  bool to_left = type != JoinType::kRightOuter && type != JoinType::kFullOuter;
  bool to_right = type == JoinType::kInner || type == JoinType::kCross || type == JoinType::kRightOuter;
  std::set<AttributeId> left = IdsOf(join.left()->output());
  std::set<AttributeId> right = IdsOf(join.right()->output());
  ExpressionVector left_down, right_down, into_condition;
  auto may_push = [&](const ExpressionPtr& conjunct) {
    // Below a join it would see rows that have no partner, and might fail for them.
    if (conjunct->can_fail() || expression::References(*conjunct).empty()) return false;
    if (ReadsOnly(conjunct, left)) return to_left;
    if (ReadsOnly(conjunct, right)) return to_right;
    return type == JoinType::kInner || type == JoinType::kCross;
  };
  Parted parted = Part(logical::SplitConjuncts(filter.condition()), may_push);
  if (parted.down.empty()) return nullptr;
  for (const ExpressionPtr& conjunct : parted.down) {
    if (ReadsOnly(conjunct, left)) {
      left_down.push_back(conjunct);
    } else if (ReadsOnly(conjunct, right)) {
      right_down.push_back(conjunct);
    } else {
      into_condition.push_back(conjunct);
    }
  }
  ExpressionPtr condition = join.condition();
  if (!into_condition.empty()) {
    ExpressionVector all = logical::SplitConjuncts(condition);
    all.insert(all.end(), into_condition.begin(), into_condition.end());
    condition = logical::JoinConjuncts(all);
    type = JoinType::kInner;
  }
  auto pushed = std::make_shared<logical::Join>(type, std::move(condition), FilterOver(left_down, join.left()),
                                                FilterOver(right_down, join.right()));
  return FilterOver(parted.stay, std::move(pushed));
}

PlanPtr PushOne(const PlanPtr& node) {
  if (node->kind() != NodeKind::kFilter) return nullptr;
  const auto& filter = static_cast<const logical::Filter&>(*node);
  const PlanPtr& child = filter.child();
  switch (child->kind()) {
    case NodeKind::kProject:
      return ThroughProject(filter);
    case NodeKind::kAggregate:
      return ThroughAggregate(filter);
    case NodeKind::kUnion:
      return ThroughUnion(filter);
    case NodeKind::kJoin:
      return ThroughJoin(filter);
    case NodeKind::kSort:
    case NodeKind::kRepartition:
      return ThroughRows(filter, IdsOf(child->output()));
    case NodeKind::kGenerate:
      return ThroughRows(filter, IdsOf(child->child()->output()));
    case NodeKind::kDeduplicate: {
      // That of a stream remembers all keys: only that of a batch is an aggregation in Spark.
      if (child->is_streaming()) return nullptr;
      std::set<AttributeId> keys;
      for (const ExpressionPtr& key : child->expressions()) keys.insert(expression::ToAttribute(key)->id());
      return ThroughRows(filter, keys);
    }
    case NodeKind::kWatermark: {
      // What the filter drops must still move the watermark when it reads the event time.
      std::set<AttributeId> columns = IdsOf(child->output());
      columns.erase(static_cast<const logical::Watermark&>(*child).event_time()->id());
      return ThroughRows(filter, columns);
    }
    default:
      return nullptr;
  }
}

// A filter that went one node down may go further.
PlanPtr PushAll(const PlanPtr& node) {
  PlanPtr pushed = PushOne(node);
  if (pushed == nullptr) return node;
  return logical::TransformUp(pushed, [](const PlanPtr& below) {
    PlanPtr further = PushOne(below);
    return further;
  });
}

}  // namespace

arrow::Result<PlanPtr> PushDownFilter(const PlanPtr& plan, const EvalContext&) {
  PlanPtr node = PushAll(plan);
  std::vector<PlanPtr> children;
  bool changed = false;
  for (const PlanPtr& child : node->children()) {
    ARROW_ASSIGN_OR_RAISE(PlanPtr pushed, PushDownFilter(child, {}));
    changed = changed || pushed != child;
    children.push_back(std::move(pushed));
  }
  return changed ? node->WithChildren(std::move(children)) : node;
}

}  // namespace millrace::optimizer
