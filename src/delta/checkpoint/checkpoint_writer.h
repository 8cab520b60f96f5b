#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "delta/log/log_segment.h"
#include "delta/snapshot/snapshot.h"
#include "types/time_zone.h"

namespace millrace::delta {

struct CheckpointSettings {
  Durability durability = Durability::kMachine;
  /// Where timestamps of statistics without an offset are read.
  const types::TimeZone* time_zone = types::TimeZone::Utc();
};

/// What `_last_checkpoint` says of a checkpoint.
struct CheckpointInfo {
  TableVersion version;
  int64_t num_actions = 0;
  int64_t size_bytes = 0;
  int64_t num_files = 0;
};

/// Calls what it is given with each live file's add and each remove that readers of older versions may still want.
using FileActions = std::function<arrow::Status(const std::function<arrow::Status(Action)>& visit)>;

/// Those of a snapshot whose files are listed.
FileActions FileActionsOf(const Snapshot& snapshot, const std::vector<Remove>& tombstones);
/// Those of a version, read from its log: the checkpoint before it some rows at a time, and the commits since, which
/// are in memory meanwhile. Removes from before `removed_after_ms` are left out.
FileActions FileActionsOf(const FileSystem& file_system, const std::string& log_path, const LogSegment& segment,
                          int64_t removed_after_ms);

/// Writes the checkpoint of `snapshot`: all of the table at its version, so that readers need no older commit.
///
/// Form:   one classic Parquet file; a JSON file and a sidecar where delta.checkpointPolicy is v2.
/// Crash:  written under a temporary name and given its own when it is whole (v2: sidecar first, synced, then the file
///         that names it); `_last_checkpoint` is replaced last. A checkpoint that is already there is left alone.
/// Format: Delta's PROTOCOL.md, "Checkpoints"; docs/formats/delta_log.md.
arrow::Result<CheckpointInfo> WriteCheckpoint(FileSystem* file_system, const Snapshot& snapshot,
                                              const FileActions& file_actions, const CheckpointSettings& settings);

/// The partition columns by their physical names, in the table's order. Null for none.
types::DataTypePtr PartitionSchema(const Snapshot& snapshot);
/// Schema of the statistics' struct form for a table: numRecords, minValues, maxValues, nullCount. Null for none.
types::DataTypePtr StatisticsSchema(const Snapshot& snapshot);

}  // namespace millrace::delta
