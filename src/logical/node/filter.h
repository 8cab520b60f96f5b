#pragma once

#include "logical/plan.h"

namespace millrace::logical {

/// Keeps the rows for which a boolean expression is true (not NULL).
class Filter final : public Plan {
 public:
  Filter(ExpressionPtr condition, PlanPtr child);
  const ExpressionPtr& condition() const { return condition_; }
  ExpressionVector expressions() const override { return {condition_}; }
  PlanPtr WithExpressions(ExpressionVector e) const override { return std::make_shared<Filter>(e[0], child()); }
  PlanPtr WithChildren(std::vector<PlanPtr> children) const override {
    return std::make_shared<Filter>(condition_, std::move(children[0]));
  }
  std::string Describe() const override;

 private:
  ExpressionPtr condition_;
};

}  // namespace millrace::logical
