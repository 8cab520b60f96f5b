#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "physical/key/group_table.h"
#include "physical/operator.h"

namespace millrace::physical {

/// The build side of a join: its rows in one batch, and by key the numbers of the rows that have it.
/// Thread: Build on one thread, then read by many.
class JoinTable {
 public:
  /// `keys`: arrays over `rows`; none: every row is found by every key.
  static arrow::Result<std::unique_ptr<JoinTable>> Build(std::shared_ptr<arrow::RecordBatch> rows,
                                                         const arrow::ArrayVector& keys,
                                                         std::vector<std::shared_ptr<arrow::DataType>> key_types,
                                                         const std::vector<bool>& null_safe, arrow::MemoryPool* pool);

  const std::shared_ptr<arrow::RecordBatch>& rows() const { return rows_; }
  /// For each probe row the id to ask Matches for, or GroupTable::kNoGroup.
  arrow::Status Find(const arrow::ArrayVector& keys, int64_t num_rows, const std::vector<bool>& null_safe,
                     std::vector<uint32_t>* ids) const;
  /// Row numbers with the key, ascending.
  std::span<const int32_t> Matches(uint32_t id) const {
    return {row_numbers_.data() + starts_[id], row_numbers_.data() + starts_[id + 1]};
  }

  /// Remembers that a build row found a partner (full outer joins). Thread-safe.
  void MarkMatched(int32_t row) { matched_[static_cast<size_t>(row)].store(true, std::memory_order_relaxed); }
  bool IsMatched(int32_t row) const { return matched_[static_cast<size_t>(row)].load(std::memory_order_relaxed); }

 private:
  explicit JoinTable(std::vector<std::shared_ptr<arrow::DataType>> key_types, arrow::MemoryPool* pool)
      : groups_(std::move(key_types), pool) {}

  GroupTable groups_;
  std::shared_ptr<arrow::RecordBatch> rows_;
  /// Rows of group g: row_numbers_[starts_[g] … starts_[g + 1]).
  std::vector<uint32_t> starts_;
  std::vector<int32_t> row_numbers_;
  std::vector<std::atomic<bool>> matched_;
};

}  // namespace millrace::physical
