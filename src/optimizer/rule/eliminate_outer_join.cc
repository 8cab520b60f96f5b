#include "logical/node/filter.h"
#include "logical/node/join.h"
#include "optimizer/rule.h"

namespace millrace::optimizer {

namespace {

using logical::JoinType;

// Whether no row whose `side` columns are all NULL passes: the conjunct is false or NULL for it.
bool RejectsNulls(const ExpressionPtr& conjunct, const std::set<AttributeId>& side, const EvalContext& context) {
  if (!conjunct->deterministic() || expression::References(*conjunct).empty() || !ReadsOnly(conjunct, side)) {
    return false;
  }
  ExpressionPtr with_nulls = expression::Transform(conjunct, [](const ExpressionPtr& node) -> ExpressionPtr {
    return node->kind() == ExpressionKind::kAttribute ? expression::Literal::Null(node->type()) : nullptr;
  });
  if (!with_nulls->foldable()) return false;
  arrow::Result<std::shared_ptr<arrow::Scalar>> value = expression::EvaluateFoldable(*with_nulls, context);
  if (!value.ok()) return false;
  if (!(*value)->is_valid) return true;
  return (*value)->type->id() == arrow::Type::BOOL && !static_cast<const arrow::BooleanScalar&>(**value).value;
}

}  // namespace

// Source: Spark, EliminateOuterJoin.
arrow::Result<PlanPtr> EliminateOuterJoin(const PlanPtr& plan, const EvalContext& context) {
  return logical::TransformUp(plan, [&](const PlanPtr& node) -> PlanPtr {
    if (node->kind() != logical::NodeKind::kFilter || node->child()->kind() != logical::NodeKind::kJoin) {
      return nullptr;
    }
    const auto& filter = static_cast<const logical::Filter&>(*node);
    const auto& join = static_cast<const logical::Join&>(*node->child());
    JoinType type = join.type();
    if (type != JoinType::kLeftOuter && type != JoinType::kRightOuter && type != JoinType::kFullOuter) return nullptr;
    std::set<AttributeId> left = IdsOf(join.left()->output());
    std::set<AttributeId> right = IdsOf(join.right()->output());
    bool needs_left = false, needs_right = false;
    for (const ExpressionPtr& conjunct : logical::SplitConjuncts(filter.condition())) {
      needs_left = needs_left || RejectsNulls(conjunct, left, context);
      needs_right = needs_right || RejectsNulls(conjunct, right, context);
    }
    JoinType narrower = type;
    if (type == JoinType::kLeftOuter && needs_right) narrower = JoinType::kInner;
    if (type == JoinType::kRightOuter && needs_left) narrower = JoinType::kInner;
    if (type == JoinType::kFullOuter) {
      if (needs_left && needs_right)
        narrower = JoinType::kInner;
      else if (needs_left)
        narrower = JoinType::kLeftOuter;
      else if (needs_right)
        narrower = JoinType::kRightOuter;
    }
    if (narrower == type) return nullptr;
    return std::make_shared<logical::Filter>(
        filter.condition(), std::make_shared<logical::Join>(narrower, join.condition(), join.left(), join.right()));
  });
}

}  // namespace millrace::optimizer
