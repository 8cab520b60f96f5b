#include "delta/partition_value.h"

#include "base/ascii.h"
#include "types/arrow_type.h"
#include "types/datetime_text.h"
#include "types/number_text.h"

namespace millrace::delta {

namespace {

std::shared_ptr<arrow::Scalar> WholeScalar(int64_t value, types::TypeId id) {
  switch (id) {
    case types::TypeId::kByte:
      return std::make_shared<arrow::Int8Scalar>(static_cast<int8_t>(value));
    case types::TypeId::kShort:
      return std::make_shared<arrow::Int16Scalar>(static_cast<int16_t>(value));
    case types::TypeId::kInteger:
      return std::make_shared<arrow::Int32Scalar>(static_cast<int32_t>(value));
    default:
      return std::make_shared<arrow::Int64Scalar>(value);
  }
}

bool FitsWhole(int64_t value, types::TypeId id) {
  switch (id) {
    case types::TypeId::kByte:
      return value >= INT8_MIN && value <= INT8_MAX;
    case types::TypeId::kShort:
      return value >= INT16_MIN && value <= INT16_MAX;
    case types::TypeId::kInteger:
      return value >= INT32_MIN && value <= INT32_MAX;
    default:
      return true;
  }
}

// The words of Spark's casts.
std::optional<bool> BooleanOf(std::string_view text) {
  std::string_view word = TrimAscii(text);
  for (std::string_view yes : {"t", "true", "y", "yes", "1"}) {
    if (EqualsIgnoreCase(word, yes)) return true;
  }
  for (std::string_view no : {"f", "false", "n", "no", "0"}) {
    if (EqualsIgnoreCase(word, no)) return false;
  }
  return std::nullopt;
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::Scalar>> ReadPartitionValue(std::optional<std::string_view> text,
                                                                 const types::DataType& type,
                                                                 const types::TimeZone& zone) {
  using types::TypeId;
  std::shared_ptr<arrow::DataType> arrow_type = types::ToArrow(type);
  if (!text) return arrow::MakeNullScalar(arrow_type);
  auto none = [&] { return arrow::MakeNullScalar(arrow_type); };
  switch (type.id()) {
    case TypeId::kString:
      return std::make_shared<arrow::StringScalar>(std::string(*text));
    case TypeId::kBinary:
      return std::make_shared<arrow::BinaryScalar>(std::string(*text));
    case TypeId::kBoolean:
      if (auto value = BooleanOf(*text)) return std::make_shared<arrow::BooleanScalar>(*value);
      return none();
    case TypeId::kByte:
    case TypeId::kShort:
    case TypeId::kInteger:
    case TypeId::kLong: {
      int64_t whole = 0;
      if (!types::ParseLong(*text, /*allow_fraction=*/true, &whole) || !FitsWhole(whole, type.id())) {
        return none();
      }
      return WholeScalar(whole, type.id());
    }
    case TypeId::kFloat: {
      float number = 0;
      if (!types::ParseFloat(*text, &number)) return none();
      return std::make_shared<arrow::FloatScalar>(number);
    }
    case TypeId::kDouble: {
      double number = 0;
      if (!types::ParseDouble(*text, &number)) return none();
      return std::make_shared<arrow::DoubleScalar>(number);
    }
    case TypeId::kDecimal: {
      arrow::Decimal128 decimal;
      if (types::ParseDecimal(*text, type.precision(), type.scale(), &decimal) != types::DecimalParse::kOk) {
        return none();
      }
      return std::make_shared<arrow::Decimal128Scalar>(decimal, arrow_type);
    }
    case TypeId::kDate: {
      int32_t days = 0;
      if (!types::ParseDate(*text, &days)) return none();
      return std::make_shared<arrow::Date32Scalar>(days);
    }
    case TypeId::kTimestamp: {
      int64_t micros = 0;
      if (!types::ParseTimestamp(*text, zone, &micros)) return none();
      return std::make_shared<arrow::TimestampScalar>(micros, arrow_type);
    }
    case TypeId::kTimestampNtz: {
      int64_t micros = 0;
      if (!types::ParseTimestampNtz(*text, /*allow_time_zone=*/true, &micros)) return none();
      return std::make_shared<arrow::TimestampScalar>(micros, arrow_type);
    }
    default:
      return arrow::Status::Invalid("A column of type ", type.Sql(), " cannot be a partition column");
  }
}

}  // namespace millrace::delta
