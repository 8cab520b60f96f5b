#pragma once

#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "delta/snapshot/file_columns.h"

namespace millrace::delta {

/// A logical file of a list: a place in its columns. Valid while the list (or a copy of it) lives.
struct FileRef {
  const FileColumns* columns = nullptr;
  int64_t row = 0;
};

/// Keys of logical files: path and the deletion vector's unique id.
class FileKeySet {
 public:
  /// False when it was there.
  bool Insert(std::string_view path, std::string_view deletion_vector_id);
  bool Contains(std::string_view path, std::string_view deletion_vector_id) const;
  bool ContainsHash(uint64_t hash) const { return hashes_.count(hash) > 0; }
  bool empty() const { return hashes_.empty(); }
  size_t size() const { return keys_.size(); }

 private:
  std::unordered_set<uint64_t> hashes_;
  std::unordered_set<std::string> keys_;
};

/// The live files of a version: runs of columns, each with the rows of it that are live. Copies share everything.
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

  int64_t num_files() const { return num_files_; }
  int64_t total_size_bytes() const { return total_size_bytes_; }
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
  /// Takes away the files of these keys.
  void Remove(const FileKeySet& keys);
  /// Joins small runs at the end, so that a table that is followed for long has few: at most about log2(files).
  arrow::Status Compact();

 private:
  std::vector<Run> runs_;
  int64_t num_files_ = 0;
  int64_t total_size_bytes_ = 0;
};

}  // namespace millrace::delta
