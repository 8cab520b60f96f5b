#include "connector/file/partition_path.h"

#include <arrow/builder.h>
#include <arrow/util/decimal.h>

#include <charconv>

#include "base/ascii.h"
#include "base/error.h"
#include "types/arrow_type.h"
#include "types/datetime_text.h"
#include "types/number_text.h"

namespace millrace::connector::file {

namespace {

using types::TypeId;

bool MustEscape(unsigned char c) {
  static constexpr std::string_view kSpecial = "\"#%'*/:=?\\{[]^\x7f";
  return (c > 0 && c < 0x20) || kSpecial.find(static_cast<char>(c)) != std::string_view::npos;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Java's Integer.parseInt and Long.parseLong: a sign and digits, nothing else.
bool ParseWhole(std::string_view text, int64_t* value) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || (text[0] != '-' && (text[0] < '0' || text[0] > '9'))) return false;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size();
}

// Digits of a whole number that is too long for BIGINT; 0 for any other text.
int WholeDigits(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  while (text.size() > 1 && text[0] == '0') text.remove_prefix(1);
  for (char c : text) {
    if (c < '0' || c > '9') return 0;
  }
  return static_cast<int>(text.size());
}

arrow::Status Unreadable(std::string_view raw, const types::DataType& type) {
  return arrow::Status::Invalid("Failed to cast value `", raw, "` to `", type.Sql(), "` for partition column");
}

// Which of the types of inference this is, in the order of widening.
int Rank(const types::DataType& type) {
  switch (type.id()) {
    case TypeId::kInteger:
      return 0;
    case TypeId::kLong:
      return 1;
    case TypeId::kDecimal:
      return 2;
    case TypeId::kDouble:
      return 3;
    case TypeId::kDate:
      return 4;
    case TypeId::kTimestamp:
      return 5;
    default:
      return 6;
  }
}

}  // namespace

std::string EscapePathName(std::string_view name) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string escaped;
  for (char c : name) {
    auto byte = static_cast<unsigned char>(c);
    if (MustEscape(byte)) {
      escaped += '%';
      escaped += kHex[byte >> 4];
      escaped += kHex[byte & 15];
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string UnescapePathName(std::string_view name) {
  std::string plain;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '%' && i + 2 < name.size() && HexDigit(name[i + 1]) >= 0 && HexDigit(name[i + 2]) >= 0) {
      plain += static_cast<char>(HexDigit(name[i + 1]) * 16 + HexDigit(name[i + 2]));
      i += 2;
    } else {
      plain += name[i];
    }
  }
  return plain;
}

arrow::Result<std::optional<std::pair<std::string, std::string>>> ParsePartitionDirectory(std::string_view directory) {
  size_t equals = directory.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  if (equals == 0) return UserError("EMPTY_PARTITION_COLUMN_NAME", {{"columnSpec", std::string(directory)}});
  if (equals + 1 == directory.size()) {
    return UserError("EMPTY_PARTITION_COLUMN_VALUE", {{"columnSpec", std::string(directory)}});
  }
  return std::make_pair(UnescapePathName(directory.substr(0, equals)), std::string(directory.substr(equals + 1)));
}

types::DataTypePtr InferPartitionType(std::string_view raw, bool infer, const types::TimeZone& zone) {
  if (raw == kDefaultPartition) return types::Null();
  if (!infer) return types::String();
  int64_t whole = 0;
  if (ParseWhole(raw, &whole)) {
    return whole >= INT32_MIN && whole <= INT32_MAX ? types::Integer() : types::Long();
  }
  if (int digits = WholeDigits(raw); digits > 0 && digits <= types::kMaxDecimalPrecision) {
    return types::Decimal(digits, 0);
  }
  double number = 0;
  // "inf" and "nan" in their short forms are CAST's, not Java's.
  bool java_double =
      !raw.empty() && (types::ParseDouble(raw, &number)) &&
      (raw.find_first_of("0123456789") != std::string_view::npos || raw == "NaN" || raw.ends_with("Infinity"));
  if (java_double) return types::Double();
  std::string plain = UnescapePathName(raw);
  int64_t us = 0;
  int32_t days = 0;
  // yyyy-MM-dd HH:mm:ss[.S]: a date alone is a DATE, a time alone neither.
  bool has_time = plain.size() >= 16 && plain[4] == '-' && plain[7] == '-' && (plain[10] == ' ' || plain[10] == 'T');
  if (has_time && types::ParseTimestamp(plain, zone, &us)) return types::Timestamp();
  if (raw.size() == 10 && raw[4] == '-' && raw[7] == '-' && types::ParseDate(raw, &days)) return types::Date();
  return types::String();
}

types::DataTypePtr WiderPartitionType(const types::DataTypePtr& a, const types::DataTypePtr& b) {
  if (a->id() == TypeId::kNull) return b;
  if (b->id() == TypeId::kNull || a->Equals(*b)) return a;
  int low = std::min(Rank(*a), Rank(*b));
  int high = std::max(Rank(*a), Rank(*b));
  const types::DataTypePtr& higher = Rank(*a) == high ? a : b;
  if (high == 1) return types::Long();
  if (high == 2) {
    if (low == 2) return types::Decimal(std::max(a->precision(), b->precision()), 0);
    // DECIMAL of an inferred value has more digits than a BIGINT.
    return types::Decimal(std::max(higher->precision(), low == 1 ? 20 : 10), 0);
  }
  if (high == 3) return low == 0 ? types::Double() : types::String();
  if (high == 5 && low == 4) return types::Timestamp();
  return types::String();
}

