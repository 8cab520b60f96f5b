#pragma once

#include <arrow/result.h>

#include <string>

#include "base/file_system.h"

namespace millrace::cli {

struct TableReportOptions {
  std::string path;
  /// -1: the newest.
  int64_t version = -1;
  /// show: files listed; history: commits listed. 0: all.
  int limit = 20;
};

/// The table's version, protocol, schema, properties, applications' progress and its first files.
arrow::Result<std::string> ShowTable(FileSystem* file_system, const TableReportOptions& options);
/// A line a commit, newest first: version, time, operation, what it was told and what it did.
arrow::Result<std::string> TableHistory(FileSystem* file_system, const TableReportOptions& options);
/// What DESCRIBE DETAIL tells, a line each.
arrow::Result<std::string> DescribeTable(FileSystem* file_system, const TableReportOptions& options);

}  // namespace millrace::cli
