#pragma once

#include "logical/plan.h"

namespace millrace::logical {

/// Adds to each row what Python functions of one kind make of it: a column for each call.
class EvalPython final : public Plan {
 public:
  /// `calls` are PythonUdf expressions; an argument that is a call itself is made in the same worker.
  EvalPython(ExpressionVector calls, AttributeVector results, PlanPtr child);
  const ExpressionVector& calls() const { return calls_; }
  const AttributeVector& results() const { return results_; }
  ExpressionVector expressions() const override { return calls_; }
  PlanPtr WithExpressions(ExpressionVector calls) const override {
    return std::make_shared<EvalPython>(std::move(calls), results_, child());
  }
  PlanPtr WithChildren(std::vector<PlanPtr> children) const override {
    return std::make_shared<EvalPython>(calls_, results_, std::move(children[0]));
  }
  std::string Describe() const override;

 private:
  ExpressionVector calls_;
  AttributeVector results_;
};

}  // namespace millrace::logical
