#include "expression/vector.h"

#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/util/bitmap_ops.h>

#include <algorithm>

namespace millrace::expression {

bool AnyNullScalar(const std::vector<arrow::Datum>& arguments) {
  return std::any_of(arguments.begin(), arguments.end(),
                     [](const arrow::Datum& argument) { return argument.is_scalar() && !argument.scalar()->is_valid; });
}

arrow::Result<std::shared_ptr<arrow::Buffer>> CombinedValidity(const std::vector<arrow::Datum>& arguments,
                                                               int64_t num_rows, arrow::MemoryPool* pool) {
  std::shared_ptr<arrow::Buffer> combined;
  for (const arrow::Datum& argument : arguments) {
    if (argument.is_scalar() || argument.null_count() == 0) continue;
    const arrow::ArrayData& data = *argument.array();
    if (data.type->id() == arrow::Type::NA) return arrow::AllocateEmptyBitmap(num_rows, pool);
    const uint8_t* bits = data.buffers[0]->data();
    if (combined == nullptr) {
      ARROW_ASSIGN_OR_RAISE(combined, arrow::internal::CopyBitmap(pool, bits, data.offset, num_rows));
    } else {
      ARROW_ASSIGN_OR_RAISE(combined,
                            arrow::internal::BitmapAnd(pool, combined->data(), 0, bits, data.offset, num_rows, 0));
    }
  }
  return combined;
}

arrow::Result<std::shared_ptr<arrow::Array>> ToArray(const arrow::Datum& datum, int64_t num_rows,
                                                     arrow::MemoryPool* pool) {
  if (!datum.is_scalar()) return datum.make_array();
  if (!datum.scalar()->is_valid) return arrow::MakeArrayOfNull(datum.scalar()->type, num_rows, pool);
  return arrow::MakeArrayFromScalar(*datum.scalar(), num_rows, pool);
}

std::shared_ptr<arrow::ArrayData> WithType(const std::shared_ptr<arrow::ArrayData>& data,
                                           const std::shared_ptr<arrow::DataType>& type) {
  if (data->type->Equals(*type)) return data;
  std::shared_ptr<arrow::ArrayData> copy = data->Copy();
  copy->type = type;
  for (size_t i = 0; i < copy->child_data.size(); ++i) {
    copy->child_data[i] = WithType(copy->child_data[i], type->field(static_cast<int>(i))->type());
  }
  return copy;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> TakeColumns(const arrow::RecordBatch& batch,
                                                               const arrow::Array& indices,
                                                               const std::vector<int>& columns,
                                                               arrow::MemoryPool* pool) {
  arrow::compute::ExecContext exec(pool);
  arrow::ArrayVector taken;
  taken.reserve(static_cast<size_t>(batch.num_columns()));
  for (int i = 0; i < batch.num_columns(); ++i) {
    const std::shared_ptr<arrow::Array>& column = batch.column(i);
    std::shared_ptr<arrow::Array> result;
    if (std::find(columns.begin(), columns.end(), i) != columns.end()) {
      ARROW_ASSIGN_OR_RAISE(
          result, arrow::compute::Take(*column, indices, arrow::compute::TakeOptions::NoBoundsCheck(), &exec));
    } else if (indices.length() <= column->length()) {
      result = column->Slice(0, indices.length());  // costs nothing; nobody reads it
    } else {
      ARROW_ASSIGN_OR_RAISE(result, arrow::MakeArrayOfNull(column->type(), indices.length(), pool));
    }
    taken.push_back(std::move(result));
  }
  return arrow::RecordBatch::Make(batch.schema(), indices.length(), std::move(taken));
}

}  // namespace millrace::expression
