#pragma once

#include <arrow/status.h>

#include <string>
#include <vector>

#include "delta/snapshot/snapshot.h"
#include "delta/transaction/alter_table.h"

/// SQL that stands in a Delta table's definition, looked at before it gets there.

namespace millrace::session {

class Session;

/// Which columns a constraint or a generated column uses.
delta::UsesColumn UsesColumnIn(Session& session);

/// A CHECK constraint to be added: it must be a condition on the table's columns that all rows meet.
/// Errors: UserError UNRESOLVED_COLUMN.…, DELTA_NON_BOOLEAN_CHECK_CONSTRAINT, DELTA_NEW_CHECK_CONSTRAINT_VIOLATION.
arrow::Status CheckNewConstraint(Session& session, const delta::Snapshot& table, const std::string& name,
                                 const std::string& sql, const std::string& table_name);

/// ALTER COLUMN SET DEFAULT.
/// Errors: UserError WRONG_COLUMN_DEFAULTS_FOR_DELTA_FEATURE_NOT_ENABLED, INVALID_DEFAULT_VALUE.….
arrow::Status CheckColumnDefault(Session& session, const delta::Snapshot& table, const std::vector<std::string>& column,
                                 const std::string& sql);
/// The same of the columns of CREATE TABLE, whatever features it has.
arrow::Status CheckColumnDefaults(Session& session, const types::DataType& schema);

/// The expressions of generated columns in a schema of a table to be made.
/// Errors: UserError DELTA_INVALID_GENERATED_COLUMN_REFERENCES, DELTA_GENERATED_COLUMNS_EXPR_TYPE_MISMATCH,
/// DELTA_NON_DETERMINISTIC_EXPRESSION_IN_GENERATED_COLUMN, ….
arrow::Status CheckGeneratedColumns(Session& session, const types::DataType& schema);

/// The greatest value of a column of the table's, or with `least` the least one; nullopt where there is none.
arrow::Result<std::optional<int64_t>> OutermostValue(Session& session, const delta::Snapshot& table,
                                                     const std::string& column, bool least);

}  // namespace millrace::session
