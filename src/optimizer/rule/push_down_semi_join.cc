#include <algorithm>

#include "logical/node/join.h"
#include "logical/node/project.h"
#include "logical/node/union.h"
#include "optimizer/rule.h"

namespace millrace::optimizer {

namespace {

using logical::Join;
using logical::JoinType;
using logical::NodeKind;

// A column of the condition that both sides show below would be ambiguous.
bool IsAmbiguous(const Join& join, const std::vector<PlanPtr>& below) {
  if (join.condition() == nullptr) return false;
  std::set<AttributeId> right = IdsOf(join.right()->output()), left;
  for (const PlanPtr& plan : below) left.merge(IdsOf(plan->output()));
  std::vector<AttributeId> read = expression::References(*join.condition());
  return std::any_of(read.begin(), read.end(),
                     [&](AttributeId id) { return left.count(id) > 0 && right.count(id) > 0; });
}

PlanPtr Below(const Join& join, const PlanPtr& left, const Substitution& columns) {
  ExpressionPtr condition = join.condition() == nullptr ? nullptr : Substitute(join.condition(), columns);
  return std::make_shared<Join>(join.type(), std::move(condition), left, join.right());
}

PlanPtr ThroughProject(const Join& join) {
  const auto& project = static_cast<const logical::Project&>(*join.left());
  Substitution aliases = AliasesOf(project.items());
  bool plain =
      std::all_of(aliases.begin(), aliases.end(), [](const auto& alias) { return alias.second->children().empty(); });
  if (!AllDeterministic(project.items()) || (join.condition() != nullptr && !plain)) return nullptr;
  if (IsAmbiguous(join, {project.child()})) return nullptr;
  return std::make_shared<logical::Project>(project.items(), Below(join, project.child(), aliases));
}

PlanPtr ThroughUnion(const Join& join) {
  const PlanPtr& all = join.left();
  if (IsAmbiguous(join, all->children())) return nullptr;
  std::vector<PlanPtr> joined;
  for (const PlanPtr& child : all->children()) {
    Substitution columns;
    for (size_t i = 0; i < all->output().size(); ++i) columns[all->output()[i]->id()] = child->output()[i];
    joined.push_back(Below(join, child, columns));
  }
  return all->WithChildren(std::move(joined));
}

// To the one side of the join below that the condition reads, where all rows of that side come out.
PlanPtr ThroughJoin(const Join& join) {
  const auto& lower = static_cast<const Join&>(*join.left());
  bool inner = lower.type() == JoinType::kInner || lower.type() == JoinType::kCross;
  if (join.condition() == nullptr) return nullptr;
  std::set<AttributeId> left = IdsOf(lower.left()->output()), right = IdsOf(lower.right()->output());
  bool reads_left = false, reads_right = false;
  for (AttributeId id : expression::References(*join.condition())) {
    reads_left = reads_left || left.count(id) > 0;
    reads_right = reads_right || right.count(id) > 0;
  }
  if (reads_left && !reads_right && (inner || lower.type() == JoinType::kLeftOuter)) {
    return lower.WithChildren({Below(join, lower.left(), {}), lower.right()});
  }
  if (reads_right && !reads_left && (inner || lower.type() == JoinType::kRightOuter)) {
    return lower.WithChildren({lower.left(), Below(join, lower.right(), {})});
  }
  return nullptr;
}

}  // namespace

// A left semi join of two streams goes as far down as Spark takes it, because state is kept there: by its columns and
// with its number. For other joins the place makes no difference. Source: Spark, PushDownLeftSemiAntiJoin and
// PushLeftSemiLeftAntiThroughJoin.
arrow::Result<PlanPtr> PushDownSemiJoin(const PlanPtr& plan, const EvalContext&) {
  return logical::TransformUp(plan, [](const PlanPtr& node) -> PlanPtr {
    if (node->kind() != NodeKind::kJoin) return nullptr;
    const auto& join = static_cast<const Join&>(*node);
    if (join.type() != JoinType::kLeftSemi || !join.left()->is_streaming() || !join.right()->is_streaming()) {
      return nullptr;
    }
    switch (join.left()->kind()) {
      case NodeKind::kProject:
        return ThroughProject(join);
      case NodeKind::kUnion:
        return ThroughUnion(join);
      case NodeKind::kJoin:
        return ThroughJoin(join);
      default:
        return nullptr;
    }
  });
}

}  // namespace millrace::optimizer
