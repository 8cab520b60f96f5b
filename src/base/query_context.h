#pragma once

#include <arrow/status.h>

#include <string>
#include <vector>

#include "base/error.h"

namespace millrace {

/// Where in the user's program the failed expression was written (Spark's DataFrameQueryContext).
struct QueryContext {
  /// The call: "divide".
  std::string fragment;
  /// File and line.
  std::string call_site;
  /// As it stands at the end of the message.
  std::string Summary() const;
};

/// `status` with the place of the expression that failed; unchanged when it is no UserError or has a place already (the
/// innermost counts).
arrow::Status WithQueryContext(const arrow::Status& status, QueryContext context);

/// Empty for none.
std::vector<QueryContext> GetQueryContexts(const arrow::Status& status);

}  // namespace millrace
