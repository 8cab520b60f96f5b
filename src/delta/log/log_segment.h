#pragma once

#include <arrow/result.h>

#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "delta/log/log_paths.h"
#include "delta/table_version.h"

namespace millrace::delta {

/// The files of the log a version is rebuilt from.
struct LogSegment {
  struct CommitFile {
    TableVersion first;
    /// Equal to `first` but for compacted ones.
    TableVersion last;
    std::string path;
  };
  TableVersion version;
  std::optional<TableVersion> checkpoint_version;
  /// One, or all parts of a multi-part checkpoint.
  std::vector<std::string> checkpoint_files;
  bool checkpoint_is_json = false;
  /// The checkpoint may have sidecars.
  bool checkpoint_is_v2 = false;
  /// After the checkpoint, oldest first, without holes and overlaps.
  std::vector<CommitFile> commits;
};

/// What lies in `_delta_log`, by one listing of names.
class LogListing {
 public:
  /// Errors: none for a directory that is not there: an empty listing.
  static arrow::Result<LogListing> Read(const FileSystem& file_system, const std::string& log_path);

  bool empty() const { return commits_.empty() && checkpoints_.empty(); }
  std::optional<TableVersion> newest() const;
  std::optional<TableVersion> oldest_commit() const;
  /// The oldest version that can be rebuilt; none when nothing can.
  std::optional<TableVersion> oldest_recreatable() const;
  bool HasCommit(TableVersion version) const;
  const std::vector<TableVersion>& commits() const { return commits_; }
  /// Complete checkpoints' versions, ascending.
  std::vector<TableVersion> checkpoint_versions() const;

  /// The files for `version` (none: the newest). `use_checkpoints` false: from commits only.
  /// Errors: UserError DELTA_TABLE_NOT_FOUND (nothing there), DELTA_VERSION_NOT_FOUND, DELTA_VERSIONS_NOT_CONTIGUOUS,
  /// DELTA_TRUNCATED_TRANSACTION_LOG, DELTA_MISSING_PART_FILES.
  arrow::Result<LogSegment> SegmentOf(std::optional<TableVersion> version,
                                      std::optional<TableVersion> checkpoint_before = std::nullopt) const;

 private:
  struct CheckpointFiles {
    TableVersion version;
    LogFileKind kind;
    bool is_json = false;
    int num_parts = 1;
    std::vector<std::string> names;
    bool complete = false;
  };
  struct CompactedFile {
    TableVersion first;
    TableVersion last;
    std::string name;
  };

  std::string log_path_;
  /// Ascending.
  std::vector<TableVersion> commits_;
  /// By version, then the best to read last.
  std::vector<CheckpointFiles> checkpoints_;
  std::vector<CompactedFile> compacted_;
};

}  // namespace millrace::delta
