#include "physical/key/group_table.h"

#include <arrow/builder.h>

#include "physical/rows.h"

namespace millrace::physical {

namespace {

constexpr size_t kFirstSlots = 64;

}  // namespace

GroupTable::GroupTable(std::vector<std::shared_ptr<arrow::DataType>> key_types, arrow::MemoryPool* pool)
    : key_types_(std::move(key_types)), pool_(pool), slots_(kFirstSlots) {}

void GroupTable::Grow() {
  std::vector<Slot> slots(slots_.size() * 4);
  size_t mask = slots.size() - 1;
  for (uint32_t group = 0; group < hashes_.size(); ++group) {
    size_t at = hashes_[group] & mask;
    while (slots[at].group != 0) at = (at + 1) & mask;
    slots[at] = {static_cast<uint32_t>(hashes_[group] >> 32), group + 1};
  }
  slots_ = std::move(slots);
}

arrow::Status GroupTable::Map(const arrow::ArrayVector& keys, int64_t num_rows, std::vector<uint32_t>* group_ids) {
  if (key_types_.empty()) {
    group_ids->assign(static_cast<size_t>(num_rows), 0);
    if (num_rows > 0 && hashes_.empty()) hashes_.push_back(0);
    return arrow::Status::OK();
  }
  group_ids->resize(static_cast<size_t>(num_rows));
  ARROW_RETURN_NOT_OK(rows_.Encode(keys, num_rows));
  std::vector<int32_t> first_rows;
  size_t mask = slots_.size() - 1;
  for (int64_t i = 0; i < num_rows; ++i) {
    const uint8_t* row = rows_.row(i);
    uint32_t size = rows_.size(i);
    uint64_t hash = HashRowKey(row, size);
    auto tag = static_cast<uint32_t>(hash >> 32);
    size_t at = hash & mask;
    while (slots_[at].group != 0 && !Matches(slots_[at], tag, row, size)) at = (at + 1) & mask;
    if (slots_[at].group == 0) {
      if (hashes_.size() >= kNoGroup - 1) return arrow::Status::CapacityError("more than 4 billion groups");
      hashes_.push_back(hash);
      slots_[at] = {tag, static_cast<uint32_t>(hashes_.size())};
      arena_.insert(arena_.end(), row, row + size);
      arena_offsets_.push_back(arena_.size());
      first_rows.push_back(static_cast<int32_t>(i));
      (*group_ids)[i] = static_cast<uint32_t>(hashes_.size() - 1);
      if (hashes_.size() * 2 > slots_.size()) {
        Grow();
        mask = slots_.size() - 1;
      }
    } else {
      (*group_ids)[i] = slots_[at].group - 1;
    }
  }
  if (first_rows.empty()) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector chunk, TakeRows(keys, IndexArray(std::move(first_rows)), pool_));
  for (auto& column : chunk) {
    ARROW_ASSIGN_OR_RAISE(column, WithoutNegativeZero(column, pool_));
  }
  chunks_.push_back(std::move(chunk));
  return arrow::Status::OK();
}

arrow::Status GroupTable::Find(const arrow::ArrayVector& keys, int64_t num_rows,
                               std::vector<uint32_t>* group_ids) const {
  if (key_types_.empty()) {
    group_ids->assign(static_cast<size_t>(num_rows), hashes_.empty() ? kNoGroup : 0);
    return arrow::Status::OK();
  }
  group_ids->resize(static_cast<size_t>(num_rows));
  RowKeys rows;
  ARROW_RETURN_NOT_OK(rows.Encode(keys, num_rows));
  size_t mask = slots_.size() - 1;
  for (int64_t i = 0; i < num_rows; ++i) {
    const uint8_t* row = rows.row(i);
    uint32_t size = rows.size(i);
    uint64_t hash = HashRowKey(row, size);
    auto tag = static_cast<uint32_t>(hash >> 32);
    size_t at = hash & mask;
    while (slots_[at].group != 0 && !Matches(slots_[at], tag, row, size)) at = (at + 1) & mask;
    (*group_ids)[i] = slots_[at].group == 0 ? kNoGroup : slots_[at].group - 1;
  }
  return arrow::Status::OK();
}

arrow::Result<arrow::ArrayVector> GroupTable::Keys() {
  if (chunks_.size() > 1) {
    arrow::ArrayVector merged;
    for (size_t c = 0; c < key_types_.size(); ++c) {
      arrow::ArrayVector pieces;
      for (const arrow::ArrayVector& chunk : chunks_) pieces.push_back(chunk[c]);
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> column, ConcatenateArrays(pieces, key_types_[c], pool_));
      merged.push_back(std::move(column));
    }
    chunks_.assign(1, std::move(merged));
  }
  if (!chunks_.empty()) return chunks_[0];
  arrow::ArrayVector none;
  for (const auto& type : key_types_) {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> column, arrow::MakeEmptyArray(type, pool_));
    none.push_back(std::move(column));
  }
  return none;
}

}  // namespace millrace::physical
