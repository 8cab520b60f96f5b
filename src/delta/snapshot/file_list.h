#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "delta/snapshot/file_columns.h"
#include "delta/snapshot/file_totals.h"

namespace millrace::delta {

/// A logical file of a list: a place in its columns. Valid while the list (or a copy of it) lives.
struct FileRef {
  const FileColumns* columns = nullptr;
  int64_t row = 0;
};

/// Keys of logical files: path and the deletion vector's unique id.
class FileKeySet {
 public:
  struct Key {
    uint64_t hash = 0;
    std::string path;
    std::string deletion_vector_id;
  };

  /// False when it was there.
  bool Insert(std::string_view path, std::string_view deletion_vector_id);
  /// Whether row is the file of one of the keys.
  bool Contains(const FileColumns& columns, int64_t row) const;
  bool Contains(std::string_view path, std::string_view deletion_vector_id) const;
  const std::vector<Key>& keys() const { return keys_; }
  bool empty() const { return keys_.empty(); }

 private:
  std::vector<Key> keys_;
  std::unordered_multimap<uint64_t, size_t> by_hash_;
};

/// The live files of a version: runs of columns, each with the rows of it that are live. Copies share everything.
/// A list may be counted only: it knows how many files there are and how large, not which; it has no runs.
/// A value type; immutable ones are thread-safe.
class FileList {
 public:
  struct Run {
    std::shared_ptr<const FileColumns> columns;
    /// One byte a row, 1 = live; null: all are.
    std::shared_ptr<const std::vector<uint8_t>> live;
    int64_t num_live = 0;

    bool is_live(int64_t row) const { return live == nullptr || (*live)[static_cast<size_t>(row)] != 0; }
  };

  int64_t num_files() const { return totals_.num_files(); }
  int64_t total_size_bytes() const { return totals_.size_bytes(); }
  const FileTotals& totals() const { return totals_; }
  /// False: counted only.
  bool is_complete() const { return is_complete_; }
  /// The same files, counted only.
  FileList Counted() const;
  const std::vector<Run>& runs() const { return runs_; }

  /// Calls visit(FileRef) for each live file, oldest run first.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    for (const Run& run : runs_) {
      for (int64_t row = 0; row < run.columns->num_rows(); ++row) {
        if (run.is_live(row)) visit(FileRef{run.columns.get(), row});
      }
    }
  }
  /// The same for visits that return arrow::Status; ends at the first failure.
  template <typename Visit>
  arrow::Status TryForEach(Visit&& visit) const {
    for (const Run& run : runs_) {
      for (int64_t row = 0; row < run.columns->num_rows(); ++row) {
        if (run.is_live(row)) ARROW_RETURN_NOT_OK(visit(FileRef{run.columns.get(), row}));
      }
    }
    return arrow::Status::OK();
  }

  /// Adds a run. `live` may be null: all rows.
  void Append(std::shared_ptr<const FileColumns> columns, std::shared_ptr<const std::vector<uint8_t>> live);
  /// Counts a file without a deletion vector that was not there. REQUIRES: the list is counted only.
  void Count(int64_t size_bytes) { totals_.Add(size_bytes, /*num_deleted=*/0); }
  /// Takes away the files of these keys. `indexed`: by an index of the runs, which is made once and pays when a list is
  /// followed; else in one pass over all rows.
  void Remove(const FileKeySet& keys, bool indexed);
  /// Joins small runs at the end, so that a table that is followed for long has few: at most about log2(files).
  arrow::Status Compact();

 private:
  std::vector<Run> runs_;
  FileTotals totals_;
  bool is_complete_ = true;
};

}  // namespace millrace::delta
