#include "format/text_value.h"

#include <cstring>

#include "base/error.h"
#include "format/text_format_options.h"
#include "types/datetime_pattern.h"
#include "types/datetime_text.h"

namespace millrace::format {

namespace {

/// "2000-01-01T00:00GMT+01:00", which old writers made, without the letters.
std::string CleanLegacyTimestamp(std::string_view text) {
  size_t gmt = text.find("GMT");
  if (gmt == std::string_view::npos) return std::string(text);
  return std::string(text.substr(0, gmt)) + std::string(text.substr(gmt + 3));
}

/// Days of the hybrid calendar (Julian before 1582-10-15) as days of the proleptic Gregorian one: the same
/// reading of year, month and day.
int32_t RebaseJulianDays(int64_t days) {
  constexpr int64_t kGregorianStart = -141427;
  if (days >= kGregorianStart) return static_cast<int32_t>(days);
  // Julian calendar, counted from 0000-03-01, which is day -719470 of 1970.
  int64_t z = days + 719470;
  int64_t era = types::FloorDiv(z, 1461);
  int64_t day_of_era = z - era * 1461;
  int64_t year_of_era = std::min<int64_t>(day_of_era / 365, 3);
  int64_t day_of_year = day_of_era - year_of_era * 365;
  int64_t month_index = (5 * day_of_year + 2) / 153;
  auto day = static_cast<int32_t>(day_of_year - (153 * month_index + 2) / 5 + 1);
  auto month = static_cast<int32_t>(month_index < 10 ? month_index + 3 : month_index - 9);
  int64_t year = era * 4 + year_of_era + (month <= 2 ? 1 : 0);
  return static_cast<int32_t>(types::DaysFromCivil(year, month, day));
}

/// Two digits at `p`, or a value above 99.
uint32_t TwoDigits(const char* p) {
  auto a = static_cast<uint32_t>(static_cast<unsigned char>(p[0])) - '0';
  auto b = static_cast<uint32_t>(static_cast<unsigned char>(p[1])) - '0';
  return a > 9 || b > 9 ? 1000 : a * 10 + b;
}

}  // namespace

arrow::Status CheckPatternLocale(const std::optional<std::string>& pattern, std::string_view locale) {
  if (!pattern || locale.starts_with("en")) return arrow::Status::OK();
  bool quoted = false;
  for (size_t i = 0; i < pattern->size(); ++i) {
    char c = (*pattern)[i];
    if (c == '\'') quoted = !quoted;
    bool text = c == 'E' || c == 'a' || c == 'G' || pattern->substr(i, 3) == "MMM" || pattern->substr(i, 3) == "LLL";
    if (!quoted && text) {
      return arrow::Status::NotImplemented("the date-time pattern '", *pattern, "' with the locale ", locale,
                                           ": names of months and days are known in English only");
    }
  }
  return arrow::Status::OK();
}

bool ParseInteger(std::string_view text, int64_t* value) {
  bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.size() > 19) {
    size_t zeros = text.find_first_not_of('0');
    if (text.empty() || zeros == 0) return false;
    text = zeros == std::string_view::npos ? text.substr(text.size() - 1) : text.substr(zeros);
    if (text.size() > 19) return false;
  }
  uint64_t sum = 0;
  for (char c : text) {
    uint32_t digit = static_cast<uint32_t>(static_cast<unsigned char>(c)) - '0';
    if (digit > 9) return false;
    sum = sum * 10 + digit;
  }
  if (sum > static_cast<uint64_t>(INT64_MAX) + (negative ? 1 : 0)) return false;
  *value = static_cast<int64_t>(negative ? 0 - sum : sum);
  return true;
}

bool ParseIsoDate(const char* text, size_t size, int32_t* days) {
  if (size != 10 || text[4] != '-' || text[7] != '-') return false;
  uint32_t century = TwoDigits(text), of_century = TwoDigits(text + 2);
  uint32_t year = century * 100 + of_century;
  uint32_t month = TwoDigits(text + 5);
  uint32_t day = TwoDigits(text + 8);
  if (century > 99 || of_century > 99 || month > 12 || day > 31) return false;
  if (!types::IsValidCivil(year, static_cast<int32_t>(month), static_cast<int32_t>(day))) return false;
  *days = static_cast<int32_t>(types::DaysFromCivil(year, static_cast<int32_t>(month), static_cast<int32_t>(day)));
  return true;
}

