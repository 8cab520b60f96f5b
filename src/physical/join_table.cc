#include "physical/join_table.h"

#include <numeric>

namespace millrace::physical {

namespace {

// Rows whose key has a NULL where NULL matches nothing lose their id.
void DropNullKeys(const arrow::ArrayVector& keys, const std::vector<bool>& null_safe, std::vector<uint32_t>* ids) {
  for (size_t k = 0; k < keys.size(); ++k) {
    if (null_safe[k] || keys[k]->null_count() == 0) continue;
    for (size_t i = 0; i < ids->size(); ++i) {
      if (keys[k]->IsNull(static_cast<int64_t>(i))) (*ids)[i] = GroupTable::kNoGroup;
    }
  }
}

}  // namespace

arrow::Result<std::unique_ptr<JoinTable>> JoinTable::Build(std::shared_ptr<arrow::RecordBatch> rows,
                                                           const arrow::ArrayVector& keys,
                                                           std::vector<std::shared_ptr<arrow::DataType>> key_types,
                                                           const std::vector<bool>& null_safe,
                                                           arrow::MemoryPool* pool) {
  if (rows->num_rows() > std::numeric_limits<int32_t>::max()) {
    return arrow::Status::CapacityError("a join with more than 2 billion rows on the smaller side");
  }
  std::unique_ptr<JoinTable> table(new JoinTable(std::move(key_types), pool));
  auto num_rows = static_cast<size_t>(rows->num_rows());
  std::vector<uint32_t> ids;
  ARROW_RETURN_NOT_OK(table->groups_.Map(keys, rows->num_rows(), &ids));
  DropNullKeys(keys, null_safe, &ids);
  table->starts_.assign(static_cast<size_t>(table->groups_.num_groups()) + 1, 0);
  for (uint32_t id : ids) {
    if (id != GroupTable::kNoGroup) ++table->starts_[id + 1];
  }
  std::partial_sum(table->starts_.begin(), table->starts_.end(), table->starts_.begin());
  table->row_numbers_.resize(table->starts_.back());
  std::vector<uint32_t> next(table->starts_.begin(), table->starts_.end() - 1);
  for (size_t i = 0; i < num_rows; ++i) {
    if (ids[i] != GroupTable::kNoGroup) table->row_numbers_[next[ids[i]]++] = static_cast<int32_t>(i);
  }
  table->matched_ = std::vector<std::atomic<bool>>(num_rows);
  table->rows_ = std::move(rows);
  return table;
}

arrow::Status JoinTable::Find(const arrow::ArrayVector& keys, int64_t num_rows, const std::vector<bool>& null_safe,
                              std::vector<uint32_t>* ids) const {
  ARROW_RETURN_NOT_OK(groups_.Find(keys, num_rows, ids));
  DropNullKeys(keys, null_safe, ids);
  return arrow::Status::OK();
}

}  // namespace millrace::physical
