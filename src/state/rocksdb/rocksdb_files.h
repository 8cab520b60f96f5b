#pragma once

#include <arrow/result.h>

#include <map>
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
  struct Snapshot {
    std::vector<StoredFile> tables;
    std::vector<StoredFile> logs;
    int64_t num_keys = 0;
  };
  struct Listing {
    std::set<int64_t> snapshots;
    std::set<int64_t> changelogs;
  };

  RocksDbFiles(FileSystem* file_system, std::string directory, std::string codec, Durability durability)
      : file_system_(file_system),
        directory_(std::move(directory)),
        codec_(std::move(codec)),
        durability_(durability) {}

  arrow::Result<Listing> List() const;
  /// Puts the RocksDB folder of `version` at `local_directory`.
  arrow::Result<Snapshot> Download(int64_t version, const std::string& local_directory) const;
  /// Stores the RocksDB folder `local_directory` as `version`; tables of `known` (by local name) are there already.
  arrow::Result<Snapshot> Upload(int64_t version, const std::string& local_directory, int64_t num_keys,
                                 const Snapshot& known);

  /// Visits the changes of `<version>.changelog`; value.data() == nullptr: removed.
  arrow::Status ReadChangelog(int64_t version, const StateRecordVisitor& visit) const;
  arrow::Result<std::unique_ptr<StateFileWriter>> CreateChangelog(int64_t version);
  arrow::Status FinishChangelog(StateFileWriter* writer);

  /// Removes what no version from `earliest` on needs.
  arrow::Status Clean(int64_t earliest);

 private:
  arrow::Result<Snapshot> ReadMetadata(int64_t version, std::map<std::string, std::string>* files) const;
  arrow::Status WriteFile(const std::string& path, std::string_view bytes);
  arrow::Status MakeDirectories();
  std::string PathOf(int64_t version, std::string_view suffix) const {
    return JoinPath(directory_, std::to_string(version) + std::string(suffix));
  }

  FileSystem* file_system_;
  std::string directory_;
  std::string codec_;
  Durability durability_;
  bool directories_made_ = false;
};

}  // namespace millrace::state
