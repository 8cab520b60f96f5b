#pragma once

#include <arrow/status.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "types/data_type.h"

/// Texts of the three interval types, both ways. All functions are pure and thread-safe.
/// Source: Spark SQL reference, "Literals / Interval", and what CAST answers (tests/sql/cast).

namespace millrace::types {

/// A legacy interval: its parts are never carried into each other.
struct CalendarIntervalValue {
  int32_t months = 0;
  int32_t days = 0;
  int64_t micros = 0;
};

/// "INTERVAL '1-2' YEAR TO MONTH": what CAST to STRING and show() print.
void AppendYearMonthInterval(int32_t months, int start_field, int end_field, std::string* out);
/// "INTERVAL '1 02:03:04.5' DAY TO SECOND".
void AppendDayTimeInterval(int64_t micros, int start_field, int end_field, std::string* out);
/// "1 years 2 months 3 days 4 hours 5 minutes 6.5 seconds".
void AppendCalendarInterval(const CalendarIntervalValue& value, std::string* out);

/// What a text that is no interval lacks.
enum class IntervalParse : uint8_t {
  kOk,
  kUnmatched,   ///< not the form of the type
  kOutOfRange,  ///< the form fits, a number does not
};

/// CAST(text AS INTERVAL YEAR TO MONTH | YEAR | MONTH): the bare form or a whole literal of the same fields.
IntervalParse ParseYearMonthInterval(std::string_view text, int start_field, int end_field, int32_t* months);
/// The same for day-time intervals. A single DAY, HOUR or MINUTE wraps around silently, as in Spark.
IntervalParse ParseDayTimeInterval(std::string_view text, int start_field, int end_field, int64_t* micros);
/// CAST(text AS INTERVAL): "[interval] 1 day -2.5 seconds …". False when the text is no interval or overflows.
bool ParseCalendarInterval(std::string_view text, CalendarIntervalValue* value);
/// A duration of withWatermark(), window() and session_window(): what CAST takes or, when it begins with INTERVAL, a
/// literal of SQL, "INTERVAL '1' DAY", "INTERVAL '1 02:03' DAY TO MINUTE". A literal is either of months or of time:
/// false when it mixes them.
bool ParseDuration(std::string_view text, CalendarIntervalValue* value);

/// The error CAST raises for `text`. REQUIRES: `type` is an ANSI interval, `outcome` not kOk.
arrow::Status IntervalCastError(std::string_view text, const DataType& type, IntervalParse outcome);

}  // namespace millrace::types
