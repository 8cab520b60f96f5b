#include "logical/node/join.h"

namespace millrace::logical {

const char* JoinTypeName(JoinType type) {
  switch (type) {
    case JoinType::kInner:
      return "Inner";
    case JoinType::kLeftOuter:
      return "LeftOuter";
    case JoinType::kRightOuter:
      return "RightOuter";
    case JoinType::kFullOuter:
      return "FullOuter";
    case JoinType::kLeftSemi:
      return "LeftSemi";
    case JoinType::kLeftAnti:
      return "LeftAnti";
    case JoinType::kCross:
      return "Cross";
  }
  return "";
}

namespace {

void Append(const AttributeVector& side, bool made_nullable, AttributeVector* output) {
  for (const AttributePtr& column : side) {
    output->push_back(made_nullable && !column->nullable() ? column->WithNullable(true) : column);
  }
}

AttributeVector OutputOf(JoinType type, const Plan& left, const Plan& right) {
  AttributeVector output;
  Append(left.output(), type == JoinType::kRightOuter || type == JoinType::kFullOuter, &output);
  if (type == JoinType::kLeftSemi || type == JoinType::kLeftAnti) return output;
  Append(right.output(), type == JoinType::kLeftOuter || type == JoinType::kFullOuter, &output);
  return output;
}

}  // namespace

Join::Join(JoinType type, ExpressionPtr condition, PlanPtr left, PlanPtr right)
    : Plan(NodeKind::kJoin, {left, right}, OutputOf(type, *left, *right)),
      type_(type),
      condition_(std::move(condition)) {}

ExpressionVector Join::expressions() const {
  if (condition_ == nullptr) return {};
  return {condition_};
}

PlanPtr Join::WithExpressions(ExpressionVector expressions) const {
  return std::make_shared<Join>(type_, expressions.empty() ? nullptr : std::move(expressions[0]), left(), right());
}

std::string Join::Describe() const {
  std::string out = fmt::format("Join {}", JoinTypeName(type_));
  if (condition_ != nullptr) out += ", " + DescribeExpression(condition_);
  return out;
}

}  // namespace millrace::logical
