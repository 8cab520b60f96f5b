#include "expression/variant_column.h"

#include "base/error.h"
#include "types/arrow_type.h"

namespace millrace::expression {

using types::TypeId;

arrow::Result<VariantColumn> VariantColumn::Make(const arrow::Datum& datum, arrow::MemoryPool* pool) {
  VariantColumn column;
  column.is_scalar_ = datum.is_scalar();
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> array,
                        ToArray(datum, column.is_scalar_ ? 1 : datum.length(), pool));
  column.rows_ = std::static_pointer_cast<arrow::StructArray>(array);
  column.values_ = std::static_pointer_cast<arrow::BinaryArray>(column.rows_->field(0));
  column.metadata_ = std::static_pointer_cast<arrow::BinaryArray>(column.rows_->field(1));
  return column;
}

arrow::Status VariantColumnBuilder::Reserve(int64_t num_rows) {
  ARROW_RETURN_NOT_OK(values_.Reserve(num_rows));
  ARROW_RETURN_NOT_OK(metadata_.Reserve(num_rows));
  return validity_.Reserve(num_rows);
}

arrow::Status VariantColumnBuilder::Append(std::string_view value, std::string_view metadata) {
  ARROW_RETURN_NOT_OK(values_.Append(value));
  ARROW_RETURN_NOT_OK(metadata_.Append(metadata));
  return validity_.Append(true);
}

arrow::Status VariantColumnBuilder::AppendNull() {
  ARROW_RETURN_NOT_OK(values_.AppendEmptyValue());
  ARROW_RETURN_NOT_OK(metadata_.AppendEmptyValue());
  return validity_.Append(false);
}

arrow::Result<std::shared_ptr<arrow::Array>> VariantColumnBuilder::Finish() {
  int64_t length = values_.length();
  int64_t null_count = validity_.false_count();
  ARROW_ASSIGN_OR_RAISE(auto values, values_.Finish());
  ARROW_ASSIGN_OR_RAISE(auto metadata, metadata_.Finish());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> validity, validity_.Finish());
  return std::make_shared<arrow::StructArray>(types::ToArrow(*types::Variant()), length,
                                              arrow::ArrayVector{std::move(values), std::move(metadata)},
                                              null_count > 0 ? std::move(validity) : nullptr, null_count);
}

bool CanBeVariant(const types::DataType& type, bool structs_and_maps) {
  switch (type.id()) {
    case TypeId::kVariant:
    case TypeId::kBoolean:
    case TypeId::kString:
    case TypeId::kBinary:
      return true;
    case TypeId::kArray:
      return CanBeVariant(*type.element(), structs_and_maps);
    case TypeId::kMap:
      return structs_and_maps && type.key()->id() == TypeId::kString && CanBeVariant(*type.value(), structs_and_maps);
    case TypeId::kStruct:
      if (!structs_and_maps) return false;
      for (const types::StructField& field : type.fields()) {
        if (!CanBeVariant(*field.type, structs_and_maps)) return false;
      }
      return true;
    default:
      return type.is_numeric() || type.is_datetime();
  }
}

arrow::Status VariantTooLarge(std::string_view function) {
  return UserError("VARIANT_SIZE_LIMIT", {{"sizeLimit", "16.0 MiB"}, {"functionName", QuoteIdentifier(function)}});
}

