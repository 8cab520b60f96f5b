#pragma once

#include <arrow/status.h>

#include "base/clock.h"
#include "base/file_system.h"
#include "delta/table.h"
#include "delta/transaction/transaction.h"
#include "types/time_zone.h"

namespace millrace::delta {

struct MaintenanceSettings {
  Durability durability = Durability::kMachine;
  Clock* clock = nullptr;
  const types::TimeZone* time_zone = types::TimeZone::Utc();
};

/// Whether the commit of this version is one a checkpoint follows (delta.checkpointInterval, 10).
bool NeedsCheckpoint(const Committed& committed);

/// After the commit of each tenth version: its checkpoint, then the removal of log files that are older than the table
/// keeps them. A failure leaves the table whole; the next commit that is due tries again.
arrow::Status MaintainAfterCommit(Table& table, const Committed& committed, const MaintenanceSettings& settings);

/// Writes the checkpoint of a state, unless it is there.
arrow::Status CheckpointNow(Table& table, const SnapshotPtr& snapshot, const MaintenanceSettings& settings);

/// Removes commits, checksums and checkpoints that no version younger than delta.logRetentionDuration (30 days) needs:
/// all before the newest checkpoint whose commit is older than that.
arrow::Status CleanUpLog(Table& table, const Snapshot& snapshot, int64_t now_ms);
/// The same with what is older than `cutoff_ms`.
arrow::Status CleanUpLogBefore(Table& table, int64_t cutoff_ms);

/// A property that is an interval, in milliseconds.
int64_t IntervalProperty(const Metadata& metadata, std::string_view key, int64_t fallback_ms);

}  // namespace millrace::delta