arrow::Result<std::shared_ptr<arrow::Scalar>> ReadPartitionValue(std::string_view raw, const types::DataType& type,
                                                                 const types::TimeZone& zone) {
  std::shared_ptr<arrow::DataType> arrow_type = types::ToArrow(type);
  if (raw == kDefaultPartition || type.id() == TypeId::kNull) return arrow::MakeNullScalar(arrow_type);
  std::string plain = UnescapePathName(raw);
  int64_t whole = 0;
  double number = 0;
  int32_t days = 0;
  switch (type.id()) {
    case TypeId::kString:
      return std::make_shared<arrow::StringScalar>(plain);
    case TypeId::kBinary:
      return std::make_shared<arrow::BinaryScalar>(std::string(raw));
    case TypeId::kBoolean:
      if (!EqualsIgnoreCase(raw, "true") && !EqualsIgnoreCase(raw, "false")) return Unreadable(raw, type);
      return std::make_shared<arrow::BooleanScalar>(EqualsIgnoreCase(raw, "true"));
    case TypeId::kByte:
    case TypeId::kShort:
    case TypeId::kInteger:
      if (!ParseWhole(raw, &whole) || whole < INT32_MIN || whole > INT32_MAX) return Unreadable(raw, type);
      if (type.id() == TypeId::kByte) return std::make_shared<arrow::Int8Scalar>(static_cast<int8_t>(whole));
      if (type.id() == TypeId::kShort) return std::make_shared<arrow::Int16Scalar>(static_cast<int16_t>(whole));
      return std::make_shared<arrow::Int32Scalar>(static_cast<int32_t>(whole));
    case TypeId::kLong:
      if (!ParseWhole(raw, &whole)) return Unreadable(raw, type);
      return std::make_shared<arrow::Int64Scalar>(whole);
    case TypeId::kFloat:
    case TypeId::kDouble:
      if (!types::ParseDouble(raw, &number)) return Unreadable(raw, type);
      if (type.id() == TypeId::kFloat) return std::make_shared<arrow::FloatScalar>(static_cast<float>(number));
      return std::make_shared<arrow::DoubleScalar>(number);
    case TypeId::kDecimal: {
      arrow::Decimal128 decimal;
      if (types::ParseDecimal(raw, type.precision(), type.scale(), &decimal) != types::DecimalParse::kOk) {
        return Unreadable(raw, type);
      }
      return std::make_shared<arrow::Decimal128Scalar>(decimal, arrow_type);
    }
    case TypeId::kDate:
      if (!types::ParseDate(plain, &days)) return Unreadable(raw, type);
      return std::make_shared<arrow::Date32Scalar>(days);
    case TypeId::kTimestamp:
      if (!types::ParseTimestamp(plain, zone, &whole)) return Unreadable(raw, type);
      return std::make_shared<arrow::TimestampScalar>(whole, arrow_type);
    case TypeId::kTimestampNtz:
      if (!types::ParseTimestampNtz(plain, true, &whole)) return Unreadable(raw, type);
      return std::make_shared<arrow::TimestampScalar>(whole, arrow_type);
    default:
      return UserError("INVALID_PARTITION_COLUMN_DATA_TYPE", {{"type", QuoteSqlType(type.Sql())}});
  }
}

std::optional<std::string> PartitionValueText(const arrow::Array& column, int64_t row, const types::DataType& type,
                                              const types::TimeZone& zone) {
  if (column.IsNull(row)) return std::nullopt;
  std::string text;
  switch (type.id()) {
    case TypeId::kString:
    case TypeId::kBinary:
      return std::string(static_cast<const arrow::BinaryArray&>(column).GetView(row));
    case TypeId::kBoolean:
      return static_cast<const arrow::BooleanArray&>(column).Value(row) ? "true" : "false";
    case TypeId::kByte:
      return std::to_string(static_cast<const arrow::Int8Array&>(column).Value(row));
    case TypeId::kShort:
      return std::to_string(static_cast<const arrow::Int16Array&>(column).Value(row));
    case TypeId::kInteger:
      return std::to_string(static_cast<const arrow::Int32Array&>(column).Value(row));
    case TypeId::kLong:
      return std::to_string(static_cast<const arrow::Int64Array&>(column).Value(row));
    case TypeId::kFloat:
      return types::FloatText(static_cast<const arrow::FloatArray&>(column).Value(row));
    case TypeId::kDouble:
      return types::DoubleText(static_cast<const arrow::DoubleArray&>(column).Value(row));
    case TypeId::kDecimal:
      types::AppendDecimalPlain(arrow::Decimal128(static_cast<const arrow::Decimal128Array&>(column).GetValue(row)),
                                type.scale(), &text);
      return text;
    case TypeId::kDate:
      types::AppendDate(static_cast<const arrow::Date32Array&>(column).Value(row), &text);
      return text;
    case TypeId::kTimestamp:
      types::AppendTimestamp(static_cast<const arrow::TimestampArray&>(column).Value(row), zone, &text);
      return text;
    case TypeId::kTimestampNtz:
      types::AppendTimestampNtz(static_cast<const arrow::TimestampArray&>(column).Value(row), &text);
      return text;
    default:
      return std::nullopt;
  }
}

std::string PartitionDirectory(std::string_view column, const std::optional<std::string>& value) {
  bool is_default = !value || value->empty();
  return EscapePathName(column) + "=" + (is_default ? std::string(kDefaultPartition) : EscapePathName(*value));
}

}  // namespace millrace::connector::file
