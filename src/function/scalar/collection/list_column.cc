#include "function/scalar/collection/list_column.h"

#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>

#include "base/error.h"
#include "types/arrow_type.h"

namespace millrace::function {

arrow::Result<ListColumn> ListColumn::Make(const arrow::Datum& datum, int64_t num_rows, arrow::MemoryPool* pool) {
  ListColumn column;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> array, expression::ToArray(datum, num_rows, pool));
  if (array->type_id() == arrow::Type::MAP) {
    // A map lies in memory as a list of structs.
    std::shared_ptr<arrow::ArrayData> data = array->data()->Copy();
    const auto& map_type = static_cast<const arrow::MapType&>(*array->type());
    data->type = arrow::list(map_type.value_field());
    array = arrow::MakeArray(data);
  }
  column.list_ = std::static_pointer_cast<arrow::ListArray>(std::move(array));
  column.values_ = column.list_->values();
  return column;
}

ListMaker::ListMaker(int64_t num_rows, arrow::MemoryPool* pool) : pool_(pool), indices_(pool) {
  offsets_.reserve(static_cast<size_t>(num_rows) + 1);
  valid_.reserve(static_cast<size_t>(num_rows));
}

arrow::Status ListMaker::AddRange(int64_t begin, int64_t end) {
  ARROW_RETURN_NOT_OK(indices_.Reserve(end - begin));
  for (int64_t i = begin; i < end; ++i) indices_.UnsafeAppend(i);
  return arrow::Status::OK();
}

void ListMaker::Close(bool valid) {
  offsets_.push_back(static_cast<int32_t>(external_ >= 0 ? external_ : indices_.length()));
  valid_.push_back(valid);
  null_count_ += !valid;
}

arrow::Result<std::shared_ptr<arrow::Array>> ListMaker::Finish(const types::DataType& type,
                                                               const std::shared_ptr<arrow::Array>& values) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> indices, indices_.Finish());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> elements, Gather(*values, *indices, pool_));
  return FinishWith(type, elements);
}

arrow::Result<std::shared_ptr<arrow::Array>> ListMaker::FinishWith(const types::DataType& type,
                                                                   const std::shared_ptr<arrow::Array>& elements) {
  auto n = static_cast<int64_t>(valid_.size());
  std::shared_ptr<arrow::Buffer> validity;
  if (null_count_ > 0) {
    ARROW_ASSIGN_OR_RAISE(validity, arrow::AllocateEmptyBitmap(n, pool_));
    for (int64_t i = 0; i < n; ++i) {
      if (valid_[static_cast<size_t>(i)]) arrow::bit_util::SetBit(validity->mutable_data(), i);
    }
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> offsets,
                        arrow::AllocateBuffer((n + 1) * static_cast<int64_t>(sizeof(int32_t)), pool_));
  std::memcpy(offsets->mutable_data(), offsets_.data(), offsets_.size() * sizeof(int32_t));
  std::shared_ptr<arrow::DataType> arrow_type = types::ToArrow(type);
  std::shared_ptr<arrow::ArrayData> child = expression::WithType(elements->data(), arrow_type->field(0)->type());
  return arrow::MakeArray(arrow::ArrayData::Make(std::move(arrow_type), n, {std::move(validity), std::move(offsets)},
                                                 {std::move(child)}, null_count_));
}

arrow::Result<std::shared_ptr<arrow::Array>> Gather(const arrow::Array& values, const arrow::Array& indices,
                                                    arrow::MemoryPool* pool) {
  if (values.length() == 0 || values.type_id() == arrow::Type::NA) {
    return arrow::MakeArrayOfNull(values.type(), indices.length(), pool);
  }
  arrow::compute::ExecContext exec(pool);
  return arrow::compute::Take(values, indices, arrow::compute::TakeOptions::NoBoundsCheck(), &exec);
}

arrow::Status ExpectArray(const BindInput& input, size_t index) {
  if (input.arguments[index]->type()->id() == types::TypeId::kArray) return arrow::Status::OK();
  return UnexpectedInputType(input, index, QuoteSqlType("ARRAY"));
}

arrow::Status ExpectMap(const BindInput& input, size_t index) {
  if (input.arguments[index]->type()->id() == types::TypeId::kMap) return arrow::Status::OK();
  return UnexpectedInputType(input, index, QuoteSqlType("MAP"));
}

}  // namespace millrace::function
