#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "types/time_zone.h"

/// The calendar (proleptic Gregorian, as java.time), and the texts CAST reads and writes for dates and timestamps.
/// All functions are pure and thread-safe.

namespace millrace::types {

inline constexpr int64_t kMicrosPerMilli = 1000;
inline constexpr int64_t kMicrosPerSecond = 1000000;
inline constexpr int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;
inline constexpr int64_t kMicrosPerHour = 60 * kMicrosPerMinute;
inline constexpr int64_t kMicrosPerDay = 24 * kMicrosPerHour;

/// Quotient rounded down and the remainder that goes with it. REQUIRES: divisor > 0.
constexpr int64_t FloorDiv(int64_t value, int64_t divisor) { return value / divisor - (value % divisor < 0 ? 1 : 0); }
constexpr int64_t FloorMod(int64_t value, int64_t divisor) {
  int64_t rest = value % divisor;
  return rest < 0 ? rest + divisor : rest;
}

struct CivilDate {
  int64_t year;
  int32_t month;  ///< 1 … 12
  int32_t day;    ///< 1 … 31
};

/// Days since 1970-01-01. REQUIRES: the date exists.
int64_t DaysFromCivil(int64_t year, int32_t month, int32_t day);
CivilDate CivilFromDays(int64_t days);
bool IsLeapYear(int64_t year);
int32_t DaysInMonth(int64_t year, int32_t month);
/// False for a day that does not exist.
bool IsValidCivil(int64_t year, int32_t month, int32_t day);
/// 1 … 366.
int32_t DayOfYear(const CivilDate& date);
/// 1 = Monday … 7 = Sunday.
int32_t IsoDayOfWeek(int64_t days);
/// The date `months` later; the day is cut to the month's last one.
int64_t AddMonthsToDays(int64_t days, int64_t months);

/// The instant of a wall clock reading and back; false when it leaves the range of int64 µs.
bool LocalToUtcMicros(int64_t local_us, const TimeZone& zone, int64_t* utc_us);
/// The wall clock of an instant as seconds since 1970-01-01 00:00 and µs of the second: cannot overflow.
void UtcToLocal(int64_t utc_us, const TimeZone& zone, int64_t* local_seconds, int32_t* micros_of_second);

/// CAST(text AS DATE): [+-]y[yyy…]-[m]m-[d]d with month and day optional, anything after a blank or 'T' ignored.
/// Years have 4 to 7 digits. False when the text is no date.
bool ParseDate(std::string_view text, int32_t* days);

/// CAST(text AS TIMESTAMP): a date, optionally [ T][h]h:[m]m:[s]s[.fraction][zone]; digits after the sixth of the
/// fraction are dropped. A text without a zone is read in `zone`; one without a date has today's.
bool ParseTimestamp(std::string_view text, const TimeZone& zone, int64_t* utc_us);

/// CAST(text AS TIMESTAMP_NTZ): the same texts; a zone is checked and ignored, or refused. Today's date is not assumed.
bool ParseTimestampNtz(std::string_view text, bool allow_time_zone, int64_t* local_us);

/// CAST(text AS TIME): [T][h]h:[m]m[:[s]s[.fraction]], white space around, and AM or PM behind, of hours 1 to 12.
/// Digits after the sixth of the fraction are dropped.
bool ParseTimeOfDay(std::string_view text, int64_t* nanos);
/// "03:04:05.12": the fraction without trailing zeros.
void AppendTimeOfDay(int64_t nanos, std::string* out);
inline constexpr int64_t kNanosPerDay = kMicrosPerDay * 1000;
/// `nanos` with `precision` digits of the second's fraction, cut.
int64_t TruncateTimeOfDay(int64_t nanos, int precision);

/// "2024-01-02"; years past 9999 have a sign, as ISO_LOCAL_DATE.
void AppendDate(int32_t days, std::string* out);
/// "2024-01-02 03:04:05.12": the fraction without trailing zeros.
void AppendTimestamp(int64_t utc_us, const TimeZone& zone, std::string* out);
void AppendTimestampNtz(int64_t local_us, std::string* out);

}  // namespace millrace::types
