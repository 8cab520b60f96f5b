#pragma once

#include <arrow/status.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"

namespace millrace {

/// Where the failed expression was written: in the user's program (Spark's DataFrameQueryContext), or in a SQL text
/// (SQLQueryContext).
struct QueryContext {
  /// The call: "divide". Empty for SQL.
  std::string fragment;
  /// File and line. Empty for SQL.
  std::string call_site;
  /// The whole text; null for a program.
  std::shared_ptr<const std::string> sql_text;
  /// First and last byte of the expression in `sql_text`.
  int32_t start = 0;
  int32_t stop = -1;

  bool is_sql() const { return sql_text != nullptr; }
  /// The call, or the expression's text.
  std::string Fragment() const;
  /// As positions in the text as Java counts them (UTF-16 units).
  int32_t StartIndex() const;
  int32_t StopIndex() const;
  /// As it stands at the end of a message about data.
  std::string Summary() const;
  /// As it stands at the end of a message about the query itself: "; line 1 pos 7". Empty for a program.
  std::string Position() const;
};

/// `status`, a failure of data, with the place of the expression that failed; unchanged when it is no UserError or has
/// a place already (the innermost counts).
arrow::Status WithQueryContext(const arrow::Status& status, QueryContext context);
/// The same for a failure to resolve the expression.
arrow::Status WithAnalysisContext(const arrow::Status& status, QueryContext context);

/// Empty for none.
std::vector<QueryContext> GetQueryContexts(const arrow::Status& status);

}  // namespace millrace
