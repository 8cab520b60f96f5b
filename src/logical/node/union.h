#pragma once

#include "logical/plan.h"

namespace millrace::logical {

/// All rows of all children, by position. REQUIRES: same column types (the analyzer casts); output has its own ids.
class Union final : public Plan {
 public:
  Union(AttributeVector output, std::vector<PlanPtr> children);
  PlanPtr WithChildren(std::vector<PlanPtr> children) const override {
    return std::make_shared<Union>(output(), std::move(children));
  }
  std::string Describe() const override { return "Union"; }
};

}  // namespace millrace::logical
