#include "connect/encode/literal.h"

#include <arrow/array.h>

#include "analyzer/analyzer.h"
#include "spark/connect/expressions.pb.h"
#include "sql/data_type_proto.h"

// Clients up to 4.0 read the types of elements where the message now calls them deprecated.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace millrace::connect {

namespace {

using Literal = spark::connect::Expression_Literal;

std::string Bytes(const arrow::Scalar& value) {
  return std::string(static_cast<const arrow::BaseBinaryScalar&>(value).view());
}

arrow::Status EncodeDecimal(const arrow::Scalar& value, const types::DataType& type, Literal* out) {
  const auto& decimal = static_cast<const arrow::Decimal128Scalar&>(value);
  out->mutable_decimal()->set_value(decimal.value.ToString(type.scale()));
  out->mutable_decimal()->set_precision(type.precision());
  out->mutable_decimal()->set_scale(type.scale());
  return arrow::Status::OK();
}

arrow::Status EncodeElements(const arrow::Array& values, const types::DataType& type,
                             google::protobuf::RepeatedPtrField<Literal>* out) {
  for (int64_t i = 0; i < values.length(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto element, values.GetScalar(i));
    ARROW_RETURN_NOT_OK(EncodeLiteral(*element, type, out->Add()));
  }
  return arrow::Status::OK();
}

arrow::Status EncodeStruct(const arrow::Scalar& value, const types::DataType& type, Literal* out) {
  auto* message = out->mutable_struct_();
  sql::DataTypeToProto(type, message->mutable_struct_type());
  const auto& fields = static_cast<const arrow::StructScalar&>(value).value;
  for (size_t i = 0; i < fields.size(); ++i) {
    ARROW_RETURN_NOT_OK(EncodeLiteral(*fields[i], *type.fields()[i].type, message->add_elements()));
  }
  return arrow::Status::OK();
}

arrow::Status EncodeMap(const arrow::Scalar& value, const types::DataType& type, Literal* out) {
  auto* message = out->mutable_map();
  sql::DataTypeToProto(*type.key(), message->mutable_key_type());
  sql::DataTypeToProto(*type.value(), message->mutable_value_type());
  const auto& entries = static_cast<const arrow::StructArray&>(*static_cast<const arrow::MapScalar&>(value).value);
  ARROW_RETURN_NOT_OK(EncodeElements(*entries.field(0), *type.key(), message->mutable_keys()));
  return EncodeElements(*entries.field(1), *type.value(), message->mutable_values());
}

}  // namespace

arrow::Status EncodeLiteral(const arrow::Scalar& value, const types::DataType& type, Literal* out) {
  using types::TypeId;
  if (!value.is_valid) {
    sql::DataTypeToProto(type, out->mutable_null());
    return arrow::Status::OK();
  }
  switch (type.id()) {
    case TypeId::kBoolean:
      out->set_boolean(static_cast<const arrow::BooleanScalar&>(value).value);
      return arrow::Status::OK();
    case TypeId::kByte:
      out->set_byte(static_cast<const arrow::Int8Scalar&>(value).value);
      return arrow::Status::OK();
    case TypeId::kShort:
      out->set_short_(static_cast<const arrow::Int16Scalar&>(value).value);
      return arrow::Status::OK();
    case TypeId::kInteger:
      out->set_integer(static_cast<const arrow::Int32Scalar&>(value).value);
      return arrow::Status::OK();
    case TypeId::kLong:
      out->set_long_(static_cast<const arrow::Int64Scalar&>(value).value);
      return arrow::Status::OK();
    case TypeId::kFloat:
      out->set_float_(static_cast<const arrow::FloatScalar&>(value).value);
      return arrow::Status::OK();
    case TypeId::kDouble:
      out->set_double_(static_cast<const arrow::DoubleScalar&>(value).value);
      return arrow::Status::OK();
    case TypeId::kDecimal:
      return EncodeDecimal(value, type, out);
    case TypeId::kString:
      out->set_string(Bytes(value));
      return arrow::Status::OK();
    case TypeId::kBinary:
      out->set_binary(Bytes(value));
      return arrow::Status::OK();
    case TypeId::kDate:
      out->set_date(static_cast<const arrow::Date32Scalar&>(value).value);
      return arrow::Status::OK();
    case TypeId::kTimestamp:
      out->set_timestamp(static_cast<const arrow::TimestampScalar&>(value).value);
      return arrow::Status::OK();
    case TypeId::kTimestampNtz:
      out->set_timestamp_ntz(static_cast<const arrow::TimestampScalar&>(value).value);
      return arrow::Status::OK();
    case TypeId::kYearMonthInterval:
      out->set_year_month_interval(static_cast<const arrow::MonthIntervalScalar&>(value).value);
      return arrow::Status::OK();
    case TypeId::kDayTimeInterval:
      out->set_day_time_interval(static_cast<const arrow::DurationScalar&>(value).value);
      return arrow::Status::OK();
    case TypeId::kArray:
      sql::DataTypeToProto(*type.element(), out->mutable_array()->mutable_element_type());
      return EncodeElements(*static_cast<const arrow::BaseListScalar&>(value).value, *type.element(),
                            out->mutable_array()->mutable_elements());
    case TypeId::kMap:
      return EncodeMap(value, type, out);
    case TypeId::kStruct:
      return EncodeStruct(value, type, out);
    default:
      return analyzer::NotSupported("a literal of type " + type.Sql());
  }
}

}  // namespace millrace::connect

#pragma GCC diagnostic pop
