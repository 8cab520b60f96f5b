#pragma once

#include <arrow/status.h>

#include <optional>
#include <string>
#include <vector>

#include "delta/table.h"

namespace millrace::delta {

/// The text of `<version>.crc`: what the table has in all at a version, so that others need not replay the log to know,
/// and can check that they replayed it right. `before`: the snapshot it grew from, or null for the first.
/// Format: Delta's PROTOCOL.md, "Version Checksum File"; docs/formats/delta_log.md.
std::string ChecksumText(const Snapshot& snapshot, const Snapshot* before, const std::string& txn_id,
                         std::optional<int64_t> in_commit_timestamp_ms);

/// Writes the file unless it is there. Not synced: a log without it, or with a torn one, is whole.
arrow::Status WriteChecksum(FileSystem* file_system, const Table& table, const Snapshot& snapshot,
                            const Snapshot* before, const std::string& txn_id, const std::vector<Action>& actions);

}  // namespace millrace::delta
