#include "delta/checkpoint/maintenance.h"

#include <algorithm>
#include <map>
#include <set>

#include "delta/checkpoint/checkpoint_reader.h"
#include "delta/checkpoint/checkpoint_writer.h"
#include "delta/feature/table_feature.h"
#include "delta/log/log_paths.h"
#include "delta/transaction/table_metadata.h"
#include "types/datetime_text.h"
#include "types/interval_text.h"

namespace millrace::delta {

namespace {

constexpr int64_t kDayMs = 86400000;

// Removes old sidecar files that no checkpoint names any more.
arrow::Status CleanUpSidecars(Table& table, int64_t cutoff_ms) {
  FileSystem& files = *table.file_system();
  std::string directory = JoinPath(table.log_path(), kSidecarDirectory);
  ARROW_ASSIGN_OR_RAISE(auto exists, files.Stat(directory));
  if (!exists) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(std::vector<FileInfo> sidecars, files.List(directory));
  std::erase_if(sidecars, [&](const FileInfo& file) { return file.modified_ms >= cutoff_ms; });
  if (sidecars.empty()) return arrow::Status::OK();
  std::set<std::string> in_use;
  ARROW_ASSIGN_OR_RAISE(std::vector<FileInfo> log, table.file_system()->List(table.log_path()));
  for (const FileInfo& file : log) {
    auto name = ParseLogFileName(file.name);
    if (!name || !name->is_checkpoint()) continue;
    ARROW_ASSIGN_OR_RAISE(auto paths, ReadSidecarPaths(files, JoinPath(table.log_path(), file.name)));
    for (const std::string& path : paths) in_use.insert(path.substr(path.find_last_of('/') + 1));
  }
  for (const FileInfo& file : sidecars) {
    if (in_use.count(file.name) == 0) ARROW_RETURN_NOT_OK(files.Remove(JoinPath(directory, file.name)));
  }
  return arrow::Status::OK();
}

}  // namespace

int64_t IntervalProperty(const Metadata& metadata, std::string_view key, int64_t fallback_ms) {
  auto text = metadata.Property(key);
  types::CalendarIntervalValue interval;
  if (!text || !types::ParseCalendarInterval(*text, &interval)) return fallback_ms;
  return interval.days * kDayMs + interval.micros / 1000;
}

bool NeedsCheckpoint(const Committed& committed) {
  if (committed.version.value == 0 || committed.snapshot == nullptr) return false;
  int64_t interval = IntegerProperty(committed.snapshot->metadata(), "delta.checkpointInterval", 10);
  return interval > 0 && committed.version.value % interval == 0;
}

arrow::Status MaintainAfterCommit(Table& table, const Committed& committed, const MaintenanceSettings& settings) {
  if (!NeedsCheckpoint(committed)) return arrow::Status::OK();
  SnapshotPtr snapshot = committed.snapshot;
  if (snapshot->version() != committed.version) {
    ARROW_ASSIGN_OR_RAISE(snapshot, table.SnapshotAt(committed.version));
  }
  ARROW_RETURN_NOT_OK(CheckpointNow(table, snapshot, settings));
  bool cleans = BooleanProperty(snapshot->metadata(), "delta.enableExpiredLogCleanup", true);
  // Such a history may hold commits that need features the newest state does not: it is left whole.
  if (!cleans || Supports(snapshot->protocol(), "checkpointProtection")) return arrow::Status::OK();
  return CleanUpLog(table, *snapshot, settings.clock->NowMillis());
}

arrow::Status CheckpointNow(Table& table, const SnapshotPtr& snapshot, const MaintenanceSettings& settings) {
  int64_t now_ms = settings.clock->NowMillis();
  int64_t keep_ms = IntervalProperty(snapshot->metadata(), "delta.deletedFileRetentionDuration", 7 * kDayMs);
  int64_t removed_after_ms = now_ms - keep_ms;
  CheckpointSettings writing{settings.durability, settings.time_zone};
  if (snapshot->files().is_complete()) {
    ARROW_ASSIGN_OR_RAISE(std::vector<Remove> tombstones, table.Tombstones(*snapshot));
    std::erase_if(tombstones,
                  [&](const Remove& remove) { return remove.deletion_timestamp_ms.value_or(0) <= removed_after_ms; });
    ARROW_RETURN_NOT_OK(
        WriteCheckpoint(table.file_system(), *snapshot, FileActionsOf(*snapshot, tombstones), writing).status());
    table.NoteCheckpoint(snapshot->version());
    return arrow::Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(LogListing listing, LogListing::Read(*table.file_system(), table.log_path()));
  ARROW_ASSIGN_OR_RAISE(LogSegment segment, listing.SegmentOf(snapshot->version()));
  FileActions file_actions = FileActionsOf(*table.file_system(), table.log_path(), segment, removed_after_ms);
  ARROW_RETURN_NOT_OK(WriteCheckpoint(table.file_system(), *snapshot, file_actions, writing).status());
  table.NoteCheckpoint(snapshot->version());
  return arrow::Status::OK();
}

arrow::Status CleanUpLog(Table& table, const Snapshot& snapshot, int64_t now_ms) {
  int64_t retention_ms = IntervalProperty(snapshot.metadata(), "delta.logRetentionDuration", 30 * kDayMs);
  return CleanUpLogBefore(table, (now_ms - retention_ms) / kDayMs * kDayMs);
}

arrow::Status CleanUpLogBefore(Table& table, int64_t cutoff_ms) {
  ARROW_ASSIGN_OR_RAISE(std::vector<FileInfo> files, table.file_system()->List(table.log_path()));
  std::map<int64_t, int64_t> commit_ms;
  std::vector<int64_t> checkpoints;
  for (const FileInfo& file : files) {
    auto name = ParseLogFileName(file.name);
    if (!name) continue;
    if (name->kind == LogFileKind::kCommit) commit_ms[name->version.value] = file.modified_ms;
    // Parts may be missing where there are several: such a checkpoint protects nothing.
    if (name->is_checkpoint() && name->kind != LogFileKind::kMultiPartCheckpoint) {
      checkpoints.push_back(name->version.value);
    }
  }
  int64_t first_kept = -1;
  for (int64_t version : checkpoints) {
    auto commit = commit_ms.find(version);
    if (commit != commit_ms.end() && commit->second < cutoff_ms) first_kept = std::max(first_kept, version);
  }
  // Oldest first: a crash in between leaves a log that begins later, not one with a hole.
  std::vector<std::pair<int64_t, std::string>> expired;
  for (const FileInfo& file : files) {
    auto name = ParseLogFileName(file.name);
    if (!name || name->kind == LogFileKind::kCompacted || name->version.value >= first_kept) continue;
    if (file.modified_ms < cutoff_ms) expired.emplace_back(name->version.value, file.name);
  }
  std::sort(expired.begin(), expired.end());
  bool removed_checkpoints = false;
  for (const auto& [version, name] : expired) {
    removed_checkpoints = removed_checkpoints || ParseLogFileName(name)->is_checkpoint();
    ARROW_RETURN_NOT_OK(table.file_system()->Remove(JoinPath(table.log_path(), name)));
    // The checksum Hadoop's local file system may have left beside it.
    ARROW_RETURN_NOT_OK(table.file_system()->Remove(JoinPath(table.log_path(), "." + name + ".crc")));
  }
  return removed_checkpoints ? CleanUpSidecars(table, cutoff_ms) : arrow::Status::OK();
}

}  // namespace millrace::delta
