#pragma once

#include "logical/plan.h"

namespace millrace::logical {

/// Computes named expressions (Alias or AttributeReference) of each row.
class Project final : public Plan {
 public:
  Project(ExpressionVector items, PlanPtr child);
  const ExpressionVector& items() const { return items_; }
  ExpressionVector expressions() const override { return items_; }
  PlanPtr WithExpressions(ExpressionVector items) const override {
    return std::make_shared<Project>(std::move(items), child());
  }
  PlanPtr WithChildren(std::vector<PlanPtr> children) const override {
    return std::make_shared<Project>(items_, std::move(children[0]));
  }
  std::string Describe() const override;

 private:
  ExpressionVector items_;
};

}  // namespace millrace::logical
