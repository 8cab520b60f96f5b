#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <memory>
#include <vector>

#include "physical/operator.h"

/// Moving rows about: selection by index, concatenation, cutting and merging of batches.

namespace millrace::physical {

/// The vector as an int32 array, without a copy.
std::shared_ptr<arrow::Array> IndexArray(std::vector<int32_t> indices);
/// As IndexArray; negative indices are NULL (Take makes NULLs of them).
arrow::Result<std::shared_ptr<arrow::Array>> NullableIndexArray(std::vector<int32_t> indices, arrow::MemoryPool* pool);

/// Rows at `indices` (int32 or int64, in bounds) of each column.
arrow::Result<arrow::ArrayVector> TakeRows(const arrow::ArrayVector& columns,
                                           const std::shared_ptr<arrow::Array>& indices, arrow::MemoryPool* pool);

/// The data of each column, as encoders and hashes take it.
std::vector<std::shared_ptr<arrow::ArrayData>> DataOf(const arrow::ArrayVector& columns);

/// `array` with `type` in place of its own, which differs in the nullability or names of nested fields at most.
std::shared_ptr<arrow::Array> Relabel(const std::shared_ptr<arrow::Array>& array,
                                      const std::shared_ptr<arrow::DataType>& type);

/// One array of all pieces. Errors: Invalid when strings exceed 2 GiB.
arrow::Result<std::shared_ptr<arrow::Array>> ConcatenateArrays(arrow::ArrayVector pieces,
                                                               const std::shared_ptr<arrow::DataType>& type,
                                                               arrow::MemoryPool* pool);
/// One batch of all rows; never null.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> ConcatenateBatches(const std::shared_ptr<arrow::Schema>& schema,
                                                                      const Batches& batches, arrow::MemoryPool* pool);

/// The batch's columns under `schema`, whose types may differ in nested nullability only.
std::shared_ptr<arrow::RecordBatch> WithSchema(const std::shared_ptr<arrow::RecordBatch>& batch,
                                               const std::shared_ptr<arrow::Schema>& schema);

/// Rows of `batch` by destination: rows with partition_ids[i] == p go to result p, order kept; null for no rows.
arrow::Result<Batches> SplitRows(const std::shared_ptr<arrow::RecordBatch>& batch,
                                 const std::vector<int32_t>& partition_ids, int num_partitions,
                                 arrow::MemoryPool* pool);

/// Yields the rows of batches in memory, cut to at most `max_rows` each.
std::unique_ptr<BatchStream> StreamOf(Batches batches, int64_t max_rows);

/// Merges runs of tiny batches (below a sixteenth of `batch_rows`) and cuts those above twice `batch_rows`.
std::unique_ptr<BatchStream> EvenBatches(std::unique_ptr<BatchStream> input, std::shared_ptr<arrow::Schema> schema,
                                         int64_t batch_rows, arrow::MemoryPool* pool);

int64_t CountRows(const Batches& batches);

}  // namespace millrace::physical
