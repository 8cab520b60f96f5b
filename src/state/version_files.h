#pragma once

#include <arrow/result.h>

#include <set>
#include <string>
#include <vector>

#include "state/memory/row_table.h"
#include "state/state_file.h"
#include "state/store.h"

namespace millrace::state {

/// The delta and snapshot files of one store: `<version>.delta`, `<version>.snapshot`.
///
/// Load: newest snapshot at or before the version, then every delta after it.
/// Format: docs/formats/state_files.md. Thread: const functions are thread-safe; Commit from the store's task, Maintain
/// from the maintenance thread, both may run at once.
class VersionFiles {
 public:
  /// `unsynced` gets the deltas that are written; null where none are.
  VersionFiles(FileSystem* file_system, std::string directory, StateStoreId id, std::string codec,
               bool has_row_checksums, Durability durability, UnsyncedFiles* unsynced);

  struct Listing {
    std::set<int64_t> deltas;
    std::set<int64_t> snapshots;
    /// Names of Hadoop's checksum files (`.1.delta.crc`), which Spark writes beside each file.
    std::set<std::string> checksums;
  };
  /// What is there; nothing when the directory does not exist.
  arrow::Result<Listing> List() const;

  /// Puts the rows of `version` into `table` and accepts them. A snapshot that cannot be read is passed over when an
  /// earlier one and its deltas give the same version.
  /// Errors: UserError CANNOT_LOAD_STATE_STORE.* naming the file.
  arrow::Status Load(StateVersion version, RowTable* table);
  /// As Load, from the snapshot of exactly `base` (0: from nothing).
  arrow::Status LoadFrom(StateVersion base, StateVersion version, RowTable* table) const;

  /// Writes `<version>.delta` of the table's changes; durable when the UnsyncedFiles are synced.
  arrow::Status WriteDelta(StateVersion version, const RowTable& table);

  /// Writes the snapshot of `latest` when more than `min_deltas` deltas follow the last one, out of the files alone,
  /// and removes what no version from latest - min_versions_to_retain on needs. Gives the version of the snapshot
  /// written, or 0.
  arrow::Result<int64_t> Maintain(StateVersion latest, int64_t min_deltas, int64_t min_versions_to_retain);

  std::string DeltaPath(int64_t version) const;
  std::string SnapshotPath(int64_t version) const;
  /// Visits the records of one delta. Errors: CANNOT_LOAD_STATE_STORE.CANNOT_READ_DELTA_FILE_NOT_EXISTS ….
  arrow::Status ReadDelta(int64_t version, const StateRecordVisitor& visit) const;

 private:
  arrow::Status ReadSnapshot(int64_t version, const StateRecordVisitor& visit) const;
  arrow::Status MakeDirectory();
  arrow::Status RemoveChecksum(const std::string& path, std::set<std::string>* checksums);
  arrow::Status WriteSnapshot(int64_t base, int64_t version, Listing* listing);
  arrow::Status RemoveOld(Listing* listing, int64_t earliest_to_retain);
  std::string StoreName() const;
  const std::string* checked_store() const { return has_row_checksums_ ? &store_text_ : nullptr; }
  arrow::Result<std::unique_ptr<StateFileWriter>> Create(const std::string& path) const;

  FileSystem* file_system_;
  std::string directory_;
  StateStoreId id_;
  std::string codec_;
  bool has_row_checksums_;
  std::string store_text_;
  Durability durability_;
  UnsyncedFiles* unsynced_;
  bool directory_made_ = false;
  // Snapshots of versions after the loaded one: of a run that was rewound, whose rows are not those of this run.
  std::set<int64_t> stale_snapshots_;
  // When the version was loaded. One that does not go with its file would make Spark refuse it.
  std::set<std::string> checksums_;
};

}  // namespace millrace::state
