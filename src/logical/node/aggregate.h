#pragma once

#include "logical/plan.h"

namespace millrace::logical {

/// Groups rows by `grouping` (any expressions; none: one group) and computes `items`: named expressions over
/// AggregateCalls and grouping expressions (matched by SemanticallyEqual).
class Aggregate final : public Plan {
 public:
  Aggregate(ExpressionVector grouping, ExpressionVector items, PlanPtr child);
  const ExpressionVector& grouping() const { return grouping_; }
  const ExpressionVector& items() const { return items_; }
  /// grouping, then items.
  ExpressionVector expressions() const override;
  PlanPtr WithExpressions(ExpressionVector expressions) const override;
  PlanPtr WithChildren(std::vector<PlanPtr> children) const override {
    return std::make_shared<Aggregate>(grouping_, items_, std::move(children[0]));
  }
  std::string Describe() const override;

 private:
  ExpressionVector grouping_;
  ExpressionVector items_;
};

}  // namespace millrace::logical
