#include "physical/rows.h"

#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/type_traits.h>
#include <arrow/util/bit_util.h>

namespace millrace::physical {

std::shared_ptr<arrow::Array> IndexArray(std::vector<int32_t> indices) {
  auto length = static_cast<int64_t>(indices.size());
  return std::make_shared<arrow::Int32Array>(length, arrow::Buffer::FromVector(std::move(indices)));
}

arrow::Result<std::shared_ptr<arrow::Array>> NullableIndexArray(std::vector<int32_t> indices, arrow::MemoryPool* pool) {
  auto length = static_cast<int64_t>(indices.size());
  int64_t num_nulls = std::count_if(indices.begin(), indices.end(), [](int32_t index) { return index < 0; });
  if (num_nulls == 0) return IndexArray(std::move(indices));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> validity, arrow::AllocateEmptyBitmap(length, pool));
  for (int64_t i = 0; i < length; ++i) {
    if (indices[i] >= 0) {
      arrow::bit_util::SetBit(validity->mutable_data(), i);
    } else {
      indices[i] = 0;
    }
  }
  return std::make_shared<arrow::Int32Array>(length, arrow::Buffer::FromVector(std::move(indices)), std::move(validity),
                                             num_nulls);
}

arrow::Result<arrow::ArrayVector> TakeRows(const arrow::ArrayVector& columns,
                                           const std::shared_ptr<arrow::Array>& indices, arrow::MemoryPool* pool) {
  arrow::compute::ExecContext context(pool);
  context.set_use_threads(false);
  arrow::ArrayVector taken;
  taken.reserve(columns.size());
  for (const auto& column : columns) {
    if (column->length() == 0 && indices->length() > 0) {
      // All indices are null: an outer join with an empty side.
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> nulls,
                            arrow::MakeArrayOfNull(column->type(), indices->length(), pool));
      taken.push_back(std::move(nulls));
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(
        arrow::Datum rows,
        arrow::compute::Take(column, indices, arrow::compute::TakeOptions::NoBoundsCheck(), &context));
    taken.push_back(rows.make_array());
  }
  return taken;
}

namespace {

std::shared_ptr<arrow::ArrayData> RelabelData(const std::shared_ptr<arrow::ArrayData>& data,
                                              const std::shared_ptr<arrow::DataType>& type) {
  std::shared_ptr<arrow::ArrayData> copy = data->Copy();
  copy->type = type;
  for (size_t i = 0; i < copy->child_data.size(); ++i) {
    copy->child_data[i] = RelabelData(copy->child_data[i], type->field(static_cast<int>(i))->type());
  }
  return copy;
}

}  // namespace

std::vector<std::shared_ptr<arrow::ArrayData>> DataOf(const arrow::ArrayVector& columns) {
  std::vector<std::shared_ptr<arrow::ArrayData>> data;
  data.reserve(columns.size());
  for (const auto& column : columns) data.push_back(column->data());
  return data;
}

std::shared_ptr<arrow::Array> Relabel(const std::shared_ptr<arrow::Array>& array,
                                      const std::shared_ptr<arrow::DataType>& type) {
  // Texts and binaries are laid out alike, and functions over both may say the one of the other.
  bool alike = arrow::is_binary_like(array->type_id()) && arrow::is_binary_like(type->id());
  if ((array->type()->num_fields() == 0 && !alike) || array->type()->Equals(*type)) return array;
  return arrow::MakeArray(RelabelData(array->data(), type));
}

arrow::Result<std::shared_ptr<arrow::Array>> ConcatenateArrays(arrow::ArrayVector pieces,
                                                               const std::shared_ptr<arrow::DataType>& type,
                                                               arrow::MemoryPool* pool) {
  if (pieces.empty()) return arrow::MakeEmptyArray(type, pool);
  for (auto& piece : pieces) piece = Relabel(piece, type);
  if (pieces.size() == 1) return pieces[0];
  return arrow::Concatenate(pieces, pool);
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ConcatenateBatches(const std::shared_ptr<arrow::Schema>& schema,
                                                                      const Batches& batches, arrow::MemoryPool* pool) {
  if (batches.size() == 1) return WithSchema(batches[0], schema);
  arrow::ArrayVector columns;
  for (int c = 0; c < schema->num_fields(); ++c) {
    arrow::ArrayVector pieces;
    pieces.reserve(batches.size());
    for (const auto& batch : batches) pieces.push_back(batch->column(c));
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> column,
                          ConcatenateArrays(std::move(pieces), schema->field(c)->type(), pool));
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(schema, CountRows(batches), std::move(columns));
}

std::shared_ptr<arrow::RecordBatch> WithSchema(const std::shared_ptr<arrow::RecordBatch>& batch,
                                               const std::shared_ptr<arrow::Schema>& schema) {
  if (batch->schema() == schema) return batch;
  arrow::ArrayVector columns = batch->columns();
  for (size_t c = 0; c < columns.size(); ++c) {
    columns[c] = Relabel(columns[c], schema->field(static_cast<int>(c))->type());
  }
  return arrow::RecordBatch::Make(schema, batch->num_rows(), std::move(columns));
}

arrow::Result<Batches> SplitRows(const std::shared_ptr<arrow::RecordBatch>& batch,
                                 const std::vector<int32_t>& partition_ids, int num_partitions,
                                 arrow::MemoryPool* pool) {
  std::vector<std::vector<int32_t>> rows(static_cast<size_t>(num_partitions));
  for (size_t i = 0; i < partition_ids.size(); ++i) {
    rows[static_cast<size_t>(partition_ids[i])].push_back(static_cast<int32_t>(i));
  }
  Batches parts(static_cast<size_t>(num_partitions));
  for (size_t p = 0; p < parts.size(); ++p) {
    auto num_rows = static_cast<int64_t>(rows[p].size());
    if (num_rows == 0) continue;
    if (num_rows == batch->num_rows()) {
      parts[p] = batch;
      break;
    }
    ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector columns, TakeRows(batch->columns(), IndexArray(std::move(rows[p])), pool));
    parts[p] = arrow::RecordBatch::Make(batch->schema(), num_rows, std::move(columns));
  }
  return parts;
}

