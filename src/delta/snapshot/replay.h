#pragma once

#include <arrow/result.h>

#include <span>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "delta/log/log_segment.h"
#include "delta/snapshot/snapshot.h"

namespace millrace::delta {

/// Kinds of actions that change a table's state.
inline constexpr ActionKinds kStateActions = kKinds<Add, Remove, Metadata, Protocol, Txn, DomainMetadata>;

/// Builds the state of a version from the files of its segment: commits from the newest to the oldest, the first action
/// of each key counts, then what the checkpoint has and no commit replaced.
/// Errors: those of files that cannot be read, DELTA_STATE_RECOVER_ERROR.
arrow::Result<SnapshotPtr> Rebuild(const FileSystem& file_system, const std::string& table_path,
                                   const LogSegment& segment);

/// Whether Apply can give the state after this commit: where the files are counted only, it may but add new ones.
/// `is_own`: files of this process, which have names of their own.
bool CanApply(const Snapshot& before, std::span<const Action> actions, bool is_own);

/// The state after one more commit. REQUIRES: CanApply.
arrow::Result<SnapshotPtr> Apply(const Snapshot& before, TableVersion version,
                                 const arrow::Result<int64_t>& timestamp_ms, int64_t modified_ms,
                                 std::span<const Action> actions);

/// When a commit was made: its in-commit timestamp where the table has them, else its file's modification time.
/// Errors: UserError DELTA_MISSING_COMMIT_INFO, DELTA_MISSING_COMMIT_TIMESTAMP.
arrow::Result<int64_t> CommitTimestamp(const Protocol& protocol, const Metadata& metadata, TableVersion version,
                                       std::span<const Action> actions, int64_t modified_ms);

}  // namespace millrace::delta
