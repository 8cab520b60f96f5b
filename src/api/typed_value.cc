#include "millrace/typed_value.h"

#include <arrow/array.h>
#include <arrow/builder.h>

#include "base/error.h"
#include "base/json_value.h"

namespace millrace::api {

using arrow::Status;
using arrow::Type;

bool ValueReader::IsNull() const { return column_->IsNull(row_); }

bool ValueReader::Bool() const { return static_cast<const arrow::BooleanArray&>(*column_).Value(row_); }

int64_t ValueReader::Integer() const {
  switch (column_->type_id()) {
    case Type::INT8:
      return static_cast<const arrow::Int8Array&>(*column_).Value(row_);
    case Type::INT16:
      return static_cast<const arrow::Int16Array&>(*column_).Value(row_);
    case Type::INT32:
      return static_cast<const arrow::Int32Array&>(*column_).Value(row_);
    case Type::DATE32:
      return static_cast<const arrow::Date32Array&>(*column_).Value(row_);
    case Type::TIMESTAMP:
      return static_cast<const arrow::TimestampArray&>(*column_).Value(row_);
    default:
      return static_cast<const arrow::Int64Array&>(*column_).Value(row_);
  }
}

double ValueReader::Floating() const {
  if (column_->type_id() == Type::FLOAT) {
    return static_cast<double>(static_cast<const arrow::FloatArray&>(*column_).Value(row_));
  }
  return static_cast<const arrow::DoubleArray&>(*column_).Value(row_);
}

std::string_view ValueReader::Bytes() const { return static_cast<const arrow::BinaryArray&>(*column_).GetView(row_); }

ValueReader ValueReader::Field(int i) const {
  // The struct keeps the array.
  return ValueReader(static_cast<const arrow::StructArray&>(*column_).field(i).get(), row_);
}

// Maps are lists of their entries.
int64_t ValueReader::Size() const { return static_cast<const arrow::ListArray&>(*column_).value_length(row_); }

ValueReader ValueReader::Element(int64_t i) const {
  const auto& list = static_cast<const arrow::ListArray&>(*column_);
  return ValueReader(list.values().get(), list.value_offset(row_) + i);
}

ValueReader ValueReader::Key(int64_t i) const {
  const auto& map = static_cast<const arrow::MapArray&>(*column_);
  return ValueReader(map.keys().get(), map.value_offset(row_) + i);
}

ValueReader ValueReader::Value(int64_t i) const {
  const auto& map = static_cast<const arrow::MapArray&>(*column_);
  return ValueReader(map.items().get(), map.value_offset(row_) + i);
}

Status ValueWriter::Null() const { return builder_->AppendNull(); }

Status ValueWriter::Bool(bool value) const { return static_cast<arrow::BooleanBuilder*>(builder_)->Append(value); }

Status ValueWriter::Integer(int64_t value) const {
  switch (builder_->type()->id()) {
    case Type::INT8:
      return static_cast<arrow::Int8Builder*>(builder_)->Append(static_cast<int8_t>(value));
    case Type::INT16:
      return static_cast<arrow::Int16Builder*>(builder_)->Append(static_cast<int16_t>(value));
    case Type::INT32:
      return static_cast<arrow::Int32Builder*>(builder_)->Append(static_cast<int32_t>(value));
    case Type::DATE32:
      return static_cast<arrow::Date32Builder*>(builder_)->Append(static_cast<int32_t>(value));
    case Type::TIMESTAMP:
      return static_cast<arrow::TimestampBuilder*>(builder_)->Append(value);
    default:
      return static_cast<arrow::Int64Builder*>(builder_)->Append(value);
  }
}

Status ValueWriter::Floating(double value) const {
  if (builder_->type()->id() == Type::FLOAT) {
    return static_cast<arrow::FloatBuilder*>(builder_)->Append(static_cast<float>(value));
  }
  return static_cast<arrow::DoubleBuilder*>(builder_)->Append(value);
}

Status ValueWriter::Bytes(std::string_view value) const {
  return static_cast<arrow::BinaryBuilder*>(builder_)->Append(value);
}

Status ValueWriter::BeginStruct() const { return static_cast<arrow::StructBuilder*>(builder_)->Append(); }
ValueWriter ValueWriter::Field(int i) const {
  return ValueWriter(static_cast<arrow::StructBuilder*>(builder_)->field_builder(i));
}
Status ValueWriter::BeginList() const { return static_cast<arrow::ListBuilder*>(builder_)->Append(); }
ValueWriter ValueWriter::Element() const {
  return ValueWriter(static_cast<arrow::ListBuilder*>(builder_)->value_builder());
}
Status ValueWriter::BeginMap() const { return static_cast<arrow::MapBuilder*>(builder_)->Append(); }
ValueWriter ValueWriter::Key() const { return ValueWriter(static_cast<arrow::MapBuilder*>(builder_)->key_builder()); }
ValueWriter ValueWriter::Value() const {
  return ValueWriter(static_cast<arrow::MapBuilder*>(builder_)->item_builder());
}

Status UnexpectedNull(std::string_view type) {
  return UserError("NOT_NULL_ASSERT_VIOLATION",
                   {{"walkedTypePath", "a value of type " + std::string(type) + ". In C++ it is a std::optional.\n"}});
}

void AppendFieldJson(std::string_view name, const std::string& type, bool nullable, std::string* json) {
  if (!json->empty()) json->push_back(',');
  *json += "{\"name\":" + JsonValue::String(std::string(name)).ToString() + ",\"type\":" + type +
           ",\"nullable\":" + (nullable ? "true" : "false") + ",\"metadata\":{}}";
}

}  // namespace millrace::api
