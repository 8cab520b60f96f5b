#include "sql/data_type_proto.h"

#include <utility>
#include <vector>

#include "base/error.h"
#include "spark/connect/types.pb.h"
#include "types/char_type.h"
#include "types/collation.h"

namespace millrace::sql {

namespace {

using Proto = spark::connect::DataType;
using types::DataTypePtr;

constexpr int kMaxDepth = 200;
constexpr int kDefaultDecimalPrecision = 10;

arrow::Status Unsupported(std::string_view name) {
  return UserError("UNSUPPORTED_DATATYPE", {{"typeName", QuoteSqlType(name)}});
}

arrow::Result<DataTypePtr> Decimal(const Proto::Decimal& decimal) {
  int precision = decimal.has_precision() ? decimal.precision() : kDefaultDecimalPrecision;
  int scale = decimal.has_scale() ? decimal.scale() : 0;
  if (precision > types::kMaxDecimalPrecision) {
    return UserError("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION",
                     {{"precision", std::to_string(precision)}, {"maxPrecision", "38"}});
  }
  if (precision < 1 || scale < 0 || scale > precision) {
    return Unsupported("DECIMAL(" + std::to_string(precision) + "," + std::to_string(scale) + ")");
  }
  return types::Decimal(precision, scale);
}

arrow::Result<DataTypePtr> YearMonth(const Proto::YearMonthInterval& interval) {
  int start = interval.has_start_field() ? interval.start_field() : 0;
  int end = interval.has_end_field() ? interval.end_field() : 1;
  if (start < 0 || end > 1 || start > end) return Unsupported("INTERVAL");
  return types::YearMonthInterval(static_cast<types::IntervalField>(start), static_cast<types::IntervalField>(end));
}

arrow::Result<DataTypePtr> DayTime(const Proto::DayTimeInterval& interval) {
  int start = interval.has_start_field() ? interval.start_field() : 0;
  int end = interval.has_end_field() ? interval.end_field() : 3;
  if (start < 0 || end > 3 || start > end) return Unsupported("INTERVAL");
  return types::DayTimeInterval(static_cast<types::DayTimeField>(start), static_cast<types::DayTimeField>(end));
}

arrow::Result<DataTypePtr> FromProto(const Proto& proto, int depth) {
  if (depth > kMaxDepth) return UserError("FAILED_TO_PARSE_TOO_COMPLEX");
  switch (proto.kind_case()) {
    case Proto::kNull:
      return types::Null();
    case Proto::kBinary:
      return types::Binary();
    case Proto::kBoolean:
      return types::Boolean();
    case Proto::kByte:
      return types::Byte();
    case Proto::kShort:
      return types::Short();
    case Proto::kInteger:
      return types::Integer();
    case Proto::kLong:
      return types::Long();
    case Proto::kFloat:
      return types::Float();
    case Proto::kDouble:
      return types::Double();
    case Proto::kDecimal:
      return Decimal(proto.decimal());
    case Proto::kString: {
      const std::string& collation = proto.string().collation();
      if (collation.empty() || collation == "UTF8_BINARY") return types::String();
      ARROW_ASSIGN_OR_RAISE(int number, types::FindCollation(collation));
      return types::CollatedString(number);
    }
    case Proto::kChar:
    case Proto::kVarChar:
      return types::String();
    case Proto::kDate:
      return types::Date();
    case Proto::kTimestamp:
      return types::Timestamp();
    case Proto::kTimestampNtz:
      return types::TimestampNtz();
    case Proto::kCalendarInterval:
      return types::CalendarInterval();
    case Proto::kYearMonthInterval:
      return YearMonth(proto.year_month_interval());
    case Proto::kDayTimeInterval:
      return DayTime(proto.day_time_interval());
    case Proto::kArray: {
      ARROW_ASSIGN_OR_RAISE(DataTypePtr element, FromProto(proto.array().element_type(), depth + 1));
      return types::Array(std::move(element), proto.array().contains_null());
    }
    case Proto::kMap: {
      ARROW_ASSIGN_OR_RAISE(DataTypePtr key, FromProto(proto.map().key_type(), depth + 1));
      ARROW_ASSIGN_OR_RAISE(DataTypePtr value, FromProto(proto.map().value_type(), depth + 1));
      return types::Map(std::move(key), std::move(value), proto.map().value_contains_null());
    }
    case Proto::kStruct: {
      std::vector<types::StructField> fields;
      fields.reserve(static_cast<size_t>(proto.struct_().fields_size()));
      for (const Proto::StructField& field : proto.struct_().fields()) {
        types::StructField& added = fields.emplace_back();
        added.name = field.name();
        ARROW_ASSIGN_OR_RAISE(added.type, FromProto(field.data_type(), depth + 1));
        added.nullable = field.nullable();
        // PySpark writes an empty object for no metadata.
        if (field.has_metadata() && field.metadata() != "{}") added.metadata_json = field.metadata();
      }
      return types::Struct(std::move(fields));
    }
    case Proto::kUnparsed:
      return ParseClientDdl(proto.unparsed().data_type_string());
    case Proto::kVariant:
      return types::Variant();
    case Proto::kUdt: {
      const Proto::UDT& udt = proto.udt();
      ARROW_ASSIGN_OR_RAISE(DataTypePtr stored, FromProto(udt.sql_type(), depth + 1));
      return types::UserDefined(*stored, {udt.jvm_class(), udt.python_class(), udt.serialized_python_class()});
    }
    case Proto::kTime: {
      int precision = proto.time().has_precision() ? proto.time().precision() : types::kMicrosPrecision;
      if (precision < 0 || precision > types::kMicrosPrecision) {
        return UserError("UNSUPPORTED_TIME_PRECISION", {{"precision", std::to_string(precision)}});
      }
      return types::Time(precision);
    }
    case Proto::kGeometry:
      return Unsupported("GEOMETRY");
    case Proto::kGeography:
      return Unsupported("GEOGRAPHY");
    case Proto::KIND_NOT_SET:
      break;
  }
  return InternalError("A plan message has a data type without a kind");
}

}  // namespace

arrow::Result<types::DataTypePtr> DataTypeFromProto(const Proto& proto) { return FromProto(proto, 0); }

arrow::Result<types::DataTypePtr> ParseClientDdl(const std::string& text) {
  arrow::Result<DataTypePtr> type = types::ParseSchemaDdl(text);
  if (type.ok()) return type;
  arrow::Result<DataTypePtr> fields = types::ParseTypeDdl("struct<" + text + ">");
  return fields.ok() ? fields : type;
}

void DataTypeToProto(const types::DataType& type, Proto* out) {
  using types::TypeId;
  if (const types::UserClass* user = type.user_class()) {
    Proto::UDT* udt = out->mutable_udt();
    udt->set_type("udt");
    if (!user->jvm_class.empty()) udt->set_jvm_class(user->jvm_class);
    if (!user->python_class.empty()) udt->set_python_class(user->python_class);
    if (user->jvm_class.empty()) udt->set_serialized_python_class(user->serialized_python_class);
    DataTypeToProto(types::DataType(type.id(), type.precision(), type.scale(), type.fields()), udt->mutable_sql_type());
    return;
  }
  switch (type.id()) {
    case TypeId::kNull:
      out->mutable_null();
      return;
    case TypeId::kBoolean:
      out->mutable_boolean();
      return;
    case TypeId::kByte:
      out->mutable_byte();
      return;
    case TypeId::kShort:
      out->mutable_short_();
      return;
    case TypeId::kInteger:
      out->mutable_integer();
      return;
    case TypeId::kLong:
      out->mutable_long_();
      return;
    case TypeId::kFloat:
      out->mutable_float_();
      return;
    case TypeId::kDouble:
      out->mutable_double_();
      return;
    case TypeId::kDecimal:
      out->mutable_decimal()->set_precision(type.precision());
      out->mutable_decimal()->set_scale(type.scale());
      return;
    case TypeId::kString:
      if (auto declared = types::DeclaredCharType(type)) {
        if (declared->padded) {
          out->mutable_char_()->set_length(declared->length);
        } else {
          out->mutable_var_char()->set_length(declared->length);
        }
        return;
      }
      out->mutable_string()->set_collation(types::CollationOf(types::CollationNumber(type)).name);
      return;
    case TypeId::kBinary:
      out->mutable_binary();
      return;
    case TypeId::kDate:
      out->mutable_date();
      return;
    case TypeId::kTimestamp:
      out->mutable_timestamp();
      return;
    case TypeId::kTimestampNtz:
      out->mutable_timestamp_ntz();
      return;
    case TypeId::kYearMonthInterval:
      out->mutable_year_month_interval()->set_start_field(type.start_field());
      out->mutable_year_month_interval()->set_end_field(type.end_field());
      return;
    case TypeId::kDayTimeInterval:
      out->mutable_day_time_interval()->set_start_field(type.start_field());
      out->mutable_day_time_interval()->set_end_field(type.end_field());
      return;
    case TypeId::kCalendarInterval:
      out->mutable_calendar_interval();
      return;
    case TypeId::kTime:
      out->mutable_time()->set_precision(type.precision());
      return;
    case TypeId::kVariant:
      out->mutable_variant();
      return;
    case TypeId::kArray:
      DataTypeToProto(*type.element(), out->mutable_array()->mutable_element_type());
      out->mutable_array()->set_contains_null(type.contains_null());
      return;
    case TypeId::kMap:
      DataTypeToProto(*type.key(), out->mutable_map()->mutable_key_type());
      DataTypeToProto(*type.value(), out->mutable_map()->mutable_value_type());
      out->mutable_map()->set_value_contains_null(type.value_contains_null());
      return;
    case TypeId::kStruct:
      out->mutable_struct_();
      for (const types::StructField& field : type.fields()) {
        Proto::StructField* added = out->mutable_struct_()->add_fields();
        added->set_name(field.name);
        DataTypeToProto(*field.type, added->mutable_data_type());
        added->set_nullable(field.nullable);
        if (!field.metadata_json.empty()) added->set_metadata(field.metadata_json);
      }
      return;
  }
}

}  // namespace millrace::sql
