#pragma once

#include "optimizer/rule.h"

/// What is known of the rows of a plan. Source: Spark, QueryPlanConstraints.

namespace millrace::optimizer {

/// Deterministic predicates that hold for every row, each once.
class Constraints {
 public:
  void Add(const ExpressionPtr& predicate);
  void AddAll(const Constraints& other);
  bool Has(const expression::Expression& predicate) const;
  const ExpressionVector& all() const { return predicates_; }

 private:
  ExpressionVector predicates_;
};

/// What follows from the `known` where columns are equal: `a = b` and `a > 5` tell `b > 5`.
void AddInferred(const Constraints& known, Constraints* out);

/// isnotnull of the columns and their fields, those of `output` that can be NULL, of which `known` predicates could not be true else.
arrow::Status AddNotNull(const Constraints& known, const expression::AttributeVector& output,
                         const EvalContext& context, Constraints* out);

/// What holds for every row of `plan`, over its output.
arrow::Result<Constraints> ConstraintsOf(const logical::Plan& plan, const EvalContext& context);

}  // namespace millrace::optimizer
