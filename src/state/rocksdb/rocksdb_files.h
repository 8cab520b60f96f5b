#pragma once

#include <arrow/result.h>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "state/state_file.h"
#include "state/store.h"

namespace millrace::state {

/// The files of one RocksDB store in the checkpoint: `<version>.zip`, `SSTs/*`, `logs/*`, `<version>.changelog`. With
/// unique ids (checkpoint format 2) `<version>_<id>.zip` …: which id a version has is told from outside (StartIds), and
/// by the changelogs, each of which says the ids of the versions before it.
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
  /// Of versions; one that is not there has none (format 1).
  using Ids = std::map<int64_t, std::string>;
  /// Of the versions whose ids are known.
  struct Listing {
    std::set<int64_t> snapshots;
    std::set<int64_t> changelogs;
    /// Names of Hadoop's checksum files.
    std::set<std::string> checksums;
    /// There are files with ids that are not known.
    bool has_other_ids = false;
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
  /// From now on the ids are those of the versions that lead to `version`; an empty id: there are none.
  void StartIds(int64_t version, const std::string& id) {
    ids_.clear();
    if (!id.empty()) ids_[version] = id;
  }
  /// StartIds, and learns them back to the version `earliest`.
  arrow::Status FindIds(int64_t earliest, int64_t version, const std::string& id);
  void AddId(int64_t version, std::string id) { ids_[version] = std::move(id); }
  /// Forgets the ids of versions before `version`: no changelog need tell them any more.
  void DropIdsBefore(int64_t version) { ids_.erase(ids_.begin(), ids_.lower_bound(version)); }
  /// Learns from the changelog of the earliest version that is known the ids of those before it. False when it tells
  /// none. Errors: CANNOT_LOAD_STATE_STORE.*.
  arrow::Result<bool> ExtendIds();
  /// Loads `version` by `load(base, listing)`: from the newest snapshot at or before it with which that succeeds (0 is
  /// empty and has no file). Errors: the first of `load`; CANNOT_LOAD_STATE_STORE.*.
  using Loader = std::function<arrow::Status(int64_t base, const Listing& listing)>;
  arrow::Status LoadNewest(int64_t version, const std::string& unique_id, const Loader& load);
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
  /// `has_families`: in the format of column families.
  arrow::Result<std::unique_ptr<StateFileWriter>> CreateChangelog(int64_t version, bool has_families);
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
  arrow::Result<Snapshot> ReadMetadata(const std::string& path, std::map<std::string, std::string>* files) const;
  arrow::Status OtherFormat() const;
  arrow::Status WriteFile(const std::string& path, std::string_view bytes);
  arrow::Status MakeDirectories();
  arrow::Status RemoveChecksum(const std::string& path, const std::set<std::string>& checksums);
  /// What stands in the way of `version`.
  arrow::Status RemoveStale(int64_t version);
  /// The id of a version; empty for none.
  std::string IdOf(int64_t version) const {
    auto it = ids_.find(version);
    return it == ids_.end() ? std::string() : it->second;
  }
  std::string PathOf(int64_t version, std::string_view suffix) const {
    std::string id = IdOf(version);
    return JoinPath(directory_, std::to_string(version) + (id.empty() ? "" : "_" + id) + std::string(suffix));
  }

  FileSystem* file_system_;
  std::string directory_;
  std::string codec_;
  Durability durability_;
  UnsyncedFiles* unsynced_;
  bool directories_made_ = false;
  std::set<int64_t> stale_snapshots_;
  std::set<std::string> checksums_;
  Ids ids_;
};

}  // namespace millrace::state
