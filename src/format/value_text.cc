#include "format/value_text.h"

#include <arrow/array.h>

#include "format/text_format_options.h"
#include "format/text_value.h"
#include "types/datetime_text.h"
#include "types/number_text.h"

namespace millrace::format {

namespace {

char* TwoDigits(uint32_t value, char* out) {
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
  return out + 2;
}

/// "2024-01-02", or nullptr when the year has not four digits.
char* PutDate(int64_t days, char* out) {
  types::CivilDate date = types::CivilFromDays(days);
  if (date.year < 0 || date.year > 9999) return nullptr;
  auto year = static_cast<uint32_t>(date.year);
  out = TwoDigits(year % 100, TwoDigits(year / 100, out));
  *out++ = '-';
  out = TwoDigits(static_cast<uint32_t>(date.month), out);
  *out++ = '-';
  return TwoDigits(static_cast<uint32_t>(date.day), out);
}

/// "2024-01-02T03:04:05.678"
char* PutTimestamp(int64_t local_us, char* out) {
  int64_t days = types::FloorDiv(local_us, types::kMicrosPerDay);
  auto millis = static_cast<uint32_t>((local_us - days * types::kMicrosPerDay) / types::kMicrosPerMilli);
  out = PutDate(days, out);
  if (out == nullptr) return nullptr;
  *out++ = 'T';
  out = TwoDigits(millis / 3600000, out);
  *out++ = ':';
  out = TwoDigits(millis / 60000 % 60, out);
  *out++ = ':';
  out = TwoDigits(millis / 1000 % 60, out);
  *out++ = '.';
  *out++ = static_cast<char>('0' + millis / 100 % 10);
  return TwoDigits(millis % 100, out);
}

}  // namespace

arrow::Result<DateTimeWriter> DateTimeWriter::Make(const TextFormatOptions& options) {
  using types::DateTimePattern;
  DateTimeWriter writer;
  writer.zone_ = options.time_zone;
  writer.zone_is_utc_ = options.time_zone == types::TimeZone::Utc();
  writer.default_date_ = options.date_format_in_write == DateTimePattern::kDefaultDate;
  writer.default_timestamp_ = options.timestamp_format_in_write == DateTimePattern::kIsoTimestamp;
  writer.default_ntz_ = options.timestamp_ntz_format_in_write == DateTimePattern::kIsoTimestampNtz;
  auto compile = [&](const std::string& pattern, auto* compiled) -> arrow::Status {
    ARROW_RETURN_NOT_OK(CheckPatternLocale(pattern, options.locale));
    return DateTimePattern::Compile(pattern, DateTimePattern::Purpose::kFormat).Value(compiled);
  };
  ARROW_RETURN_NOT_OK(compile(options.date_format_in_write, &writer.date_));
  ARROW_RETURN_NOT_OK(compile(options.timestamp_format_in_write, &writer.timestamp_));
  ARROW_RETURN_NOT_OK(writer.timestamp_->CheckZone(*options.time_zone));
  ARROW_RETURN_NOT_OK(compile(options.timestamp_ntz_format_in_write, &writer.timestamp_ntz_));
  if (options.time_format) ARROW_RETURN_NOT_OK(compile(*options.time_format, &writer.time_));
  return writer;
}

void DateTimeWriter::AppendDate(int32_t days, std::string* out) const {
  if (default_date_) return types::AppendDate(days, out);
  date_->FormatNtz(int64_t{days} * types::kMicrosPerDay, out);
}

void DateTimeWriter::AppendTimestamp(int64_t utc_us, std::string* out) const {
  timestamp_->Format(utc_us, *zone_, out);
}

void DateTimeWriter::AppendTimestampNtz(int64_t local_us, std::string* out) const {
  timestamp_ntz_->FormatNtz(local_us, out);
}

void DateTimeWriter::AppendTimeOfDay(int64_t nanos, std::string* out) const {
  if (time_ == nullptr) return types::AppendTimeOfDay(nanos, out);
  time_->FormatNtz(nanos / 1000, out);
}

size_t DateTimeWriter::WriteDate(int32_t days, char* out) const {
  if (!default_date_) return 0;
  char* end = PutDate(days, out);
  return end == nullptr ? 0 : static_cast<size_t>(end - out);
}

size_t DateTimeWriter::WriteTimestamp(int64_t utc_us, char* out) const {
  if (!default_timestamp_) return 0;
  int32_t offset = zone_is_utc_ ? 0 : zone_->OffsetSeconds(utc_us);
  int64_t local_us = 0;
  if (__builtin_add_overflow(utc_us, int64_t{offset} * types::kMicrosPerSecond, &local_us)) return 0;
  char* end = PutTimestamp(local_us, out);
  if (end == nullptr) return 0;
  if (offset == 0) {
    *end++ = 'Z';
  } else {
    *end++ = offset < 0 ? '-' : '+';
    auto seconds = static_cast<uint32_t>(offset < 0 ? -offset : offset);
    end = TwoDigits(seconds / 3600, end);
    *end++ = ':';
    end = TwoDigits(seconds / 60 % 60, end);
    if (seconds % 60 != 0) {
      *end++ = ':';
      end = TwoDigits(seconds % 60, end);
    }
  }
  return static_cast<size_t>(end - out);
}

size_t DateTimeWriter::WriteTimestampNtz(int64_t local_us, char* out) const {
  if (!default_ntz_) return 0;
  char* end = PutTimestamp(local_us, out);
  return end == nullptr ? 0 : static_cast<size_t>(end - out);
}

bool AppendPlainValue(const arrow::Array& column, int64_t row, const types::DataType& type, std::string* out) {
  using types::TypeId;
  auto value = [&]<typename T>(T) { return column.data()->GetValues<T>(1)[row]; };
  switch (type.id()) {
    case TypeId::kBoolean:
      out->append(static_cast<const arrow::BooleanArray&>(column).Value(row) ? "true" : "false");
      return true;
    case TypeId::kByte:
      out->append(std::to_string(value(int8_t{})));
      return true;
    case TypeId::kShort:
      out->append(std::to_string(value(int16_t{})));
      return true;
    case TypeId::kInteger:
      out->append(std::to_string(value(int32_t{})));
      return true;
    case TypeId::kLong:
      out->append(std::to_string(value(int64_t{})));
      return true;
    case TypeId::kFloat:
      types::AppendFloat(value(float{}), out);
      return true;
    case TypeId::kDouble:
      types::AppendDouble(value(double{}), out);
      return true;
    case TypeId::kDecimal:
      types::AppendDecimal(arrow::Decimal128(static_cast<const arrow::Decimal128Array&>(column).GetValue(row)),
                           type.scale(), out);
      return true;
    case TypeId::kString:
      out->append(static_cast<const arrow::BinaryArray&>(column).GetView(row));
      return true;
    default:
      return false;
  }
}

}  // namespace millrace::format
