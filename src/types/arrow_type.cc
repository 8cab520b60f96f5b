#include "types/arrow_type.h"

#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include "base/error.h"

namespace millrace::types {

namespace {

constexpr const char* kVariantMark = "variant";

std::shared_ptr<arrow::DataType> VariantStruct() {
  static const std::shared_ptr<arrow::DataType> type =
      arrow::struct_({arrow::field("value", arrow::binary(), /*nullable=*/false),
                      arrow::field("metadata", arrow::binary(), /*nullable=*/false,
                                   arrow::key_value_metadata({kVariantMark}, {"true"}))});
  return type;
}

}  // namespace

bool IsVariantStruct(const arrow::DataType& type) {
  if (type.id() != arrow::Type::STRUCT || type.num_fields() != 2) return false;
  for (const auto& field : type.fields()) {
    if (field->name() == "metadata" && field->metadata() != nullptr && field->metadata()->Contains(kVariantMark)) {
      return true;
    }
  }
  return false;
}

std::shared_ptr<arrow::DataType> ToArrow(const DataType& type) {
  switch (type.id()) {
    case TypeId::kNull:
      return arrow::null();
    case TypeId::kBoolean:
      return arrow::boolean();
    case TypeId::kByte:
      return arrow::int8();
    case TypeId::kShort:
      return arrow::int16();
    case TypeId::kInteger:
      return arrow::int32();
    case TypeId::kLong:
      return arrow::int64();
    case TypeId::kFloat:
      return arrow::float32();
    case TypeId::kDouble:
      return arrow::float64();
    case TypeId::kDecimal:
      return arrow::decimal128(type.precision(), type.scale());
    case TypeId::kString:
      return arrow::utf8();
    case TypeId::kBinary:
      return arrow::binary();
    case TypeId::kDate:
      return arrow::date32();
    case TypeId::kTimestamp:
      return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    case TypeId::kTimestampNtz:
      return arrow::timestamp(arrow::TimeUnit::MICRO);
    case TypeId::kYearMonthInterval:
      return arrow::month_interval();
    case TypeId::kDayTimeInterval:
      return arrow::duration(arrow::TimeUnit::MICRO);
    case TypeId::kCalendarInterval:
      return arrow::month_day_nano_interval();
    case TypeId::kTime:
      return arrow::time64(arrow::TimeUnit::NANO);
    case TypeId::kVariant:
      return VariantStruct();
    case TypeId::kArray:
      return arrow::list(arrow::field("element", ToArrow(*type.element()), type.contains_null()));
    case TypeId::kMap:
      return arrow::map(ToArrow(*type.key()),
                        arrow::field("value", ToArrow(*type.value()), type.value_contains_null()));
    case TypeId::kStruct: {
      arrow::FieldVector fields;
      for (const StructField& field : type.fields()) fields.push_back(ToArrow(field));
      return arrow::struct_(std::move(fields));
    }
  }
  return arrow::null();
}

std::shared_ptr<arrow::Field> ToArrow(const StructField& field) {
  return arrow::field(field.name, ToArrow(*field.type), field.nullable);
}

std::shared_ptr<arrow::Schema> ToArrowSchema(const DataType& struct_type) {
  arrow::FieldVector fields;
  for (const StructField& field : struct_type.fields()) fields.push_back(ToArrow(field));
  return arrow::schema(std::move(fields));
}

namespace {

arrow::Result<StructField> FieldFromArrow(const arrow::Field& field) {
  ARROW_ASSIGN_OR_RAISE(DataTypePtr type, FromArrow(*field.type()));
  return StructField{field.name(), std::move(type), field.nullable(), ""};
}

}  // namespace

arrow::Result<DataTypePtr> FromArrow(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::NA:
      return Null();
    case arrow::Type::BOOL:
      return Boolean();
    case arrow::Type::INT8:
      return Byte();
    case arrow::Type::INT16:
    case arrow::Type::UINT8:
      return Short();
    case arrow::Type::INT32:
    case arrow::Type::UINT16:
      return Integer();
    case arrow::Type::INT64:
    case arrow::Type::UINT32:
      return Long();
    case arrow::Type::UINT64:
      return Decimal(20, 0);
    case arrow::Type::HALF_FLOAT:
    case arrow::Type::FLOAT:
      return Float();
    case arrow::Type::DOUBLE:
      return Double();
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::Decimal128Type&>(type);
      return Decimal(decimal.precision(), decimal.scale());
    }
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW:
      return String();
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::BINARY_VIEW:
    case arrow::Type::FIXED_SIZE_BINARY:
      return Binary();
    case arrow::Type::DATE32:
    case arrow::Type::DATE64:
      return Date();
    case arrow::Type::TIMESTAMP:
      return static_cast<const arrow::TimestampType&>(type).timezone().empty() ? TimestampNtz() : Timestamp();
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
      return Time(kMicrosPrecision);
    case arrow::Type::INTERVAL_MONTHS:
      return YearMonthInterval();
    case arrow::Type::DURATION:
      return DayTimeInterval();
    case arrow::Type::INTERVAL_MONTH_DAY_NANO:
      return CalendarInterval();
    case arrow::Type::DICTIONARY:
      return FromArrow(*static_cast<const arrow::DictionaryType&>(type).value_type());
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST: {
      const auto& element = static_cast<const arrow::BaseListType&>(type).value_field();
      ARROW_ASSIGN_OR_RAISE(DataTypePtr element_type, FromArrow(*element->type()));
      return Array(std::move(element_type), element->nullable());
    }
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(type);
      ARROW_ASSIGN_OR_RAISE(DataTypePtr key, FromArrow(*map.key_type()));
      ARROW_ASSIGN_OR_RAISE(DataTypePtr value, FromArrow(*map.item_type()));
      return Map(std::move(key), std::move(value), map.item_field()->nullable());
    }
    case arrow::Type::STRUCT: {
      if (IsVariantStruct(type)) return Variant();
      std::vector<StructField> fields;
      for (const auto& field : type.fields()) {
        ARROW_ASSIGN_OR_RAISE(StructField one, FieldFromArrow(*field));
        fields.push_back(std::move(one));
      }
      return Struct(std::move(fields));
    }
    case arrow::Type::EXTENSION: {
      // A Parquet group that says it is a variant.
      const auto& extension = static_cast<const arrow::ExtensionType&>(type);
      if (extension.extension_name() == "arrow.parquet.variant") return Variant();
      return FromArrow(*extension.storage_type());
    }
    default:
      return UserError("UNSUPPORTED_ARROWTYPE", {{"typeName", type.ToString()}});
  }
}

arrow::Result<DataTypePtr> FromArrowSchema(const arrow::Schema& schema) {
  std::vector<StructField> fields;
  for (const auto& field : schema.fields()) {
    ARROW_ASSIGN_OR_RAISE(StructField one, FieldFromArrow(*field));
    fields.push_back(std::move(one));
  }
  return Struct(std::move(fields));
}

}  // namespace millrace::types