bool ParseIsoTimestamp(const char* text, size_t size, int64_t* us, bool* has_zone) {
  if (size < 19 || size > 35 || (text[10] != 'T' && text[10] != ' ') || text[13] != ':' || text[16] != ':')
    return false;
  int32_t days = 0;
  if (!ParseIsoDate(text, 10, &days)) return false;
  uint32_t hour = TwoDigits(text + 11), minute = TwoDigits(text + 14), second = TwoDigits(text + 17);
  if (hour > 23 || minute > 59 || second > 59) return false;
  const char* p = text + 19;
  const char* end = text + size;
  int64_t micros = 0;
  if (p < end && *p == '.') {
    int64_t unit = 100000;
    const char* start = ++p;
    for (; p < end && static_cast<unsigned char>(*p - '0') <= 9; ++p, unit /= 10) micros += (*p - '0') * unit;
    if (p == start || p - start > 9) return false;
  }
  int64_t value =
      int64_t{days} * types::kMicrosPerDay + ((hour * 60 + minute) * 60 + second) * types::kMicrosPerSecond + micros;
  *has_zone = true;
  if (p == end) {
    *has_zone = false;
  } else if (*p == 'Z') {
    if (p + 1 != end) return false;
  } else if ((*p == '+' || *p == '-') && end - p == 6 && p[3] == ':') {
    uint32_t zone_hour = TwoDigits(p + 1), zone_minute = TwoDigits(p + 4);
    if (zone_hour > 17 || zone_minute > 59) return false;
    int64_t offset = (zone_hour * 60 + zone_minute) * types::kMicrosPerMinute;
    value += *p == '+' ? -offset : offset;
  } else {
    return false;
  }
  *us = value;
  return true;
}

TextValueOptions ValuesOf(const TextFormatOptions& options) {
  return {.time_zone = options.time_zone,
          .locale = options.locale,
          .date_format = options.date_format,
          .timestamp_format = options.timestamp_format,
          .timestamp_ntz_format = options.timestamp_ntz_format,
          .time_format = options.time_format};
}

arrow::Result<TextValueParser> TextValueParser::Make(const TextValueOptions& options) {
  TextValueParser parser;
  parser.options_ = options;
  ARROW_RETURN_NOT_OK(CheckPatternLocale(options.date_format, options.locale));
  ARROW_RETURN_NOT_OK(CheckPatternLocale(options.timestamp_format, options.locale));
  using Purpose = types::DateTimePattern::Purpose;
  auto compile = [](const std::optional<std::string>& pattern, Purpose purpose, auto* compiled) -> arrow::Status {
    if (!pattern) return arrow::Status::OK();
    auto made = types::DateTimePattern::Compile(*pattern, purpose);
    if (made.ok()) *compiled = *std::move(made);
    // Spark tells of a pattern that once meant something; any other makes every value malformed.
    bool told = IsErrorCondition(made.status(), "INCONSISTENT_BEHAVIOR_CROSS_VERSION");
    return told ? made.status() : arrow::Status::OK();
  };
  ARROW_RETURN_NOT_OK(compile(options.date_format, Purpose::kParseDate, &parser.date_));
  ARROW_RETURN_NOT_OK(compile(options.timestamp_format, Purpose::kParseTimestamp, &parser.timestamp_));
  ARROW_RETURN_NOT_OK(compile(options.timestamp_ntz_format, Purpose::kParseTimestamp, &parser.timestamp_ntz_));
  ARROW_RETURN_NOT_OK(compile(options.time_format, Purpose::kParseTimestamp, &parser.time_));
  return parser;
}

bool TextValueParser::Date(std::string_view text, int32_t* days) const {
  if (plain_dates() ? types::ParseDate(text, days) : date_ != nullptr && date_->ParseDate(text, days, nullptr)) {
    return true;
  }
  if (!options_.date_fallback) return false;
  if (types::ParseDate(CleanLegacyTimestamp(text), days)) return true;
  if (!options_.date_reads_day_numbers) return false;
  int64_t number = 0;
  if (!ParseInteger(text, &number) || number != static_cast<int32_t>(number)) return false;
  *days = RebaseJulianDays(number);
  return true;
}

bool TextValueParser::Timestamp(std::string_view text, int64_t* utc_us) const {
  const types::TimeZone& zone = *options_.time_zone;
  if (plain_timestamps() ? types::ParseTimestamp(text, zone, utc_us)
                         : timestamp_ != nullptr && timestamp_->ParseTimestamp(text, zone, utc_us, nullptr)) {
    return true;
  }
  return options_.timestamp_fallback && types::ParseTimestamp(CleanLegacyTimestamp(text), zone, utc_us);
}

bool TextValueParser::TimestampNtz(std::string_view text, int64_t* local_us) const {
  if (plain_timestamps_ntz()) return types::ParseTimestampNtz(text, /*allow_time_zone=*/false, local_us);
  return timestamp_ntz_ != nullptr &&
         timestamp_ntz_->ParseTimestampNtz(text, /*allow_time_zone=*/false, local_us, nullptr);
}

bool TextValueParser::TimeOfDay(std::string_view text, int64_t* nanos) const {
  if (!options_.time_format) return types::ParseTimeOfDay(text, nanos);
  int64_t local_us = 0;
  if (time_ == nullptr || !time_->ParseTimestampNtz(text, /*allow_time_zone=*/false, &local_us, nullptr)) return false;
  *nanos = types::FloorMod(local_us, types::kMicrosPerDay) * 1000;
  return true;
}

}  // namespace millrace::format
