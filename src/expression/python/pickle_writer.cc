#include <arrow/array.h>
#include <arrow/util/decimal.h>

#include <cstring>
#include <ctime>

#include "base/error.h"
#include "expression/python/pickled_rows.h"
#include "python/wire.h"

namespace millrace::expression {

namespace {

using types::DataType;
using types::TypeId;

constexpr std::string_view kProtocol{"\x80\x04", 2};
constexpr int64_t kRowsAFrame = 100;
constexpr int64_t kMicrosASecond = 1000000;
constexpr int64_t kSecondsADay = 86400;

template <typename T>
void AppendLittle(T value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

void AppendInteger(int64_t value, std::string* out) {
  if (value >= INT32_MIN && value <= INT32_MAX) {
    out->push_back('J');
    AppendLittle(static_cast<int32_t>(value), out);
    return;
  }
  out->append("\x8a\x08", 2);  // LONG1, eight bytes
  AppendLittle(value, out);
}

void AppendText(std::string_view text, std::string* out) {
  out->push_back('X');
  AppendLittle(static_cast<uint32_t>(text.size()), out);
  out->append(text);
}

void AppendBytes(std::string_view bytes, std::string* out) {
  out->push_back('B');
  AppendLittle(static_cast<uint32_t>(bytes.size()), out);
  out->append(bytes);
}

// module.name(arguments): GLOBAL, MARK, arguments, TUPLE, REDUCE.
void BeginCall(std::string_view module, std::string_view name, std::string* out) {
  out->push_back('c');
  out->append(module);
  out->push_back('\n');
  out->append(name);
  out->append("\n(", 2);
}

void EndCall(std::string* out) { out->append("tR", 2); }

void AppendDate(int32_t days, std::string* out) {
  time_t seconds = static_cast<time_t>(days) * kSecondsADay;
  std::tm date{};
  ::gmtime_r(&seconds, &date);
  BeginCall("datetime", "date", out);
  for (int part : {date.tm_year + 1900, date.tm_mon + 1, date.tm_mday}) AppendInteger(part, out);
  EndCall(out);
}

void AppendDatetime(int64_t micros, bool local, std::string* out) {
  int64_t second = micros / kMicrosASecond;
  int64_t rest = micros % kMicrosASecond;
  if (rest < 0) {
    rest += kMicrosASecond;
    --second;
  }
  time_t seconds = second;
  std::tm time{};
  local ? ::localtime_r(&seconds, &time) : ::gmtime_r(&seconds, &time);
  BeginCall("datetime", "datetime", out);
  for (int part : {time.tm_year + 1900, time.tm_mon + 1, time.tm_mday, time.tm_hour, time.tm_min, time.tm_sec}) {
    AppendInteger(part, out);
  }
  AppendInteger(rest, out);
  EndCall(out);
}

arrow::Status AppendValue(const arrow::Array& array, int64_t row, const DataType& type, std::string* out);

arrow::Status AppendList(const arrow::Array& values, int64_t begin, int64_t end, const DataType& type,
                         std::string* out) {
  out->append("](", 2);
  for (int64_t i = begin; i < end; ++i) ARROW_RETURN_NOT_OK(AppendValue(values, i, type, out));
  out->push_back('e');
  return arrow::Status::OK();
}

arrow::Status AppendStruct(const arrow::StructArray& array, int64_t row, const DataType& type, std::string* out) {
  BeginCall("pyspark.sql.types", "_create_row", out);
  out->append("](", 2);
  for (const types::StructField& field : type.fields()) AppendText(field.name, out);
  out->append("e(", 2);
  for (size_t i = 0; i < type.fields().size(); ++i) {
    ARROW_RETURN_NOT_OK(AppendValue(*array.field(static_cast<int>(i)), row, *type.fields()[i].type, out));
  }
  out->push_back('t');
  EndCall(out);
  return arrow::Status::OK();
}

arrow::Status AppendMap(const arrow::MapArray& map, int64_t row, const DataType& type, std::string* out) {
  out->append("}(", 2);
  for (int64_t i = map.value_offset(row); i < map.value_offset(row + 1); ++i) {
    ARROW_RETURN_NOT_OK(AppendValue(*map.keys(), i, *type.key(), out));
    ARROW_RETURN_NOT_OK(AppendValue(*map.items(), i, *type.value(), out));
  }
  out->push_back('u');
  return arrow::Status::OK();
}

arrow::Status AppendInternal(const arrow::Array& array, int64_t row, const DataType& type, std::string* out);

// getattr(<the type>, "fromInternal")(<the value as it is stored>).
arrow::Status AppendUserObject(const arrow::Array& array, int64_t row, const DataType& type, std::string* out) {
  BeginCall("builtins", "getattr", out);
  BeginCall("pyspark.sql.types", "_parse_datatype_json_string", out);
  AppendText(type.ToJson(), out);
  EndCall(out);
  AppendText("fromInternal", out);
  EndCall(out);
  out->push_back('(');
  ARROW_RETURN_NOT_OK(
      AppendInternal(array, row, DataType(type.id(), type.precision(), type.scale(), type.fields()), out));
  EndCall(out);
  return arrow::Status::OK();
}

arrow::Status AppendValue(const arrow::Array& array, int64_t row, const DataType& type, std::string* out) {
  if (array.IsNull(row)) {
    out->push_back('N');
    return arrow::Status::OK();
  }
  if (type.user_class() != nullptr) return AppendUserObject(array, row, type, out);
  switch (type.id()) {
    case TypeId::kBoolean:
      out->push_back(static_cast<const arrow::BooleanArray&>(array).Value(row) ? '\x88' : '\x89');
      return arrow::Status::OK();
    case TypeId::kByte:
      AppendInteger(static_cast<const arrow::Int8Array&>(array).Value(row), out);
      return arrow::Status::OK();
    case TypeId::kShort:
      AppendInteger(static_cast<const arrow::Int16Array&>(array).Value(row), out);
      return arrow::Status::OK();
    case TypeId::kInteger:
      AppendInteger(static_cast<const arrow::Int32Array&>(array).Value(row), out);
      return arrow::Status::OK();
    case TypeId::kLong:
      AppendInteger(static_cast<const arrow::Int64Array&>(array).Value(row), out);
      return arrow::Status::OK();
    case TypeId::kFloat:
    case TypeId::kDouble: {
      double value = type.id() == TypeId::kFloat ? static_cast<const arrow::FloatArray&>(array).Value(row)
                                                 : static_cast<const arrow::DoubleArray&>(array).Value(row);
      int64_t bits;
      std::memcpy(&bits, &value, sizeof(bits));
      out->push_back('G');
      python::AppendLong(bits, out);
      return arrow::Status::OK();
    }
    case TypeId::kString:
      AppendText(static_cast<const arrow::StringArray&>(array).GetView(row), out);
      return arrow::Status::OK();
    case TypeId::kBinary:
      AppendBytes(static_cast<const arrow::BinaryArray&>(array).GetView(row), out);
      return arrow::Status::OK();
    case TypeId::kVariant: {
      const auto& variant = static_cast<const arrow::StructArray&>(array);
      BeginCall("pyspark.sql.types", "VariantVal", out);
      for (int part : {0, 1})
        AppendBytes(static_cast<const arrow::BinaryArray&>(*variant.field(part)).GetView(row), out);
      EndCall(out);
      return arrow::Status::OK();
    }
    case TypeId::kDecimal:
      BeginCall("decimal", "Decimal", out);
      AppendText(static_cast<const arrow::Decimal128Array&>(array).FormatValue(row), out);
      EndCall(out);
      return arrow::Status::OK();
    case TypeId::kDate:
      AppendDate(static_cast<const arrow::Date32Array&>(array).Value(row), out);
      return arrow::Status::OK();
    case TypeId::kTimestamp:
    case TypeId::kTimestampNtz:
      AppendDatetime(static_cast<const arrow::TimestampArray&>(array).Value(row), type.id() == TypeId::kTimestamp, out);
      return arrow::Status::OK();
    case TypeId::kDayTimeInterval:
      BeginCall("datetime", "timedelta", out);
      AppendInteger(0, out);
      AppendInteger(0, out);
      AppendInteger(static_cast<const arrow::DurationArray&>(array).Value(row), out);
      EndCall(out);
      return arrow::Status::OK();
    case TypeId::kArray: {
      const auto& list = static_cast<const arrow::ListArray&>(array);
      return AppendList(*list.values(), list.value_offset(row), list.value_offset(row + 1), *type.element(), out);
    }
    case TypeId::kMap:
      return AppendMap(static_cast<const arrow::MapArray&>(array), row, type, out);
    case TypeId::kStruct:
      return AppendStruct(static_cast<const arrow::StructArray&>(array), row, type, out);
    default:
      return UserError("UNSUPPORTED_DATATYPE", {{"typeName", QuoteSqlType(type.Sql())}});
  }
}

arrow::Status AppendInternal(const arrow::Array& array, int64_t row, const DataType& type, std::string* out) {
  switch (array.IsNull(row) ? TypeId::kNull : type.id()) {
    case TypeId::kDate: {
      ARROW_ASSIGN_OR_RAISE(auto days, array.View(arrow::int32()));
      AppendInteger(static_cast<const arrow::Int32Array&>(*days).Value(row), out);
      return arrow::Status::OK();
    }
    case TypeId::kTimestamp:
    case TypeId::kTimestampNtz:
    case TypeId::kDayTimeInterval: {
      ARROW_ASSIGN_OR_RAISE(auto micros, array.View(arrow::int64()));
      AppendInteger(static_cast<const arrow::Int64Array&>(*micros).Value(row), out);
      return arrow::Status::OK();
    }
    default:
      return AppendValue(array, row, type, out);
  }
}

// Frames of lists: `append_row` appends one object.
template <typename AppendRow>
arrow::Status AppendFrames(int64_t num_rows, const AppendRow& append_row, std::string* out) {
  for (int64_t begin = 0; begin < num_rows; begin += kRowsAFrame) {
    size_t length_at = out->size();
    python::AppendInt(0, out);
    out->append(kProtocol);
    out->append("](", 2);
    for (int64_t row = begin; row < std::min(begin + kRowsAFrame, num_rows); ++row) {
      ARROW_RETURN_NOT_OK(append_row(row));
    }
    out->append("e.", 2);
    std::string length;
    python::AppendInt(static_cast<int32_t>(out->size() - length_at - 4), &length);
    out->replace(length_at, 4, length);
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Status AppendPickledRows(const arrow::RecordBatch& rows, const std::vector<types::DataTypePtr>& types,
                                std::string* out) {
  auto append_row = [&](int64_t row) -> arrow::Status {
    out->push_back('(');
    for (size_t c = 0; c < types.size(); ++c) {
      ARROW_RETURN_NOT_OK(AppendValue(*rows.column(static_cast<int>(c)), row, *types[c], out));
    }
    out->push_back('t');
    return arrow::Status::OK();
  };
  return AppendFrames(rows.num_rows(), append_row, out);
}

arrow::Status AppendPickledStructs(const arrow::RecordBatch& rows, const types::DataType& schema, std::string* out) {
  auto append_row = [&](int64_t row) -> arrow::Status {
    BeginCall("pyspark.sql.types", "_create_row", out);
    out->append("](", 2);
    for (const types::StructField& field : schema.fields()) AppendText(field.name, out);
    out->append("e(", 2);
    for (size_t c = 0; c < schema.fields().size(); ++c) {
      ARROW_RETURN_NOT_OK(AppendValue(*rows.column(static_cast<int>(c)), row, *schema.fields()[c].type, out));
    }
    out->push_back('t');
    EndCall(out);
    return arrow::Status::OK();
  };
  return AppendFrames(rows.num_rows(), append_row, out);
}

arrow::Status AppendPickledInternal(const arrow::Array& array, int64_t row, const DataType& type, std::string* out) {
  out->append(kProtocol);
  ARROW_RETURN_NOT_OK(AppendInternal(array, row, type, out));
  out->push_back('.');
  return arrow::Status::OK();
}

arrow::Status AppendPickledStruct(const arrow::StructArray& rows, int64_t row, const types::DataType& type,
                                  std::string* out) {
  out->append(kProtocol);
  ARROW_RETURN_NOT_OK(AppendStruct(rows, row, type, out));
  out->push_back('.');
  return arrow::Status::OK();
}

void AppendEndOfPickles(std::string* out) { python::AppendInt(python::kEndOfDataSection, out); }

}  // namespace millrace::expression
