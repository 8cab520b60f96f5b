#pragma once

#include "logical/plan.h"

namespace millrace::logical {

/// Each row once for every projection: sliding windows, grouping sets. Projection items align with `output`.
class Expand final : public Plan {
 public:
  /// `keeps_order`: what becomes of a row stays together, as users of unpivot see it; without it a batch comes out once
  /// for every projection, which is cheaper and enough below an aggregation.
  Expand(std::vector<ExpressionVector> projections, AttributeVector output, PlanPtr child, bool keeps_order = false)
      : Plan(NodeKind::kExpand, {std::move(child)}, std::move(output)),
        projections_(std::move(projections)),
        keeps_order_(keeps_order) {}
  const std::vector<ExpressionVector>& projections() const { return projections_; }
  bool keeps_order() const { return keeps_order_; }
  /// All projections, one after another.
  ExpressionVector expressions() const override;
  PlanPtr WithExpressions(ExpressionVector expressions) const override;
  PlanPtr WithChildren(std::vector<PlanPtr> children) const override {
    return std::make_shared<Expand>(projections_, output(), std::move(children[0]), keeps_order_);
  }
  std::string Describe() const override;

 private:
  std::vector<ExpressionVector> projections_;
  bool keeps_order_;
};

}  // namespace millrace::logical
