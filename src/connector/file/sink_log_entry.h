#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"

namespace millrace::connector::file {

/// Directory of the sink's log within the output directory.
inline constexpr std::string_view kSinkLogDirectory = "_spark_metadata";

/// A file a streaming query has written: one line of `_spark_metadata`. Format: docs/formats/file_log.md.
struct SinkLogEntry {
  std::string path;  ///< absolute, without scheme
  int64_t size_bytes = 0;
  int64_t modified_ms = 0;
};

std::string EncodeSinkLogEntry(const SinkLogEntry& entry);
/// Errors: Invalid quoting the line.
arrow::Result<SinkLogEntry> DecodeSinkLogEntry(std::string_view line);

/// The files of the output directory `path` that count, in the order of the log. REQUIRES: it has a log.
arrow::Result<std::vector<SinkLogEntry>> ReadSinkLog(FileSystem* file_system, const std::string& path);
/// Whether `path` is the log of such an output, or lies in it.
bool IsBelowSinkLog(const std::string& path);
/// Whether `path` is the output of a streaming query.
arrow::Result<bool> HasSinkLog(const FileSystem& file_system, const std::string& path);

}  // namespace millrace::connector::file
