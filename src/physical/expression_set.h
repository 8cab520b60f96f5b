#pragma once

#include <arrow/result.h>

#include <memory>
#include <vector>

#include "expression/eval_context.h"
#include "expression/node.h"

namespace millrace::physical {

/// Several expressions over the same rows, bound once: a subexpression that several of them (or one of them twice)
/// compute is computed once a batch, and plain columns are passed through.
///
/// Only what is evaluated for every row anyway is shared: a subexpression that may fail and stands only in CASE
/// branches or on the right of AND/OR stays there, because it may fail for rows that do not take the branch.
/// Non-deterministic ones are never shared. Thread: immutable.
class ExpressionSet {
 public:
  ExpressionSet() = default;
  /// Errors: InternalError when an attribute is not in `input`.
  static arrow::Result<ExpressionSet> Bind(const expression::ExpressionVector& expressions,
                                           const expression::AttributeVector& input);

  /// One array a expression, of batch.num_rows() values.
  arrow::Result<arrow::ArrayVector> Evaluate(const expression::EvalContext& context,
                                             const std::shared_ptr<arrow::RecordBatch>& batch) const;

  size_t size() const { return bound_.size(); }
  bool empty() const { return bound_.empty(); }
  /// Number of subexpressions computed once for several uses.
  size_t num_shared() const { return shared_.size(); }

 private:
  /// Evaluated in order; each is a further column of the rows the next ones see.
  expression::ExpressionVector shared_;
  expression::ExpressionVector bound_;
};

}  // namespace millrace::physical
