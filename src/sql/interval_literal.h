#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <string_view>

namespace millrace::sql {

/// The value of an interval text, its three parts not folded into each other.
struct IntervalValue {
  int32_t months = 0;
  int32_t days = 0;
  int64_t microseconds = 0;
};

enum class IntervalUnit : uint8_t { kYear, kMonth, kDay, kHour, kMinute, kSecond };

/// "1 day 2 hours", "interval -1.5 seconds": numbers and units, added up; only seconds may have a fraction (cut at µs).
/// Errors: UserError INVALID_INTERVAL_FORMAT.*, naming what is wrong in `text`.
arrow::Result<IntervalValue> ParseIntervalUnits(std::string_view text);

/// "1-2" of YEAR TO MONTH in months. Errors: UserError INVALID_INTERVAL_FORMAT: INTERVAL_PARSING,
/// UNMATCHED_FORMAT_STRING.
arrow::Result<int32_t> ParseYearMonth(std::string_view text);

/// "1 02:03:04.5" of DAY TO SECOND, "10:20" of HOUR TO MINUTE and so on (from < to, both of kDay … kSecond), in µs.
/// Errors: UserError INVALID_INTERVAL_FORMAT: DAY_TIME_PARSING, UNMATCHED_FORMAT_STRING_WITH_NOTICE.
arrow::Result<int64_t> ParseDayTime(std::string_view text, IntervalUnit from, IntervalUnit to);

}  // namespace millrace::sql
