#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "delta/table.h"
#include "types/time_zone.h"

namespace millrace::delta {

struct VacuumedFile {
  std::string path;
  int64_t size_bytes = 0;
  /// Holds no file that is needed or old; goes when it is empty.
  bool is_directory = false;
};

/// What VACUUM finds below a table's directory.
struct VacuumFindings {
  /// Files that no version younger than the cutoff needs, and that are older than it themselves; directories without
  /// files.
  std::vector<VacuumedFile> files;
  /// Directories, the table's own among them.
  int64_t num_directories = 0;
  int64_t size_bytes = 0;
  /// The newest version older than the cutoff, where the log was looked through.
  std::optional<TableVersion> last_version;
};

/// Files not named by `snapshot`, nor removed after `cutoff_ms`, and not written since. Names that begin with `_` or
/// `.` are nobody's, but those of partition directories and of change data. Source: delta-spark's VacuumCommand;
/// Delta's PROTOCOL.md, "Data Files".
arrow::Result<VacuumFindings> FindUnneededFiles(Table& table, const Snapshot& snapshot, int64_t cutoff_ms);

/// VACUUM LITE: of the files that the log names, not those that only lie there; no directory is listed. Looks through
/// the commits since the last time (`_last_vacuum_info`) that are older than the cutoff. Errors: UserError
/// DELTA_CANNOT_VACUUM_LITE when some of them are gone.
arrow::Result<VacuumFindings> FindUnneededFilesOfLog(Table& table, const Snapshot& snapshot, int64_t cutoff_ms,
                                                     const types::TimeZone& zone);

/// Writes `_last_vacuum_info`: what was removed up to `version` is gone; none after a VACUUM that did not look at the
/// log.
arrow::Status WriteLastVacuum(const Table& table, std::optional<TableVersion> version);

/// delta.deletedFileRetentionDuration (a week), in milliseconds.
int64_t DeletedFileRetentionMs(const Metadata& metadata);

}  // namespace millrace::delta
