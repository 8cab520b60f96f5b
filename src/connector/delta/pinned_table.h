#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "connector/source.h"
#include "delta/snapshot/snapshot.h"

namespace millrace::connector::delta_table {

/// Extension of a SourceRequest that reads a table to change its rows: the one state that is read, and which files of
/// it were. The rows' column `_metadata` says where they stand: RowPlaceType. Thread: safe.
class PinnedTable final : public Extension {
 public:
  explicit PinnedTable(millrace::delta::SnapshotPtr snapshot) : snapshot_(std::move(snapshot)) {}

  const millrace::delta::SnapshotPtr& snapshot() const { return snapshot_; }
  /// Path of a file that is read, as the log has it.
  void NoteRead(std::string_view path) const {
    std::lock_guard lock(mutex_);
    read_.emplace(path);
  }
  std::set<std::string> read_files() const {
    std::lock_guard lock(mutex_);
    return read_;
  }

 private:
  millrace::delta::SnapshotPtr snapshot_;
  mutable std::mutex mutex_;
  mutable std::set<std::string> read_;
};

/// Null when the request is no such one.
const PinnedTable* PinnedTableOf(const SourceRequest& request);

/// STRUCT<file_path STRING, row_index BIGINT>: the file's own path, and the row's position in it; behind them row_id
/// BIGINT where the table tracks its rows.
types::DataTypePtr RowPlaceType(const millrace::delta::Snapshot& snapshot);

}  // namespace millrace::connector::delta_table
