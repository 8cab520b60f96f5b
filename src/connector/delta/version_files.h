#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "connector/delta/change_feed.h"
#include "connector/delta/data_file_scan.h"

namespace millrace::connector::delta_table {

/// What a stream reads of one version, in the order that its offsets count: the files of the table's state, those a
/// commit added, or (change feed) all files of a commit's changes.
struct VersionFiles {
  struct Entry {
    const delta::Add* add = nullptr;
    const delta::Remove* remove = nullptr;
    const delta::Cdc* cdc = nullptr;
    /// State only.
    delta::FileRef file;
    int64_t size_bytes = 0;

    std::string_view path() const {
      if (add != nullptr) return add->path;
      if (remove != nullptr) return remove->path;
      if (cdc != nullptr) return cdc->path;
      return file.columns->path(file.row);
    }
    bool has_deletion_vector() const {
      return (add != nullptr && add->deletion_vector) || (remove != nullptr && remove->deletion_vector);
    }
  };
  delta::TableVersion version;
  bool is_state = false;
  int64_t timestamp_ms = 0;
  /// The commit changes what the stream tracks of the table's definition.
  bool changes_definition = false;
  /// False when the commit ends the recording of changes.
  bool records_changes = true;
  /// Index = place.
  std::vector<Entry> entries;

  // What the entries point into.
  delta::SnapshotPtr snapshot;
  std::shared_ptr<const delta::Commit> commit;

  bool has_cdc() const { return !entries.empty() && entries[0].cdc != nullptr; }
  bool has_deletion_vectors() const {
    for (const Entry& entry : entries) {
      if (entry.has_deletion_vector()) return true;
    }
    return false;
  }
};

/// The files of a state by modification time and path, which is their order in every reader.
VersionFiles FilesOfState(delta::SnapshotPtr snapshot);
/// The files a commit added with new data; none with `skip`.
VersionFiles FilesOfCommit(std::shared_ptr<const delta::Commit> commit, bool skip);
/// The files of a commit's changes.
VersionFiles ChangesOfCommit(std::shared_ptr<const delta::Commit> commit, int64_t timestamp_ms);

}  // namespace millrace::connector::delta_table
