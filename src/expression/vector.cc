#include "expression/vector.h"

#include <algorithm>

#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>

namespace millrace::expression {

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
      ARROW_ASSIGN_OR_RAISE(result, arrow::compute::Take(*column, indices,
                                                         arrow::compute::TakeOptions::NoBoundsCheck(), &exec));
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
