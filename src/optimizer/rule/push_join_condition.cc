#include "logical/node/filter.h"
#include "logical/node/join.h"
#include "optimizer/rule.h"

namespace millrace::optimizer {

namespace {

using logical::JoinType;

PlanPtr FilterOver(const ExpressionVector& conjuncts, PlanPtr child) {
  if (conjuncts.empty()) return child;
  return std::make_shared<logical::Filter>(logical::JoinConjuncts(conjuncts), std::move(child));
}

}  // namespace

// Conjuncts of ON that read one side only filter that side, unless its unmatched rows are kept.
arrow::Result<PlanPtr> PushJoinCondition(const PlanPtr& plan, const EvalContext&) {
  return logical::TransformUp(plan, [](const PlanPtr& node) -> PlanPtr {
    if (node->kind() != logical::NodeKind::kJoin) return nullptr;
    const auto& join = static_cast<const logical::Join&>(*node);
    if (join.condition() == nullptr || !join.condition()->deterministic()) return nullptr;
    JoinType type = join.type();
    bool to_left = type == JoinType::kInner || type == JoinType::kCross || type == JoinType::kRightOuter ||
                   type == JoinType::kLeftSemi;
    bool to_right = type != JoinType::kRightOuter && type != JoinType::kFullOuter;
    std::set<AttributeId> left = IdsOf(join.left()->output());
    std::set<AttributeId> right = IdsOf(join.right()->output());
    ExpressionVector left_down, right_down, stay;
    for (const ExpressionPtr& conjunct : logical::SplitConjuncts(join.condition())) {
      bool may_go = !conjunct->can_fail() && !expression::References(*conjunct).empty();
      if (may_go && to_left && ReadsOnly(conjunct, left)) {
        left_down.push_back(conjunct);
      } else if (may_go && to_right && ReadsOnly(conjunct, right)) {
        right_down.push_back(conjunct);
      } else {
        stay.push_back(conjunct);
      }
    }
    if (left_down.empty() && right_down.empty()) return nullptr;
    return std::make_shared<logical::Join>(type, logical::JoinConjuncts(stay), FilterOver(left_down, join.left()),
                                           FilterOver(right_down, join.right()));
  });
}

}  // namespace millrace::optimizer
