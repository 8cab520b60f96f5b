#pragma once

#include <arrow/result.h>

#include <optional>
#include <vector>

#include "delta/table.h"
#include "types/time_zone.h"

namespace millrace::delta {

struct CommitTime {
  TableVersion version;
  int64_t timestamp_ms = 0;
};

/// When the commits of [first, last] were made, those that are there, oldest first. In-commit timestamps where the
/// table had them; else the modification times of the files, each at least one millisecond after the one before.
/// `newest`: the newest state, which says since when there are in-commit timestamps.
arrow::Result<std::vector<CommitTime>> CommitTimes(const Table& table, const Snapshot& newest, TableVersion first,
                                                   TableVersion last);

struct CommitSearch {
  /// A time after the newest commit finds that one instead of failing.
  bool can_return_last = false;
  /// The state at the commit must be one that can be rebuilt.
  bool must_be_recreatable = true;
  /// A time before the oldest commit finds that one instead of failing.
  bool can_return_earliest = false;
};

/// The newest commit not after `timestamp_ms`. `zone`: how the times in errors are shown.
/// Errors: UserError DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION, DELTA_TIMESTAMP_GREATER_THAN_COMMIT,
/// DELTA_NO_COMMITS_FOUND.
arrow::Result<CommitTime> CommitAtTime(const Table& table, const Snapshot& newest, int64_t timestamp_ms,
                                       const CommitSearch& search, const types::TimeZone& zone);

/// Errors: UserError DELTA_VERSION_NOT_FOUND when `version` is older than what can be rebuilt (or read), or newer than
/// the newest one.
arrow::Result<TableVersion> CheckVersionExists(const Table& table, const Snapshot& newest, int64_t version,
                                               bool must_be_recreatable, bool allow_beyond_newest);

/// Files of older states may be gone: what was removed longer ago than delta.deletedFileRetentionDuration (a week) is
/// not to be looked at any more, the newest state aside. Errors: UserError
/// DELTA_UNSUPPORTED_TIME_TRAVEL_BEYOND_DELETED_FILE_RETENTION_DURATION.
arrow::Status CheckWithinRetention(const Snapshot& state, const Snapshot& newest, int64_t now_ms);

}  // namespace millrace::delta
