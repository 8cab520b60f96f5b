#pragma once

#include "logical/plan.h"

namespace millrace::logical {

/// One row for each value of `keys` (dropDuplicates).
class Deduplicate final : public Plan {
 public:
  Deduplicate(AttributeVector keys, bool within_watermark, PlanPtr child)
      : Plan(NodeKind::kDeduplicate, {child}, child->output()),
        keys_(std::move(keys)),
        within_watermark_(within_watermark) {}
  const AttributeVector& keys() const { return keys_; }
  bool within_watermark() const { return within_watermark_; }
  ExpressionVector expressions() const override { return {keys_.begin(), keys_.end()}; }
  PlanPtr WithExpressions(ExpressionVector expressions) const override;
  PlanPtr WithChildren(std::vector<PlanPtr> children) const override {
    return std::make_shared<Deduplicate>(keys_, within_watermark_, std::move(children[0]));
  }
  std::string Describe() const override;

 private:
  AttributeVector keys_;
  bool within_watermark_;
};

}  // namespace millrace::logical
