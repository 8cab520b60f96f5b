#pragma once

#include <arrow/result.h>

#include <functional>
#include <memory>
#include <vector>

#include "base/file_system.h"
#include "delta/action/action.h"
#include "delta/checkpoint/checkpoint_schema.h"
#include "delta/log/log_segment.h"
#include "delta/snapshot/file_columns.h"

namespace millrace::delta {

/// What a checkpoint holds.
struct CheckpointContents {
  /// Adds as columns with a byte a row: 1 = the row is an add (the other rows are other actions).
  struct Files {
    std::shared_ptr<const FileColumns> columns;
    std::shared_ptr<const std::vector<uint8_t>> is_add;
  };
  std::vector<Files> files;
  std::optional<Protocol> protocol;
  std::optional<Metadata> metadata;
  std::vector<Txn> txns;
  std::vector<DomainMetadata> domain_metadata;
  /// Of CheckpointPart::kTombstones, which has nothing else.
  std::vector<Remove> tombstones;
};

/// Reads the checkpoint of a segment: classic, multi-part, or v2 with its sidecars (read at once in parallel).
/// Errors: Invalid naming the file for one that cannot be read; KeyError-like DELTA_LOG_FILE_NOT_FOUND for a sidecar
/// that is missing.
arrow::Result<CheckpointContents> ReadCheckpoint(const FileSystem& file_system, const std::string& log_path,
                                                 const LogSegment& segment, CheckpointPart part);

/// The same a part at a time, in the memory of some thousand rows: `visit` is called with what they hold.
arrow::Status VisitCheckpoint(const FileSystem& file_system, const std::string& log_path, const LogSegment& segment,
                              CheckpointPart part, const std::function<arrow::Status(CheckpointContents)>& visit);

/// The version `_last_checkpoint` names; none where there is no such file or it cannot be understood.
arrow::Result<std::optional<TableVersion>> ReadLastCheckpointVersion(const FileSystem& file_system,
                                                                     const std::string& log_path);

/// Paths of the sidecar files a checkpoint file names, as they stand in it.
arrow::Result<std::vector<std::string>> ReadSidecarPaths(const FileSystem& file_system, const std::string& path);

}  // namespace millrace::delta
