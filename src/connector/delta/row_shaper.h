#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connector/delta/identity_column.h"
#include "connector/row_expressions.h"
#include "connector/source.h"
#include "delta/action/metadata.h"
#include "types/data_type.h"

namespace millrace::connector::delta_table {

/// A condition every row must meet.
struct RowCheck {
  /// As the violation names it.
  std::string name;
  std::string sql;
  /// The option replaceWhere: rows that do not meet it are no violation of the table's rules.
  bool is_replace_where = false;
};

struct RowShaperRequest {
  types::DataTypePtr query_schema;
  /// As the rows are to be written: the table's schema, perhaps a new one.
  types::DataTypePtr table_schema;
  const millrace::delta::Metadata* metadata = nullptr;
  /// The table computes generated columns (its protocol has the feature).
  bool has_generated_columns = true;
  /// Columns that the query does not have get their default (its protocol has the feature).
  bool has_column_defaults = false;
  std::vector<RowCheck> more_checks;
  /// The rows come from the table: what it numbers it does not number again.
  bool copies = false;
  /// The table is only defined: its conditions, whatever they say, have no rows to hold for.
  bool no_rows = false;
};

/// Makes the table's rows out of a query's: columns by the table's names and types, generated columns computed, NOT
/// NULL, CHECK and the table's other conditions checked.
///
/// In:     batches of the query's schema.
/// Out:    the columns of the query in its order, then generated ones; columns of the table that the query does not
/// have
///         are not there (files without them read as NULL).
/// Errors: UserError DELTA_NOT_NULL_CONSTRAINT_VIOLATED, DELTA_VIOLATE_CONSTRAINT_WITH_VALUES, those of casts.
/// Thread: immutable.
/// Source: delta-spark's TransactionalWrite.normalizeData and CheckDeltaInvariant.
class RowShaper {
 public:
  static arrow::Result<std::shared_ptr<const RowShaper>> Make(const RowShaperRequest& request,
                                                              const ConnectorContext& context);

  /// Columns of the rows that come out, with the table's metadata.
  const types::DataTypePtr& schema() const { return schema_; }
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Shape(const std::shared_ptr<arrow::RecordBatch>& rows) const;
  /// Columns that number the rows; what they gave so far is theirs to say.
  const std::vector<std::shared_ptr<IdentityColumn>>& identities() const { return identities_; }

 private:
  struct Column {
    int table_index = 0;
    /// Column of the query, or of `casts_`, or of `generated_`.
    /// Or one of `identities_`.
    enum class From : uint8_t { kQuery, kCast, kGenerated, kIdentity } from = From::kQuery;
    int index = 0;
  };
  struct NotNull {
    int table_index = 0;
    /// Fields below it, for columns inside of structs.
    std::vector<int> path;
    std::string name;
  };

  RowShaper() = default;
  arrow::Status PlanColumns(const RowShaperRequest& request, const ConnectorContext& context);
  arrow::Status PlanChecks(const RowShaperRequest& request, const ConnectorContext& context);
  void PlanNotNull(const types::DataType& type, int table_index, std::vector<int> path, const std::string& prefix);
  bool IsWritten(const NotNull& rule) const;
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> WholeRows(const arrow::ArrayVector& columns,
                                                               int64_t num_rows) const;
  arrow::Status CheckNotNull(const arrow::ArrayVector& whole, int64_t num_rows) const;
  arrow::Status CheckRows(const std::shared_ptr<arrow::RecordBatch>& whole) const;
  arrow::Status Violation(size_t check, const arrow::RecordBatch& whole, int64_t row) const;

  types::DataTypePtr table_schema_;
  std::shared_ptr<arrow::Schema> table_arrow_;
  /// Of rows, where the schema is of nothing but VOID.
  arrow::Status holds_values_;
  types::DataTypePtr schema_;
  std::shared_ptr<arrow::Schema> arrow_schema_;
  std::vector<Column> columns_;
  RowExpressionsPtr casts_;
  RowExpressionsPtr generated_;
  std::vector<std::shared_ptr<IdentityColumn>> identities_;
  std::vector<NotNull> not_null_;
  std::vector<RowCheck> checks_;
  RowExpressionsPtr check_values_;
};

/// CAST of `sql`, of type `from`, to `to`; fields of structs by name, those that `from` does not have are NULL.
std::string CastSql(const std::string& sql, const types::DataType& from, const types::DataType& to);

}  // namespace millrace::connector::delta_table
