#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "millrace/column.h"

/// Dates, times, timestamps and intervals. Patterns are Spark's datetime patterns; zones are names or offsets.
/// Arguments that are `Column` take a column's name too. NULL in gives NULL out unless said otherwise. Source: Spark's
/// functions.
namespace millrace::functions {

/// The date so many months later; the day is cut to the month's last one.
Column AddMonths(const Column& start, const ColumnOrNumber& months);
/// A wall clock reading of one zone (or the session's) as another zone shows it.
Column ConvertTimezone(const ColumnOrLiteral& from_zone, const Column& to_zone, const Column& timestamp);
/// The date at the start of the query or micro-batch.
Column CurrentDate();
/// The time of day when the query started.
Column CurrentTime(std::optional<int64_t> precision = {});
/// The instant at the start of the query or micro-batch.
Column CurrentTimestamp();
/// The session's time zone.
Column CurrentTimezone();
/// The date so many days later.
Column DateAdd(const Column& start, const ColumnOrNumber& days);
/// Days from `start` to `end`.
Column DateDiff(const Column& end, const Column& start);
/// Text of a timestamp by a date-time pattern.
Column DateFormat(const Column& date, std::string_view format);
/// The date so many days after 1970-01-01.
Column DateFromUnixDate(const Column& days);
/// As Extract.
Column DatePart(std::string_view field, const Column& source);
/// The date so many days earlier.
Column DateSub(const Column& start, const ColumnOrNumber& days);
/// The start of the timestamp's unit, from MICROSECOND to YEAR; NULL for other units.
Column DateTrunc(std::string_view format, const Column& timestamp);
/// As DayOfMonth.
Column Day(const Column& value);
/// Abbreviated name of the day of the week.
Column DayName(const Column& value);
/// Day of the month, 1 to 31.
Column DayOfMonth(const Column& value);
/// Day of the week, 1 = Sunday to 7 = Saturday.
Column DayOfWeek(const Column& value);
/// Day of the year, 1 to 366.
Column DayOfYear(const Column& value);
/// A field of a date, time or interval: "year", "dayofweek".
Column Extract(std::string_view field, const Column& source);
/// The text of so many seconds since 1970.
Column FromUnixTime(const Column& seconds, std::string_view format = "yyyy-MM-dd HH:mm:ss");
/// A UTC reading as the clock of a zone shows it.
Column FromUtcTimestamp(const Column& timestamp, const ColumnOrLiteral& zone);
/// Hour of a timestamp, 0 to 23.
Column Hour(const Column& value);
/// The last day of the date's month.
Column LastDay(const Column& date);
/// The wall clock reading at the start of the query or micro-batch.
Column LocalTimestamp();
/// Date of year, month and day.
Column MakeDate(const Column& year, const Column& month, const Column& day);
/// A day-time interval of its fields.
Column MakeDtInterval(const ColumnOrNumber& days = 0, const ColumnOrNumber& hours = 0,
                      const ColumnOrNumber& minutes = 0, const ColumnOrNumber& seconds = 0);
/// An interval of its fields.
Column MakeInterval(const ColumnOrNumber& years = 0, const ColumnOrNumber& months = 0, const ColumnOrNumber& weeks = 0,
                    const ColumnOrNumber& days = 0, const ColumnOrNumber& hours = 0, const ColumnOrNumber& minutes = 0,
                    const ColumnOrNumber& seconds = 0);
/// A time of its fields.
Column MakeTime(const Column& hour, const Column& minute, const Column& second);
/// A timestamp of its fields, in the session's zone or another.
Column MakeTimestampLtz(const Column& year, const Column& month, const Column& day, const Column& hour,
                        const Column& minute, const Column& second, const std::optional<Column>& zone = {});
/// A timestamp of its fields, in the session's zone or another.
Column MakeTimestamp(const Column& year, const Column& month, const Column& day, const Column& hour,
                     const Column& minute, const Column& second, const std::optional<Column>& zone = {});
/// A timestamp of its fields, without a zone.
Column MakeTimestampNtz(const Column& year, const Column& month, const Column& day, const Column& hour,
                        const Column& minute, const Column& second);
/// A year-month interval of its fields.
Column MakeYmInterval(const ColumnOrNumber& years = 0, const ColumnOrNumber& months = 0);
/// Minute of a timestamp, 0 to 59.
Column Minute(const Column& value);
/// Month of a date, 1 to 12.
Column Month(const Column& value);
/// Abbreviated name of the month.
Column MonthName(const Column& value);
/// Months from the second timestamp to the first, rounded to 8 digits unless told otherwise.
Column MonthsBetween(const Column& end, const Column& start, bool round_off = true);
/// The first date after the given one that falls on the named day of the week.
Column NextDay(const Column& date, std::string_view day_of_week);
/// As CurrentTimestamp.
Column Now();
/// Quarter of the year, 1 to 4.
Column Quarter(const Column& value);
/// Second of a timestamp, 0 to 59.
Column Second(const Column& value);
/// Windows that end when nothing came for `gap`: "5 minutes", or a column of intervals.
Column SessionWindow(const Column& time, const ColumnOrLiteral& gap);
/// Start of the bucket of a size, aligned to an origin, that a timestamp falls into.
Column TimeBucket(const Column& bucket_size, const Column& timestamp,
                  const std::optional<ColumnOrLiteral>& origin = {});
/// Whole units between two times.
Column TimeDiff(const Column& unit, const Column& start, const Column& end);
/// Time of so many microseconds since midnight.
Column TimeFromMicros(const Column& value);
/// Time of so many milliseconds since midnight.
Column TimeFromMillis(const Column& value);
/// Time of so many seconds since midnight.
Column TimeFromSeconds(const Column& value);
/// The timestamp so many units ("HOUR") later.
Column TimestampAdd(std::string_view unit, const Column& quantity, const Column& timestamp);
/// Whole units from `start` to `end`.
Column TimestampDiff(std::string_view unit, const Column& start, const Column& end);
/// The instant so many microseconds after 1970 UTC.
Column TimestampMicros(const Column& value);
/// The instant so many milliseconds after 1970 UTC.
Column TimestampMillis(const Column& value);
/// The instant so many seconds after 1970 UTC.
Column TimestampSeconds(const Column& value);
/// Microseconds since midnight.
Column TimeToMicros(const Column& value);
/// Milliseconds since midnight.
Column TimeToMillis(const Column& value);
/// Seconds since midnight, with their fraction.
Column TimeToSeconds(const Column& value);
/// A time cut to a unit.
Column TimeTrunc(const Column& unit, const Column& time);
/// Date of a text, by an optional pattern.
Column ToDate(const Column& value, std::optional<std::string_view> format = {});
/// As ToTimestamp, for a pattern in a column.
Column ToTimestampLtz(const Column& timestamp, const std::optional<Column>& format = {});
/// Timestamp without time zone of a text, by an optional pattern.
Column ToTimestampNtz(const Column& timestamp, const std::optional<Column>& format = {});
/// Timestamp of a text, by an optional pattern, or of seconds since 1970.
Column ToTimestamp(const Column& value, std::optional<std::string_view> format = {});
/// Time of a text, by an optional pattern.
Column ToTime(const Column& text, const std::optional<Column>& format = {});
/// Seconds since 1970 UTC of a text or timestamp.
Column ToUnixTimestamp(const Column& timestamp, const std::optional<Column>& format = {});
/// The UTC reading when the clock of a zone shows the given one.
Column ToUtcTimestamp(const Column& timestamp, const ColumnOrLiteral& zone);
/// The first day of the date's year, quarter, month or week; NULL for other units.
Column Trunc(const Column& date, std::string_view format);
/// An interval of its fields; NULL where it overflows.
Column TryMakeInterval(const ColumnOrNumber& years = 0, const ColumnOrNumber& months = 0,
                       const ColumnOrNumber& weeks = 0, const ColumnOrNumber& days = 0, const ColumnOrNumber& hours = 0,
                       const ColumnOrNumber& minutes = 0, const ColumnOrNumber& seconds = 0);
/// A timestamp of its fields, in the session's zone or another; NULL where there is no such time.
Column TryMakeTimestampLtz(const Column& year, const Column& month, const Column& day, const Column& hour,
                           const Column& minute, const Column& second, const std::optional<Column>& zone = {});
/// A timestamp of its fields, without a zone; NULL where there is no such time.
Column TryMakeTimestampNtz(const Column& year, const Column& month, const Column& day, const Column& hour,
                           const Column& minute, const Column& second);
/// A timestamp of its fields, in the session's zone or another; NULL where there is no such time.
Column TryMakeTimestamp(const Column& year, const Column& month, const Column& day, const Column& hour,
                        const Column& minute, const Column& second, const std::optional<Column>& zone = {});
/// As to_date, but NULL where the text is no date.
Column TryToDate(const Column& value, std::optional<std::string_view> format = {});
/// As to_timestamp, but NULL where the text is no timestamp.
Column TryToTimestamp(const Column& value, const std::optional<Column>& format = {});
/// As to_time, but NULL where the text is no time.
Column TryToTime(const Column& text, const std::optional<Column>& format = {});
/// Days since 1970-01-01.
Column UnixDate(const Column& value);
/// Microseconds since 1970 UTC.
Column UnixMicros(const Column& value);
/// Milliseconds since 1970 UTC, rounded down.
Column UnixMillis(const Column& value);
/// Seconds since 1970 UTC, rounded down.
Column UnixSeconds(const Column& value);
/// Seconds since 1970, now.
Column UnixTimestamp();
/// Seconds since 1970 of a timestamp or text.
Column UnixTimestamp(const Column& timestamp, std::string_view format = "yyyy-MM-dd HH:mm:ss");
/// Day of the week, 0 = Monday to 6 = Sunday.
Column Weekday(const Column& value);
/// ISO week of the year: weeks begin on Monday, week 1 is the first with more than three days.
Column WeekOfYear(const Column& value);
/// The last instant inside a time window: what a window of windows counts it at.
Column WindowTime(const Column& window_column);
/// Tumbling or (with `slide`) sliding windows over an event time: "10 minutes"; `start` moves them from midnight, UTC.
Column Window(const Column& time, std::string_view duration, std::string_view slide = "", std::string_view start = "");
/// Year of a date.
Column Year(const Column& value);

}  // namespace millrace::functions
