#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <memory>
#include <string>
#include <vector>

#include "types/data_type.h"

namespace millrace::connector {

/// SQL expressions over rows of one schema, resolved and bound by the session: what tables keep as text (CHECK
/// constraints, generated columns, replaceWhere) becomes computable for a connector, which knows no expressions.
/// Immutable, thread-safe.
class RowExpressions {
 public:
  virtual ~RowExpressions() = default;
  /// One column an expression, of rows->num_rows() values. Errors: what the expressions raise (UserError).
  virtual arrow::Result<arrow::ArrayVector> Evaluate(const std::shared_ptr<arrow::RecordBatch>& rows) const = 0;
  /// Resolved: name, type and nullability of each.
  virtual const std::vector<types::StructField>& fields() const = 0;
  /// As messages show it (Spark's `sql`).
  virtual std::string Sql(size_t index) const = 0;
  /// Columns of the schema an expression reads, ascending.
  virtual std::vector<int> InputColumns(size_t index) const = 0;
  /// False when two evaluations of the same rows may differ.
  virtual bool deterministic(size_t index) const = 0;
};
using RowExpressionsPtr = std::shared_ptr<const RowExpressions>;

}  // namespace millrace::connector
