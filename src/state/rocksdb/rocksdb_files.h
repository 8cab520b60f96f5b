#pragma once

#include <arrow/result.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "state/state_file.h"
#include "state/store.h"

namespace millrace::state {

/// The files of one RocksDB store in the checkpoint: `<version>.zip`, `SSTs/*`, `logs/*`, `<version>.changelog`.
/// Format: docs/formats/state_rocksdb.md. Thread: confined, Clean aside, which may run beside the others.
class RocksDbFiles {
 public:
  /// A file of a RocksDB folder that lies beside the zip, under a name of its own.
  struct StoredFile {
    std::string local_name;
    std::string stored_name;
    int64_t size_bytes = 0;
  };
  /// The column families of a store by name: their numbers in keys, and which count as rows of the state.
  struct Families {
    std::map<std::string, int> ids;
    std::map<std::string, bool> internal;
    int max_id = -1;
  };
  struct Snapshot {
    std::vector<StoredFile> tables;
    std::vector<StoredFile> logs;
    /// Negative: not counted (Spark's trackTotalNumberOfRows is off).
    int64_t num_keys = 0;
    int64_t num_internal_keys = 0;
    Families families = {};
  };
  struct Listing {
    std::set<int64_t> snapshots;
    std::set<int64_t> changelogs;
    /// Names of Hadoop's checksum files.
    std::set<std::string> checksums;
  };

  /// `unsynced` gets what is written; null where nothing is.
  RocksDbFiles(FileSystem* file_system, std::string directory, std::string codec, Durability durability,
               UnsyncedFiles* unsynced)
      : file_system_(file_system),
        directory_(std::move(directory)),
        codec_(std::move(codec)),
        durability_(durability),
        unsynced_(unsynced) {}

  arrow::Result<Listing> List() const;
  /// What lies there of versions after `loaded` is of a run that failed or was rewound: its snapshots are removed
  /// before those versions are written anew.
  void Follow(const Listing& listing, int64_t loaded);
  /// Puts the RocksDB folder of `version` at `local_directory`, one file in memory at a time.
  /// Errors: CANNOT_LOAD_STATE_STORE.* naming the file.
  arrow::Result<Snapshot> Download(int64_t version, const std::string& local_directory) const;
  /// Stores the RocksDB folder `local_directory` as `version`; tables of `known` (by local name) are there already.
  arrow::Result<Snapshot> Upload(int64_t version, const std::string& local_directory, int64_t num_keys,
                                 const Snapshot& known);
  /// The same for a store of column families: `known` says its counts and families too.
  arrow::Result<Snapshot> UploadFamilies(int64_t version, const std::string& local_directory, const Snapshot& known);

  /// Visits the changes of `<version>.changelog`; value.data() == nullptr: removed.
  arrow::Status ReadChangelog(int64_t version, const StateRecordVisitor& visit) const;
  /// The same for a store of column families.
  arrow::Status ReadFamilyChanges(int64_t version, const FamilyChangeVisitor& visit) const;
  arrow::Result<std::unique_ptr<StateFileWriter>> CreateChangelog(int64_t version);
  arrow::Status FinishChangelog(StateFileWriter* writer);

  /// Removes what no version from `earliest` on needs.
  arrow::Status Clean(int64_t earliest);

  /// The file that is missed when `version` is read from the snapshot `base`; nullopt: none is.
  std::optional<std::string> MissingBetween(int64_t base, int64_t version, const Listing& listing) const;
  std::string SnapshotPath(int64_t version) const { return PathOf(version, ".zip"); }
  std::string ChangelogPath(int64_t version) const { return PathOf(version, ".changelog"); }
  std::string TablePath(const StoredFile& table) const {
    return JoinPath(JoinPath(directory_, "SSTs"), table.stored_name);
  }

 private:
  arrow::Result<Snapshot> ReadMetadata(int64_t version, std::map<std::string, std::string>* files) const;
  arrow::Status WriteFile(const std::string& path, std::string_view bytes);
  arrow::Status MakeDirectories();
  arrow::Status RemoveChecksum(const std::string& path, const std::set<std::string>& checksums);
  /// What stands in the way of `version`.
  arrow::Status RemoveStale(int64_t version);
  std::string PathOf(int64_t version, std::string_view suffix) const {
    return JoinPath(directory_, std::to_string(version) + std::string(suffix));
  }

  FileSystem* file_system_;
  std::string directory_;
  std::string codec_;
  Durability durability_;
  UnsyncedFiles* unsynced_;
  bool directories_made_ = false;
  std::set<int64_t> stale_snapshots_;
  std::set<std::string> checksums_;
};

}  // namespace millrace::state
