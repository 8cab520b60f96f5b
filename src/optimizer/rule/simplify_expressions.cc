#include <optional>

#include "logical/node/filter.h"
#include "logical/node/local_relation.h"
#include "optimizer/rule.h"

namespace millrace::optimizer {

namespace {

// The value of a boolean literal; nullopt for NULL and for anything else.
std::optional<bool> BooleanLiteral(const ExpressionPtr& node) {
  if (node->kind() != ExpressionKind::kLiteral || node->type()->id() != types::TypeId::kBoolean) return std::nullopt;
  const auto& literal = static_cast<const expression::Literal&>(*node);
  if (literal.is_null()) return std::nullopt;
  return static_cast<const arrow::BooleanScalar&>(*literal.value()).value;
}

bool IsNullLiteral(const ExpressionPtr& node) {
  return node->kind() == ExpressionKind::kLiteral && static_cast<const expression::Literal&>(*node).is_null();
}

ExpressionPtr SimplifyLogical(const ExpressionPtr& node) {
  const auto& logical = static_cast<const expression::Logical&>(*node);
  const ExpressionPtr& left = node->children()[0];
  const ExpressionPtr& right = node->children()[1];
  // AND: true is neutral and false decides; OR: the other way round.
  bool neutral = logical.is_and();
  std::optional<bool> left_value = BooleanLiteral(left);
  std::optional<bool> right_value = BooleanLiteral(right);
  if (left_value.has_value()) return *left_value == neutral ? right : left;
  if (right_value.has_value()) return *right_value == neutral ? left : right;
  if (expression::SemanticallyEqual(*left, *right) && left->deterministic()) return left;
  return nullptr;
}

ExpressionPtr SimplifyCase(const ExpressionPtr& node) {
  const auto& choice = static_cast<const expression::CaseWhen&>(*node);
  const ExpressionVector& children = node->children();
  size_t num_branches = children.size() / 2;
  // Only the leading branches, so that the form (CASE or IF) need not change.
  size_t skipped = 0;
  for (; skipped < num_branches; ++skipped) {
    const ExpressionPtr& condition = children[skipped * 2];
    std::optional<bool> value = BooleanLiteral(condition);
    if (value == true) return children[skipped * 2 + 1];
    if (value != false && !IsNullLiteral(condition)) break;
  }
  if (skipped == 0) return nullptr;
  if (skipped == num_branches) {
    return choice.has_else() ? children.back() : expression::Literal::Null(node->type());
  }
  return std::make_shared<expression::CaseWhen>(
      ExpressionVector(children.begin() + static_cast<ptrdiff_t>(skipped * 2), children.end()), /*as_if=*/false);
}

ExpressionPtr Simplify(const ExpressionPtr& node) {
  switch (node->kind()) {
    case ExpressionKind::kLogical:
      return SimplifyLogical(node);
    case ExpressionKind::kCaseWhen:
      return SimplifyCase(node);
    case ExpressionKind::kCast: {
      const ExpressionPtr& child = static_cast<const expression::Cast&>(*node).child();
      return child->type()->Equals(*node->type()) ? child : nullptr;
    }
    default:
      return nullptr;
  }
}

}  // namespace

arrow::Result<PlanPtr> SimplifyExpressions(const PlanPtr& plan, const EvalContext&) {
  return logical::TransformUp(plan, [](const PlanPtr& node) -> PlanPtr {
    PlanPtr simpler =
        logical::MapExpressions(node, [](const ExpressionPtr& root) { return expression::Transform(root, Simplify); });
    if (simpler->kind() != logical::NodeKind::kFilter) return simpler;
    const ExpressionPtr& condition = static_cast<const logical::Filter&>(*simpler).condition();
    std::optional<bool> value = BooleanLiteral(condition);
    if (value == true) return simpler->child();
    // A stream stays one, whatever passes.
    if ((value == false || IsNullLiteral(condition)) && !simpler->is_streaming()) {
      return std::make_shared<logical::LocalRelation>(
          simpler->output(), std::make_shared<const std::vector<logical::LocalRelation::Partition>>(1));
    }
    return simpler;
  });
}

}  // namespace millrace::optimizer
