#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/file_system.h"
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

/// Writes the checkpoint of `snapshot`: all of the table at its version, so that readers need no older commit.
///
/// Form:   one classic Parquet file; a JSON file and a sidecar where delta.checkpointPolicy is v2.
/// `tombstones`: removed files that readers of older versions may still want.
/// Crash:  written under a temporary name and given its own when it is whole (v2: sidecar first, synced, then the file
///         that names it); `_last_checkpoint` is replaced last. A checkpoint that is already there is left alone.
/// Format: Delta's PROTOCOL.md, "Checkpoints"; docs/formats/delta_log.md.
arrow::Result<CheckpointInfo> WriteCheckpoint(FileSystem* file_system, const Snapshot& snapshot,
                                              const std::vector<Remove>& tombstones,
                                              const CheckpointSettings& settings);

/// Schema of the statistics' struct form for a table: numRecords, minValues, maxValues, nullCount. Null for none.
types::DataTypePtr StatisticsSchema(const Snapshot& snapshot);

}  // namespace millrace::delta
