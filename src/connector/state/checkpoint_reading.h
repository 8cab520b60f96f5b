#pragma once

#include <arrow/result.h>

#include <map>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "connector/source.h"
#include "state/state_ids.h"
#include "state/state_schema.h"

namespace millrace::connector {

/// What readers of a checkpoint's state need of its logs: which batches are committed, and under which settings one
/// ran. Format: docs/formats/metadata_log.md, offset_log.md.

struct CommittedBatches {
  int64_t first = 0;
  int64_t last = 0;
};
/// nullopt when no batch is committed (or nothing is there).
arrow::Result<std::optional<CommittedBatches>> ReadCommittedBatches(const FileSystem& file_system,
                                                                    const std::string& checkpoint_location);

/// The settings in the offset log's entry of a batch.
/// Errors: UserError STDS_OFFSET_LOG_UNAVAILABLE, STDS_OFFSET_METADATA_LOG_UNAVAILABLE.
arrow::Result<std::map<std::string, std::string>> ReadBatchConf(const FileSystem& file_system,
                                                                const std::string& checkpoint_location,
                                                                int64_t batch_id);

/// What the commit log says the files of the state are called that a batch left; nullopt in checkpoint format 1.
/// Errors: UserError STDS_COMMITTED_BATCH_UNAVAILABLE.
arrow::Result<std::optional<state::StateIds>> ReadStateIds(const FileSystem& file_system,
                                                           const std::string& checkpoint_location, int64_t batch_id);

/// Options of the source "statestore", checked as Spark's StateSourceOptions checks them.
struct StateReadOptions {
  enum class JoinSide : uint8_t { kNone, kLeft, kRight };
  struct Snapshot {
    int64_t start_batch_id = 0;
    int32_t partition = 0;
  };
  struct Changes {
    int64_t start_batch_id = 0;
    int64_t end_batch_id = 0;
  };

  std::string checkpoint_location;
  int64_t batch_id = 0;
  int64_t operator_id = 0;
  std::string store_name;
  JoinSide join_side = JoinSide::kNone;
  std::optional<Snapshot> snapshot;
  std::optional<Changes> changes;
  /// A variable of transformWithState, or its timers; empty and false of other operators.
  std::string state_variable;
  bool names_variable = false;
  bool reads_timers = false;
  /// flattenCollectionTypes: a row for each element of a list or map.
  bool flattens = true;

  /// Errors: UserError STDS_….
  static arrow::Result<StateReadOptions> Parse(const SourceRequest& request);

  std::string state_directory() const { return JoinPath(checkpoint_location, "state"); }
  /// The store whose files are read.
  std::string store_to_read() const;
  /// The id of that store's version after `batch_id`; empty in checkpoint format 1.
  std::string unique_id(size_t partition) const;
  /// Of all stores; nullopt in checkpoint format 1.
  std::optional<state::StateIds> state_ids = {};
  /// Errors: UserError CANNOT_LOAD_STATE_STORE.SNAPSHOT_PARTITION_ID_NOT_FOUND.
  arrow::Status CheckSnapshotPartition(int num_partitions) const;
  /// As messages show them.
  std::string ToString() const;
};

}  // namespace millrace::connector
