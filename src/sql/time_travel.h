#pragma once

namespace millrace::sql {

/// Option of a table that is read TIMESTAMP AS OF an expression: its text. The analyzer makes timestampAsOf of it.
inline constexpr const char* kTimestampExpression = "timestamp as of expression";

}  // namespace millrace::sql