namespace {

bool IsNull(const arrow::ArrayData& data, int64_t row) {
  if (data.type->id() == arrow::Type::NA) return true;
  return data.buffers[0] != nullptr && !arrow::bit_util::GetBit(data.buffers[0]->data(), row + data.offset);
}

std::string_view Bytes(const arrow::ArrayData& data, int64_t row) {
  const auto* offsets = data.GetValues<int32_t>(1);
  const char* bytes = data.buffers[2] == nullptr ? "" : reinterpret_cast<const char*>(data.buffers[2]->data());
  return {bytes + offsets[row], static_cast<size_t>(offsets[row + 1] - offsets[row])};
}

arrow::Status AppendValue(const arrow::ArrayData& data, int64_t row, const types::DataType& type,
                          variant::VariantBuilder* builder);

arrow::Status AppendElements(const arrow::ArrayData& data, int64_t row, const types::DataType& type,
                             variant::VariantBuilder* builder) {
  const auto* offsets = data.GetValues<int32_t>(1);
  size_t start = builder->position();
  std::vector<uint32_t> members;
  for (int32_t i = offsets[row]; i < offsets[row + 1]; ++i) {
    members.push_back(static_cast<uint32_t>(builder->position() - start));
    ARROW_RETURN_NOT_OK(AppendValue(*data.child_data[0], i, *type.element(), builder));
  }
  builder->FinishArray(start, members);
  return arrow::Status::OK();
}

arrow::Status AppendEntries(const arrow::ArrayData& data, int64_t row, const types::DataType& type,
                            variant::VariantBuilder* builder) {
  const auto* offsets = data.GetValues<int32_t>(1);
  const arrow::ArrayData& entries = *data.child_data[0];
  size_t start = builder->position();
  std::vector<variant::VariantBuilder::Field> members;
  for (int64_t i = offsets[row] + entries.offset; i < offsets[row + 1] + entries.offset; ++i) {
    int32_t name = builder->NameId(Bytes(*entries.child_data[0], i));
    members.push_back({name, static_cast<uint32_t>(builder->position() - start)});
    ARROW_RETURN_NOT_OK(AppendValue(*entries.child_data[1], i, *type.value(), builder));
  }
  return builder->FinishObject(start, &members);
}

arrow::Status AppendFields(const arrow::ArrayData& data, int64_t row, const types::DataType& type,
                           variant::VariantBuilder* builder) {
  size_t start = builder->position();
  std::vector<variant::VariantBuilder::Field> members;
  for (size_t i = 0; i < type.fields().size(); ++i) {
    int32_t name = builder->NameId(type.fields()[i].name);
    members.push_back({name, static_cast<uint32_t>(builder->position() - start)});
    ARROW_RETURN_NOT_OK(AppendValue(*data.child_data[i], row + data.offset, *type.fields()[i].type, builder));
  }
  return builder->FinishObject(start, &members);
}

arrow::Status AppendValue(const arrow::ArrayData& data, int64_t row, const types::DataType& type,
                          variant::VariantBuilder* builder) {
  if (IsNull(data, row)) {
    builder->AppendNull();
    return arrow::Status::OK();
  }
  switch (type.id()) {
    case TypeId::kBoolean:
      builder->AppendBoolean(arrow::bit_util::GetBit(data.buffers[1]->data(), row + data.offset));
      break;
    case TypeId::kByte:
      builder->AppendLong(data.GetValues<int8_t>(1)[row]);
      break;
    case TypeId::kShort:
      builder->AppendLong(data.GetValues<int16_t>(1)[row]);
      break;
    case TypeId::kInteger:
      builder->AppendLong(data.GetValues<int32_t>(1)[row]);
      break;
    case TypeId::kLong:
      builder->AppendLong(data.GetValues<int64_t>(1)[row]);
      break;
    case TypeId::kFloat:
      builder->AppendFloat(data.GetValues<float>(1)[row]);
      break;
    case TypeId::kDouble:
      builder->AppendDouble(data.GetValues<double>(1)[row]);
      break;
    case TypeId::kDecimal:
      builder->AppendDecimal(data.GetValues<arrow::Decimal128>(1)[row], type.scale());
      break;
    case TypeId::kString:
      builder->AppendString(Bytes(data, row));
      break;
    case TypeId::kBinary:
      builder->AppendBinary(Bytes(data, row));
      break;
    case TypeId::kDate:
      builder->AppendDate(data.GetValues<int32_t>(1)[row]);
      break;
    case TypeId::kTimestamp:
      builder->AppendTimestamp(data.GetValues<int64_t>(1)[row]);
      break;
    case TypeId::kTimestampNtz:
      builder->AppendTimestampNtz(data.GetValues<int64_t>(1)[row]);
      break;
    case TypeId::kVariant: {
      ARROW_ASSIGN_OR_RAISE(auto value, variant::Variant::Make(Bytes(*data.child_data[0], row + data.offset),
                                                               Bytes(*data.child_data[1], row + data.offset)));
      return builder->AppendVariant(value);
    }
    case TypeId::kArray:
      return AppendElements(data, row, type, builder);
    case TypeId::kMap:
      return AppendEntries(data, row, type, builder);
    case TypeId::kStruct:
      return AppendFields(data, row, type, builder);
    default:
      return InternalError("No variant of " + type.Sql());
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::ArrayData>> ToVariants(const EvalContext& context, const arrow::ArrayData& column,
                                                            const types::DataType& type, std::string_view function) {
  VariantColumnBuilder rows(context.memory_pool);
  ARROW_RETURN_NOT_OK(rows.Reserve(column.length));
  variant::VariantBuilder builder;
  std::string_view value, metadata;
  for (int64_t i = 0; i < column.length; ++i) {
    if (IsNull(column, i)) {
      ARROW_RETURN_NOT_OK(rows.AppendNull());
      continue;
    }
    builder.Reset();
    ARROW_RETURN_NOT_OK(AppendValue(column, i, type, &builder));
    if (!builder.Finish(&value, &metadata)) return VariantTooLarge(function);
    ARROW_RETURN_NOT_OK(rows.Append(value, metadata));
  }
  ARROW_ASSIGN_OR_RAISE(auto array, rows.Finish());
  return array->data();
}

}  // namespace millrace::expression
