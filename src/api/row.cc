#include "millrace/row.h"

#include <arrow/array.h>
#include <arrow/scalar.h>

namespace millrace {

bool Row::IsNull(int column) const { return batch_->column(column)->IsNull(index_); }

arrow::Result<int> Row::Find(std::string_view column) const {
  int index = batch_->schema()->GetFieldIndex(std::string(column));
  if (index < 0) return arrow::Status::KeyError("The row has no column ", column);
  if (IsNull(index)) return arrow::Status::Invalid("The column ", column, " is NULL");
  return index;
}

namespace {

arrow::Status WrongType(std::string_view column, const arrow::DataType& type, std::string_view wanted) {
  return arrow::Status::TypeError("The column ", column, " is ", type.ToString(), ", not ", wanted);
}

}  // namespace

arrow::Result<std::string> Row::GetString(std::string_view column) const {
  ARROW_ASSIGN_OR_RAISE(int index, Find(column));
  const arrow::Array& array = *batch_->column(index);
  if (array.type_id() != arrow::Type::STRING && array.type_id() != arrow::Type::BINARY) {
    return WrongType(column, *array.type(), "text");
  }
  return std::string(static_cast<const arrow::BinaryArray&>(array).GetView(index_));
}

arrow::Result<int64_t> Row::GetInt64(std::string_view column) const {
  ARROW_ASSIGN_OR_RAISE(int index, Find(column));
  const arrow::Array& array = *batch_->column(index);
  switch (array.type_id()) {
    case arrow::Type::INT8:
      return static_cast<const arrow::Int8Array&>(array).Value(index_);
    case arrow::Type::INT16:
      return static_cast<const arrow::Int16Array&>(array).Value(index_);
    case arrow::Type::INT32:
      return static_cast<const arrow::Int32Array&>(array).Value(index_);
    case arrow::Type::INT64:
      return static_cast<const arrow::Int64Array&>(array).Value(index_);
    default:
      return WrongType(column, *array.type(), "a whole number");
  }
}

arrow::Result<double> Row::GetDouble(std::string_view column) const {
  ARROW_ASSIGN_OR_RAISE(int index, Find(column));
  const arrow::Array& array = *batch_->column(index);
  if (array.type_id() == arrow::Type::FLOAT) return static_cast<const arrow::FloatArray&>(array).Value(index_);
  if (array.type_id() == arrow::Type::DOUBLE) return static_cast<const arrow::DoubleArray&>(array).Value(index_);
  return WrongType(column, *array.type(), "a floating-point number");
}

arrow::Result<bool> Row::GetBool(std::string_view column) const {
  ARROW_ASSIGN_OR_RAISE(int index, Find(column));
  const arrow::Array& array = *batch_->column(index);
  if (array.type_id() != arrow::Type::BOOL) return WrongType(column, *array.type(), "a boolean");
  return static_cast<const arrow::BooleanArray&>(array).Value(index_);
}

arrow::Result<int64_t> Row::GetTimestampMicros(std::string_view column) const {
  ARROW_ASSIGN_OR_RAISE(int index, Find(column));
  const arrow::Array& array = *batch_->column(index);
  if (array.type_id() != arrow::Type::TIMESTAMP) return WrongType(column, *array.type(), "a timestamp");
  return static_cast<const arrow::TimestampArray&>(array).Value(index_);
}

std::string Row::ToString() const {
  std::string text = "Row(";
  for (int i = 0; i < num_columns(); ++i) {
    if (i > 0) text += ", ";
    text += batch_->schema()->field(i)->name() + "=";
    const arrow::Array& array = *batch_->column(i);
    auto scalar = array.GetScalar(index_);
    bool quoted = array.type_id() == arrow::Type::STRING || array.type_id() == arrow::Type::TIMESTAMP ||
                  array.type_id() == arrow::Type::DATE32;
    if (!scalar.ok() || !(*scalar)->is_valid) {
      text += "None";
    } else {
      std::string value = (*scalar)->ToString();
      text += quoted ? "'" + value + "'" : value;
    }
  }
  return text + ")";
}

}  // namespace millrace
