#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/json_value.h"
#include "session/session.h"

namespace millrace::session {

/// One value of a command's result.
using Cell = std::variant<std::nullptr_t, std::string, bool, std::vector<std::string>>;

/// A column of a command's result, as most are; `comment` as DESCRIBE shows it.
types::StructField TextColumn(std::string name, bool nullable = false, const std::string& comment = "");

/// Rows of strings, booleans and string arrays as a result of `schema`.
arrow::Result<QueryResult> ResultOf(types::DataTypePtr schema, const std::vector<std::vector<Cell>>& rows);
/// JSON records as rows of the columns that a DDL text names.
arrow::Result<QueryResult> ResultOfJson(const std::string& ddl, const std::vector<JsonValue>& records);
/// No columns, no rows: what commands without an answer give.
QueryResult EmptyResult();

}  // namespace millrace::session
