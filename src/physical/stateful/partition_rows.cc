#include "physical/stateful/partition_rows.h"

#include <numeric>

#include "expression/murmur3.h"
#include "physical/rows.h"

namespace millrace::physical {

arrow::Result<PartitionedBatch> PartitionRows(const std::shared_ptr<arrow::RecordBatch>& batch,
                                              const std::vector<int32_t>* selected, const std::vector<int>& keys,
                                              const std::vector<types::DataTypePtr>& key_types, int num_partitions,
                                              arrow::MemoryPool* pool) {
  auto num_rows = selected == nullptr ? static_cast<size_t>(batch->num_rows()) : selected->size();
  PartitionedBatch result;
  if (num_rows == 0) {
    result.rows = batch->Slice(0, 0);
    return result;
  }
  std::vector<int32_t> partitions;
  if (num_partitions > 1 && !keys.empty()) {
    std::vector<std::shared_ptr<arrow::ArrayData>> columns;
    for (int key : keys) columns.push_back(batch->column_data(key));
    partitions = expression::Murmur3Hash(columns, key_types, batch->num_rows());
  }
  if (partitions.empty()) {
    result.slices.push_back({0, 0, static_cast<int64_t>(num_rows)});
    if (selected == nullptr) {
      result.rows = batch;
      return result;
    }
    ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector columns, TakeRows(batch->columns(), IndexArray(*selected), pool));
    result.rows = arrow::RecordBatch::Make(batch->schema(), static_cast<int64_t>(num_rows), std::move(columns));
    return result;
  }
  auto row_at = [&](size_t i) { return selected == nullptr ? static_cast<int32_t>(i) : (*selected)[i]; };
  std::vector<int64_t> starts(static_cast<size_t>(num_partitions) + 1, 0);
  for (size_t i = 0; i < num_rows; ++i) {
    int32_t& partition = partitions[static_cast<size_t>(row_at(i))];
    partition = expression::Pmod(partition, num_partitions);
    ++starts[static_cast<size_t>(partition) + 1];
  }
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  for (int32_t p = 0; p < num_partitions; ++p) {
    int64_t begin = starts[static_cast<size_t>(p)], end = starts[static_cast<size_t>(p) + 1];
    if (end > begin) result.slices.push_back({p, begin, end - begin});
  }
  std::vector<int32_t> order(num_rows);
  for (size_t i = 0; i < num_rows; ++i) {
    int32_t row = row_at(i);
    order[static_cast<size_t>(starts[static_cast<size_t>(partitions[static_cast<size_t>(row)])]++)] = row;
  }
  ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector columns, TakeRows(batch->columns(), IndexArray(std::move(order)), pool));
  result.rows = arrow::RecordBatch::Make(batch->schema(), static_cast<int64_t>(num_rows), std::move(columns));
  return result;
}

SlicesByPartition GatherSlices(const std::vector<std::vector<PartitionedBatch>>& inputs, int num_partitions) {
  SlicesByPartition gathered(static_cast<size_t>(num_partitions));
  for (const auto& batches : inputs) {
    for (const PartitionedBatch& batch : batches) {
      for (const auto& slice : batch.slices)
        gathered[static_cast<size_t>(slice.partition)].emplace_back(&batch, &slice);
    }
  }
  return gathered;
}

}  // namespace millrace::physical
