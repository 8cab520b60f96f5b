#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "delta/snapshot/snapshot.h"
#include "delta/transaction/partition_file_counts.h"

namespace millrace::delta {

/// A commit as the log has it.
struct Commit {
  TableVersion version;
  /// Modification time of its file.
  int64_t modified_ms = 0;
  std::vector<Action> actions;

  /// Its in-commit timestamp, where it has one.
  std::optional<int64_t> in_commit_timestamp_ms() const;
};

/// What a caller needs of a snapshot's files. A list costs about a kilobyte a file for as long as it is kept.
enum class SnapshotDetail : uint8_t {
  kFiles,
  /// How many and how large (FileList::is_complete is false, or true where the list is there anyway): appends.
  kTotals,
};

/// One table by its path: its newest snapshot is kept and followed. Thread-safe.
class Table {
 public:
  /// `path`: absolute, without scheme.
  Table(FileSystem* file_system, std::string path);

  const std::string& path() const { return path_; }
  const std::string& log_path() const { return log_path_; }
  FileSystem* file_system() const { return file_system_; }
  /// Of the commits of this process.
  PartitionFileCounts& file_counts() { return file_counts_; }

  /// Whether there is a log with a commit or checkpoint.
  arrow::Result<bool> Exists() const;

  /// The newest version. Costs some stats when nothing was committed since the last call (is the newest commit still
  /// the one we know, are those since the checkpoint there, is there a next one), else the reading of the new commits
  /// only. Errors: UserError DELTA_TABLE_NOT_FOUND when there is no table; those of a log that is damaged
  /// (docs/formats/delta_log.md); features that we cannot read.
  arrow::Result<SnapshotPtr> Update(SnapshotDetail detail = SnapshotDetail::kFiles);

  /// The table at `version`. Errors: as Update; DELTA_VERSION_NOT_FOUND when it cannot be rebuilt.
  arrow::Result<SnapshotPtr> SnapshotAt(TableVersion version);

  /// Tells of the commit that this process has just written as `version`: the next snapshot without reading it back.
  /// Where another commit is known in between, does nothing; Update reads them. A list of files that nobody has asked
  /// for during some commits is let go.
  arrow::Status Advance(TableVersion version, std::span<const Action> actions, int64_t modified_ms);

  /// One commit; none when its file is not there. `kinds`: actions of other kinds are left out.
  arrow::Result<std::optional<Commit>> ReadCommit(TableVersion version, ActionKinds kinds = kAllActions) const;

  /// The removes of `snapshot`'s version that no later add took back, expired ones too where the log has them. Reads
  /// the newest checkpoint and the commits after it again.
  arrow::Result<std::vector<Remove>> Tombstones(const Snapshot& snapshot) const;

  /// Forgets the kept snapshot: the next Update reads the log from its newest checkpoint.
  void Invalidate();

  /// Tells of a checkpoint that this process has written: older commits may be cleaned up and are no longer looked for.
  void NoteCheckpoint(TableVersion version);

 private:
  arrow::Result<SnapshotPtr> Load(std::optional<TableVersion> version) const;
  /// Applies the commits after `from` that are there; `from` itself when there are none. Null when the files are
  /// counted only and a commit cannot be followed with that.
  arrow::Result<SnapshotPtr> Follow(const SnapshotPtr& from) const;

  FileSystem* const file_system_;
  const std::string path_;
  const std::string log_path_;
  PartitionFileCounts file_counts_;
  /// Tells a commit's file from one that took its place: the table may have been deleted and made anew.
  struct FileIdentity {
    int64_t modified_ms = 0;
    int64_t size_bytes = 0;
    bool operator==(const FileIdentity&) const = default;
  };
  arrow::Result<std::optional<FileIdentity>> IdentityOf(TableVersion version) const;
  /// REQUIRES: mutex_ held.
  arrow::Status Keep(SnapshotPtr snapshot);
  /// Whether each commit since the newest checkpoint known is still there, and none beyond a missing one: what a
  /// listing of the log would show. REQUIRES: mutex_ held, newest_ is not null.
  arrow::Result<bool> IsContiguous();

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  SnapshotPtr newest_;
  std::optional<FileIdentity> newest_identity_;
  std::optional<TableVersion> newest_checkpoint_;
  /// Commits of this process since the list of files was asked for.
  int64_t num_unasked_advances_ = 0;
};

/// Tables that are open, by path: a session has one, so that its queries share snapshots. Thread-safe.
class TableCache {
 public:
  explicit TableCache(FileSystem* file_system) : file_system_(file_system) {}
  /// `path` in any form; the table need not exist.
  std::shared_ptr<Table> Open(const std::string& path);

 private:
  FileSystem* file_system_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Table>> tables_;
};

}  // namespace millrace::delta
