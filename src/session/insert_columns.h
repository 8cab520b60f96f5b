#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analyzer/analyzer.h"
#include "sql/statement.h"

namespace millrace::session {

/// Where rows go: what the columns must become.
struct InsertTarget {
  /// Quoted, as messages show it.
  std::string table_name;
  types::DataTypePtr schema;
  /// A Delta table: rows of too many columns, or of columns it does not have, are left to its schema enforcement, and
  /// values are cast wherever they can be.
  bool is_delta = false;
  /// Of UPDATE and MERGE, whose overflow Delta tells otherwise.
  bool is_change = false;
  /// Columns, by index, that the table computes itself where nobody gives them; empty for none.
  std::vector<bool> computed;
};

/// The query's columns as the table's, in the table's order and types: by position, by name, or those of a column list;
/// PARTITION (p = 'x') fixes columns. Columns nobody gives are their default, or NULL. Casts are Spark's store
/// assignment (ANSI): what cannot be stored safely is refused, overflow raises.
/// Errors: UserError INSERT_COLUMN_ARITY_MISMATCH.…, DELTA_INSERT_COLUMN_ARITY_MISMATCH, INCOMPATIBLE_DATA_FOR_TABLE.…,
/// CAST_OVERFLOW_IN_TABLE_INSERT (when run).
arrow::Result<logical::PlanPtr> AlignInsertColumns(const analyzer::AnalyzerContext& context, logical::PlanPtr query,
                                                   const InsertTarget& target, const sql::PartitionSpec& partition,
                                                   const std::vector<std::string>& columns, bool by_name);

/// `value` as UPDATE and MERGE put it into a column of a Delta table: cast wherever it can be, overflow named by the
/// column. Errors: UserError INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST; DELTA_CAST_OVERFLOW_IN_TABLE_WRITE (when
/// run).
arrow::Result<expression::ExpressionPtr> StoredInDelta(const expression::ExpressionPtr& value,
                                                       const types::StructField& field);

/// Whether a value of `from` may be stored in a column of `to` (Spark's Cast.canANSIStoreAssign).
bool CanStore(const types::DataType& from, const types::DataType& to);

}  // namespace millrace::session
