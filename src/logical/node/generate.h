#pragma once

#include "logical/plan.h"

namespace millrace::logical {

/// For each row, the rows a GeneratorCall makes of it, beside the row's own columns. `outer`: a row for which the
/// generator makes nothing stays, with NULLs.
class Generate final : public Plan {
 public:
  Generate(ExpressionPtr generator, bool outer, AttributeVector generated, PlanPtr child);
  const ExpressionPtr& generator() const { return generator_; }
  bool outer() const { return outer_; }
  const AttributeVector& generated() const { return generated_; }
  ExpressionVector expressions() const override { return {generator_}; }
  PlanPtr WithExpressions(ExpressionVector e) const override {
    return std::make_shared<Generate>(e[0], outer_, generated_, child());
  }
  PlanPtr WithChildren(std::vector<PlanPtr> children) const override {
    return std::make_shared<Generate>(generator_, outer_, generated_, std::move(children[0]));
  }
  std::string Describe() const override;

 private:
  ExpressionPtr generator_;
  bool outer_;
  AttributeVector generated_;
};

}  // namespace millrace::logical
