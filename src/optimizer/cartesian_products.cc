#include "optimizer/cartesian_products.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "expression/node.h"
#include "logical/node/join.h"

namespace millrace::optimizer {

namespace {

using expression::ExpressionKind;
using expression::ExpressionPtr;
using logical::JoinType;

bool ReadsOne(const std::vector<expression::AttributeId>& ids, const expression::AttributeVector& columns) {
  return std::any_of(columns.begin(), columns.end(),
                     [&](const auto& column) { return std::find(ids.begin(), ids.end(), column->id()) != ids.end(); });
}

bool ReadsBoth(const ExpressionPtr& condition, const logical::Join& join) {
  if (condition->kind() == ExpressionKind::kLogical && static_cast<const expression::Logical&>(*condition).is_and()) {
    const auto& sides = condition->children();
    return std::any_of(sides.begin(), sides.end(), [&](const ExpressionPtr& side) { return ReadsBoth(side, join); });
  }
  std::vector<expression::AttributeId> ids = expression::References(*condition);
  return ReadsOne(ids, join.left()->output()) && ReadsOne(ids, join.right()->output());
}

const char* SqlName(JoinType type) {
  switch (type) {
    case JoinType::kLeftOuter:
      return "LEFT OUTER";
    case JoinType::kRightOuter:
      return "RIGHT OUTER";
    case JoinType::kFullOuter:
      return "FULL OUTER";
    default:
      return "INNER";
  }
}

}  // namespace

// Source: Spark, CheckCartesianProducts.
arrow::Status CheckCartesianProducts(const logical::Plan& optimized) {
  arrow::Status status;
  logical::VisitPlan(optimized, [&](const logical::Plan& node) {
    if (!status.ok() || node.kind() != logical::NodeKind::kJoin) return;
    const auto& join = static_cast<const logical::Join&>(node);
    JoinType type = join.type();
    bool checked = type == JoinType::kInner || type == JoinType::kLeftOuter || type == JoinType::kRightOuter ||
                   type == JoinType::kFullOuter;
    if (!checked || (join.condition() != nullptr && ReadsBoth(join.condition(), join))) return;
    status = UserError("_LEGACY_ERROR_TEMP_1211", {{"joinType", SqlName(type)},
                                                   {"leftPlan", logical::TreeString(*join.left())},
                                                   {"rightPlan", logical::TreeString(*join.right())}});
  });
  return status;
}

}  // namespace millrace::optimizer
