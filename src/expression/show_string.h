#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <memory>
#include <string>
#include <vector>

#include "expression/eval_context.h"
#include "types/data_type.h"

namespace millrace::expression {

struct ShowOptions {
  int64_t num_rows = 20;
  /// Longest cell in characters; 0 for no limit.
  int truncate = 20;
  /// One line a cell.
  bool vertical = false;
};

/// The table that DataFrame.show and the console sink print, with its closing "only showing top n rows".
///
/// `rows`: the result, or at least its first num_rows + 1 rows. East Asian wide characters count as two columns.
/// Source: Spark, Dataset.showString; golden texts in tests/show.
arrow::Result<std::string> ShowString(const EvalContext& context, const types::DataType& schema,
                                      const std::vector<std::shared_ptr<arrow::RecordBatch>>& rows,
                                      const ShowOptions& options);

/// The same rows as an HTML table: what notebooks show. Source: Spark, Dataset.htmlString.
arrow::Result<std::string> HtmlString(const EvalContext& context, const types::DataType& schema,
                                      const std::vector<std::shared_ptr<arrow::RecordBatch>>& rows,
                                      const ShowOptions& options);

}  // namespace millrace::expression