namespace {

class MemoryStream final : public BatchStream {
 public:
  MemoryStream(Batches batches, int64_t max_rows) : batches_(std::move(batches)), max_rows_(max_rows) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (next_ == batches_.size()) return nullptr;
    const std::shared_ptr<arrow::RecordBatch>& batch = batches_[next_];
    std::shared_ptr<arrow::RecordBatch> result = batch;
    if (batch->num_rows() > max_rows_) result = batch->Slice(row_, max_rows_);
    row_ += result->num_rows();
    if (row_ >= batch->num_rows()) {
      row_ = 0;
      batches_[next_++] = nullptr;
    }
    return result;
  }

 private:
  Batches batches_;
  int64_t max_rows_;
  size_t next_ = 0;
  int64_t row_ = 0;
};

class EvenStream final : public BatchStream {
 public:
  EvenStream(std::unique_ptr<BatchStream> input, std::shared_ptr<arrow::Schema> schema, int64_t batch_rows,
             arrow::MemoryPool* pool)
      : input_(std::move(input)), schema_(std::move(schema)), batch_rows_(batch_rows), pool_(pool) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (large_ == nullptr && held_ == nullptr) ARROW_RETURN_NOT_OK(Fill());
    if (large_ != nullptr) {
      std::shared_ptr<arrow::RecordBatch> slice = large_->Slice(row_, batch_rows_);
      row_ += slice->num_rows();
      if (row_ >= large_->num_rows()) large_ = nullptr;
      return slice;
    }
    return std::move(held_);
  }

 private:
  // Leaves the next batch in `held_`, or in `large_` when it is to be cut; neither at the end.
  arrow::Status Fill() {
    Batches small;
    int64_t num_rows = 0;
    // Copying pays only where batches are so small that what a batch costs outweighs its rows.
    while (num_rows * 16 < batch_rows_) {
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatch> batch, input_->Next());
      if (batch == nullptr) break;
      if (batch->num_rows() == 0) continue;
      num_rows += batch->num_rows();
      small.push_back(std::move(batch));
    }
    if (small.empty()) return arrow::Status::OK();
    std::shared_ptr<arrow::RecordBatch> merged = small[0];
    if (small.size() > 1) {
      ARROW_ASSIGN_OR_RAISE(merged, ConcatenateBatches(schema_, small, pool_));
    }
    if (merged->num_rows() > 2 * batch_rows_) {
      large_ = std::move(merged);
      row_ = 0;
    } else {
      held_ = std::move(merged);
    }
    return arrow::Status::OK();
  }

  std::unique_ptr<BatchStream> input_;
  std::shared_ptr<arrow::Schema> schema_;
  int64_t batch_rows_;
  arrow::MemoryPool* pool_;
  std::shared_ptr<arrow::RecordBatch> held_;
  std::shared_ptr<arrow::RecordBatch> large_;
  int64_t row_ = 0;
};

}  // namespace

std::unique_ptr<BatchStream> StreamOf(Batches batches, int64_t max_rows) {
  return std::make_unique<MemoryStream>(std::move(batches), max_rows);
}

std::unique_ptr<BatchStream> EvenBatches(std::unique_ptr<BatchStream> input, std::shared_ptr<arrow::Schema> schema,
                                         int64_t batch_rows, arrow::MemoryPool* pool) {
  return std::make_unique<EvenStream>(std::move(input), std::move(schema), batch_rows, pool);
}

int64_t CountRows(const Batches& batches) {
  int64_t num_rows = 0;
  for (const auto& batch : batches) num_rows += batch->num_rows();
  return num_rows;
}

}  // namespace millrace::physical
