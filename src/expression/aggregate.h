#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "expression/expression.h"

namespace millrace::expression {

/// Running values of one aggregate for many groups, columnar: group g is row g of its buffers.
/// Thread: confined to one task.
class AggregateState {
 public:
  virtual ~AggregateState() = default;

  /// Makes room for groups [0, num_groups); new groups hold the initial value.
  virtual arrow::Status Resize(int64_t num_groups) = 0;
  /// Folds row i of the arguments into group `group_ids[i]`. Arguments are arrays of group_ids.size() values.
  virtual arrow::Status Update(const EvalContext& context, std::span<const uint32_t> group_ids,
                               const arrow::ArrayVector& arguments) = 0;
  /// Folds row i of partial buffers (columns as Buffers() gives them) into group `group_ids[i]`.
  virtual arrow::Status Merge(const EvalContext& context, std::span<const uint32_t> group_ids,
                              const arrow::ArrayVector& buffers) = 0;
  /// The running values, one array a buffer column, in Spark's buffer order.
  virtual arrow::Result<arrow::ArrayVector> Buffers() = 0;
  /// The results, one a group.
  virtual arrow::Result<std::shared_ptr<arrow::Array>> Finish(const EvalContext& context) = 0;
};

/// A bound aggregate function. Immutable, thread-safe.
class AggregateFunction {
 public:
  virtual ~AggregateFunction() = default;
  /// Spark's prettyName: "sum".
  virtual const std::string& name() const = 0;
  virtual const DataTypePtr& result_type() const = 0;
  virtual bool result_nullable() const = 0;
  /// Spark's aggregation buffer: names, types, nullability. State rows hold exactly these columns.
  virtual const std::vector<types::StructField>& buffer_fields() const = 0;
  /// True for functions whose buffer is an opaque object in Spark: their state cannot be shared with Spark.
  virtual bool opaque_buffer() const { return false; }
  /// False when DISTINCT changes nothing (min, max).
  virtual bool distinct_matters() const { return true; }
  virtual std::unique_ptr<AggregateState> NewState(arrow::MemoryPool* pool) const = 0;
};

/// An aggregate in a plan: function, arguments, DISTINCT, FILTER. Evaluated by the aggregate operators only.
class AggregateCall final : public Expression {
 public:
  /// `filter` may be null.
  AggregateCall(std::shared_ptr<const AggregateFunction> function, ExpressionVector arguments, bool distinct,
                ExpressionPtr filter);
  const std::shared_ptr<const AggregateFunction>& function() const { return function_; }
  bool distinct() const { return distinct_; }
  int num_arguments() const { return num_arguments_; }
  /// Null when there is none.
  ExpressionPtr filter() const { return has_filter_ ? children().back() : nullptr; }

  ExpressionPtr WithChildren(ExpressionVector children) const override;
  std::string Sql(bool pretty) const override;
  bool foldable() const override { return false; }

 private:
  std::shared_ptr<const AggregateFunction> function_;
  bool distinct_;
  bool has_filter_;
  int num_arguments_;
};

}  // namespace millrace::expression
