#pragma once

#include "logical/plan.h"

namespace millrace::logical {

/// Groups rows by `grouping` (any expressions; none: one group) and computes `items`: named expressions over
/// AggregateCalls and grouping expressions (matched by SemanticallyEqual).
class Aggregate final : public Plan {
 public:
  /// What the query said: INTERSECT and EXCEPT are aggregations below, and a stream refuses them by their own names;
  /// PIVOT counts as two, one above the other.
  enum class Origin : uint8_t { kGrouping, kPivot, kIntersect, kExcept, kExceptStream };

  Aggregate(ExpressionVector grouping, ExpressionVector items, PlanPtr child, Origin origin = Origin::kGrouping);
  Origin origin() const { return origin_; }
  const ExpressionVector& grouping() const { return grouping_; }
  const ExpressionVector& items() const { return items_; }
  /// grouping, then items.
  ExpressionVector expressions() const override;
  PlanPtr WithExpressions(ExpressionVector expressions) const override;
  PlanPtr WithChildren(std::vector<PlanPtr> children) const override {
    return std::make_shared<Aggregate>(grouping_, items_, std::move(children[0]), origin_);
  }
  std::string Describe() const override;

 private:
  ExpressionVector grouping_;
  ExpressionVector items_;
  Origin origin_;
};

}  // namespace millrace::logical
