#pragma once

#include "logical/plan.h"

namespace millrace::logical {

/// Each row once for every projection, what becomes of it together: sliding windows, grouping sets, unpivot. Projection
/// items align with `output`.
class Expand final : public Plan {
 public:
  Expand(std::vector<ExpressionVector> projections, AttributeVector output, PlanPtr child)
      : Plan(NodeKind::kExpand, {std::move(child)}, std::move(output)), projections_(std::move(projections)) {}
  const std::vector<ExpressionVector>& projections() const { return projections_; }
  /// All projections, one after another.
  ExpressionVector expressions() const override;
  PlanPtr WithExpressions(ExpressionVector expressions) const override;
  PlanPtr WithChildren(std::vector<PlanPtr> children) const override {
    return std::make_shared<Expand>(projections_, output(), std::move(children[0]));
  }
  std::string Describe() const override;

 private:
  std::vector<ExpressionVector> projections_;
};

}  // namespace millrace::logical
