#pragma once

#include "logical/plan.h"

namespace millrace::logical {

/// Orders rows over the whole result (`global`) or within each partition.
class Sort final : public Plan {
 public:
  Sort(std::vector<expression::SortOrder> orders, bool global, PlanPtr child);
  const std::vector<expression::SortOrder>& orders() const { return orders_; }
  bool global() const { return global_; }
  ExpressionVector expressions() const override;
  PlanPtr WithExpressions(ExpressionVector expressions) const override;
  PlanPtr WithChildren(std::vector<PlanPtr> children) const override {
    return std::make_shared<Sort>(orders_, global_, std::move(children[0]));
  }
  std::string Describe() const override;

 private:
  std::vector<expression::SortOrder> orders_;
  bool global_;
};

}  // namespace millrace::logical
