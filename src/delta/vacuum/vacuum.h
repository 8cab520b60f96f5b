#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <string>
#include <vector>

#include "delta/table.h"

namespace millrace::delta {

struct VacuumedFile {
  std::string path;
  int64_t size_bytes = 0;
};

/// What VACUUM finds below a table's directory.
struct VacuumFindings {
  /// Files that no version younger than the cutoff needs, and that are older than it themselves.
  std::vector<VacuumedFile> files;
  /// Directories, the table's own among them.
  int64_t num_directories = 0;
  int64_t size_bytes = 0;
};

/// Files not named by `snapshot`, nor removed after `cutoff_ms`, and not written since. Names that begin with `_` or
/// `.` are nobody's, but those of partition directories and of change data. Source: delta-spark's VacuumCommand;
/// Delta's PROTOCOL.md, "Data Files".
arrow::Result<VacuumFindings> FindUnneededFiles(Table& table, const Snapshot& snapshot, int64_t cutoff_ms);

/// delta.deletedFileRetentionDuration (a week), in milliseconds.
int64_t DeletedFileRetentionMs(const Metadata& metadata);

}  // namespace millrace::delta
