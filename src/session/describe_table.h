#pragma once

#include "session/result_rows.h"
#include "session/session.h"
#include "sql/statement.h"

/// What the catalog knows of a table or view, as DESCRIBE, DESCRIBE … AS JSON and SHOW TABLE EXTENDED tell it.

namespace millrace::session {

/// Columns of DESCRIBE's result.
types::DataTypePtr DescribeSchema();
/// The row of one column.
std::vector<Cell> DescribeField(const types::StructField& field);
/// A property's value, hidden when it may be a secret: spark.redaction.regex and spark.sql.redaction.options.regex at
/// their defaults.
std::string Redacted(const std::string& key, const std::string& value);

/// DESCRIBE [EXTENDED] table [PARTITION (…)] [AS JSON].
/// Errors: UserError TABLE_OR_VIEW_NOT_FOUND, PARTITIONS_NOT_FOUND, NOT_SUPPORTED_COMMAND_FOR_V2_TABLE.
arrow::Result<QueryResult> DescribeTable(Session& session, const sql::Describe& describe);
/// DESCRIBE [EXTENDED] table column. Errors: UserError COLUMN_NOT_FOUND.
arrow::Result<QueryResult> DescribeColumn(Session& session, const sql::Describe& describe);
/// SHOW TABLE EXTENDED [IN database] LIKE pattern [PARTITION (…)].
arrow::Result<QueryResult> ShowTableExtended(Session& session, const sql::Show& show);

}  // namespace millrace::session
