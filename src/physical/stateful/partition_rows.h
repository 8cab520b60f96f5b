#pragma once

#include <functional>
#include <vector>

#include "physical/operator.h"
#include "types/data_type.h"

namespace millrace::physical {

/// A batch whose rows lie in the order of their state partitions, those of one partition in the order they came.
struct PartitionedBatch {
  std::shared_ptr<arrow::RecordBatch> rows;
  /// Rows of the i-th partition that has some.
  struct Slice {
    int32_t partition = 0;
    int64_t begin = 0;
    int64_t length = 0;
  };
  std::vector<Slice> slices;

  std::shared_ptr<arrow::RecordBatch> SliceOf(const Slice& slice) const {
    return rows->Slice(slice.begin, slice.length);
  }
};

/// Sorts the rows of `batch` (only `selected`, when given: ascending row numbers) by state partition, which is Spark's
/// hash of the columns `keys` (none: partition 0).
arrow::Result<PartitionedBatch> PartitionRows(const std::shared_ptr<arrow::RecordBatch>& batch,
                                              const std::vector<int32_t>* selected, const std::vector<int>& keys,
                                              const std::vector<types::DataTypePtr>& key_types, int num_partitions,
                                              arrow::MemoryPool* pool);

/// For each state partition the slices of it, in order of arrival: (batch, slice).
using SlicesByPartition = std::vector<std::vector<std::pair<const PartitionedBatch*, const PartitionedBatch::Slice*>>>;
SlicesByPartition GatherSlices(const std::vector<std::vector<PartitionedBatch>>& inputs, int num_partitions);

}  // namespace millrace::physical
