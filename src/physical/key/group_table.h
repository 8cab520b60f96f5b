#pragma once

#include <arrow/array.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "physical/key/row_keys.h"

namespace millrace::physical {

/// Numbers the distinct rows of some key columns 0, 1, 2 … in order of first appearance: an open-addressing table
/// over encoded keys. With no key columns every row is group 0.
/// Thread: Map is confined to one task; Find may run on many threads while nobody maps.
class GroupTable {
 public:
  explicit GroupTable(std::vector<std::shared_ptr<arrow::DataType>> key_types,
                      arrow::MemoryPool* pool = arrow::default_memory_pool());

  /// Group of each row, new groups being added. Arrays have `num_rows` values of the key types.
  arrow::Status Map(const arrow::ArrayVector& keys, int64_t num_rows, std::vector<uint32_t>* group_ids);

  static constexpr uint32_t kNoGroup = 0xFFFFFFFFu;
  /// Group of each row, or kNoGroup.
  arrow::Status Find(const arrow::ArrayVector& keys, int64_t num_rows, std::vector<uint32_t>* group_ids) const;

  int64_t num_groups() const { return static_cast<int64_t>(hashes_.size()); }
  /// Hash of each group's key; the same key has the same hash in every table.
  std::span<const uint64_t> hashes() const { return hashes_; }
  /// The key columns, one row a group; -0.0 is 0.0.
  arrow::Result<arrow::ArrayVector> Keys();

 private:
  struct Slot {
    uint32_t tag = 0;
    /// Group + 1; 0: free.
    uint32_t group = 0;
  };

  void Grow();
  const uint8_t* GroupKey(uint32_t group) const { return arena_.data() + arena_offsets_[group]; }
  uint32_t GroupKeySize(uint32_t group) const {
    return static_cast<uint32_t>(arena_offsets_[group + 1] - arena_offsets_[group]);
  }
  bool Matches(const Slot& slot, uint32_t tag, const uint8_t* row, uint32_t size) const {
    return slot.tag == tag && GroupKeySize(slot.group - 1) == size && EqualRowKeys(GroupKey(slot.group - 1), row, size);
  }

  std::vector<std::shared_ptr<arrow::DataType>> key_types_;
  arrow::MemoryPool* pool_;
  std::vector<Slot> slots_;
  std::vector<uint64_t> hashes_;
  std::vector<uint8_t> arena_;
  std::vector<uint64_t> arena_offsets_{0};
  RowKeys rows_;
  /// Key values of the groups, by chunk and column.
  std::vector<arrow::ArrayVector> chunks_;
};

}  // namespace millrace::physical
