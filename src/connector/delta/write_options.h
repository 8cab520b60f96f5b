#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "connector/sink.h"
#include "delta/action/string_map.h"

namespace millrace::connector::delta_table {

/// What a writer's options say, checked. Source: delta-spark's DeltaOptions.
struct WriteOptions {
  bool merge_schema = false;
  bool overwrite_schema = false;
  bool data_change = true;
  bool dynamic_overwrite = false;
  /// partitionOverwriteMode stands among the options, not only in the session.
  bool overwrite_mode_in_options = false;
  /// Rows are gathered by partition before they are written; none: the session, or the table, says it.
  std::optional<bool> optimize_write;
  std::optional<std::string> replace_where;
  /// Columns, as they were listed and one by one.
  std::optional<std::string> replace_using;
  std::vector<std::string> replace_using_columns;
  std::optional<std::string> user_metadata;
  /// Both or none.
  std::optional<std::string> txn_app_id;
  int64_t txn_version = 0;
  int64_t max_rows_per_file = 0;
  /// delta.…: properties of a table this write creates.
  millrace::delta::StringMap properties;

  /// Errors: UserError DELTA_ILLEGAL_OPTION, DELTA_INVALID_IDEMPOTENT_WRITES_OPTIONS, DELTA_UNKNOWN_CONFIGURATION.
  static arrow::Result<WriteOptions> Parse(const SinkRequest& request);
};

}  // namespace millrace::connector::delta_table
