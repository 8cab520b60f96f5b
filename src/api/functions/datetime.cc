#include "millrace/functions/datetime.h"

#include "api/functions/arguments.h"

namespace millrace::functions {

using api::Arguments;
using api::Optional;

Column AddMonths(const Column& start, const ColumnOrNumber& months) {
  return Call("add_months", {start, months.column()});
}
Column ConvertTimezone(const ColumnOrLiteral& from_zone, const Column& to_zone, const Column& timestamp) {
  return Call("convert_timezone", {from_zone.column(), to_zone, timestamp});
}
Column CurrentDate() { return Call("current_date", {}); }
Column CurrentTime(std::optional<int64_t> precision) {
  return Call("current_time", Arguments({}, Optional(precision)));
}
Column CurrentTimestamp() { return Call("current_timestamp", {}); }
Column CurrentTimezone() { return Call("current_timezone", {}); }
Column DateAdd(const Column& start, const ColumnOrNumber& days) { return Call("date_add", {start, days.column()}); }
Column DateDiff(const Column& end, const Column& start) { return Call("date_diff", {end, start}); }
Column DateFormat(const Column& date, std::string_view format) { return Call("date_format", {date, Lit(format)}); }
Column DateFromUnixDate(const Column& days) { return Call("date_from_unix_date", {days}); }
Column DatePart(std::string_view field, const Column& source) { return Call("date_part", {Lit(field), source}); }
Column DateSub(const Column& start, const ColumnOrNumber& days) { return Call("date_sub", {start, days.column()}); }
Column DateTrunc(std::string_view format, const Column& timestamp) {
  return Call("date_trunc", {Lit(format), timestamp});
}
Column Day(const Column& value) { return Call("day", {value}); }
Column DayName(const Column& value) { return Call("dayname", {value}); }
Column DayOfMonth(const Column& value) { return Call("dayofmonth", {value}); }
Column DayOfWeek(const Column& value) { return Call("dayofweek", {value}); }
Column DayOfYear(const Column& value) { return Call("dayofyear", {value}); }
Column Extract(std::string_view field, const Column& source) { return Call("extract", {Lit(field), source}); }
Column FromUnixTime(const Column& seconds, std::string_view format) {
  return Call("from_unixtime", {seconds, Lit(format)});
}
Column FromUtcTimestamp(const Column& timestamp, const ColumnOrLiteral& zone) {
  return Call("from_utc_timestamp", {timestamp, zone.column()});
}
Column Hour(const Column& value) { return Call("hour", {value}); }
Column LastDay(const Column& date) { return Call("last_day", {date}); }
Column LocalTimestamp() { return Call("localtimestamp", {}); }
Column MakeDate(const Column& year, const Column& month, const Column& day) {
  return Call("make_date", {year, month, day});
}
Column MakeDtInterval(const ColumnOrNumber& days, const ColumnOrNumber& hours, const ColumnOrNumber& minutes,
                      const ColumnOrNumber& seconds) {
  return Call("make_dt_interval", {days.column(), hours.column(), minutes.column(), seconds.column()});
}
Column MakeInterval(const ColumnOrNumber& years, const ColumnOrNumber& months, const ColumnOrNumber& weeks,
                    const ColumnOrNumber& days, const ColumnOrNumber& hours, const ColumnOrNumber& minutes,
                    const ColumnOrNumber& seconds) {
  return Call("make_interval", {years.column(), months.column(), weeks.column(), days.column(), hours.column(),
                                minutes.column(), seconds.column()});
}
Column MakeTime(const Column& hour, const Column& minute, const Column& second) {
  return Call("make_time", {hour, minute, second});
}
Column MakeTimestampLtz(const Column& year, const Column& month, const Column& day, const Column& hour,
                        const Column& minute, const Column& second, const std::optional<Column>& zone) {
  return Call("make_timestamp_ltz", Arguments({year, month, day, hour, minute, second}, Optional(zone)));
}
Column MakeTimestamp(const Column& year, const Column& month, const Column& day, const Column& hour,
                     const Column& minute, const Column& second, const std::optional<Column>& zone) {
  return Call("make_timestamp", Arguments({year, month, day, hour, minute, second}, Optional(zone)));
}
Column MakeTimestampNtz(const Column& year, const Column& month, const Column& day, const Column& hour,
                        const Column& minute, const Column& second) {
  return Call("make_timestamp_ntz", {year, month, day, hour, minute, second});
}
Column MakeYmInterval(const ColumnOrNumber& years, const ColumnOrNumber& months) {
  return Call("make_ym_interval", {years.column(), months.column()});
}
Column Minute(const Column& value) { return Call("minute", {value}); }
Column Month(const Column& value) { return Call("month", {value}); }
Column MonthName(const Column& value) { return Call("monthname", {value}); }
Column MonthsBetween(const Column& end, const Column& start, bool round_off) {
  return Call("months_between", {end, start, Lit(round_off)});
}
Column NextDay(const Column& date, std::string_view day_of_week) { return Call("next_day", {date, Lit(day_of_week)}); }
Column Now() { return Call("now", {}); }
Column Quarter(const Column& value) { return Call("quarter", {value}); }
Column Second(const Column& value) { return Call("second", {value}); }
Column SessionWindow(const Column& time, const ColumnOrLiteral& gap) {
  return Call("session_window", {time, gap.column()});
}
Column TimeBucket(const Column& bucket_size, const Column& timestamp, const std::optional<ColumnOrLiteral>& origin) {
  return Call("time_bucket", Arguments({bucket_size, timestamp}, Optional(origin)));
}
Column TimeDiff(const Column& unit, const Column& start, const Column& end) {
  return Call("time_diff", {unit, start, end});
}
Column TimeFromMicros(const Column& value) { return Call("time_from_micros", {value}); }
Column TimeFromMillis(const Column& value) { return Call("time_from_millis", {value}); }
Column TimeFromSeconds(const Column& value) { return Call("time_from_seconds", {value}); }
Column TimestampAdd(std::string_view unit, const Column& quantity, const Column& timestamp) {
  return Call("timestampadd", {Lit(unit), quantity, timestamp});
}
Column TimestampDiff(std::string_view unit, const Column& start, const Column& end) {
  return Call("timestampdiff", {Lit(unit), start, end});
}
Column TimestampMicros(const Column& value) { return Call("timestamp_micros", {value}); }
Column TimestampMillis(const Column& value) { return Call("timestamp_millis", {value}); }
Column TimestampSeconds(const Column& value) { return Call("timestamp_seconds", {value}); }
Column TimeToMicros(const Column& value) { return Call("time_to_micros", {value}); }
Column TimeToMillis(const Column& value) { return Call("time_to_millis", {value}); }
Column TimeToSeconds(const Column& value) { return Call("time_to_seconds", {value}); }
Column TimeTrunc(const Column& unit, const Column& time) { return Call("time_trunc", {unit, time}); }
Column ToDate(const Column& value, std::optional<std::string_view> format) {
  return Call("to_date", Arguments({value}, Optional(format)));
}
Column ToTimestampLtz(const Column& timestamp, const std::optional<Column>& format) {
  return Call("to_timestamp_ltz", Arguments({timestamp}, Optional(format)));
}
Column ToTimestampNtz(const Column& timestamp, const std::optional<Column>& format) {
  return Call("to_timestamp_ntz", Arguments({timestamp}, Optional(format)));
}
Column ToTimestamp(const Column& value, std::optional<std::string_view> format) {
  return Call("to_timestamp", Arguments({value}, Optional(format)));
}
Column ToTime(const Column& text, const std::optional<Column>& format) {
  return Call("to_time", Arguments({text}, Optional(format)));
}
Column ToUnixTimestamp(const Column& timestamp, const std::optional<Column>& format) {
  return Call("to_unix_timestamp", Arguments({timestamp}, Optional(format)));
}
Column ToUtcTimestamp(const Column& timestamp, const ColumnOrLiteral& zone) {
  return Call("to_utc_timestamp", {timestamp, zone.column()});
}
Column Trunc(const Column& date, std::string_view format) { return Call("trunc", {date, Lit(format)}); }
Column TryMakeInterval(const ColumnOrNumber& years, const ColumnOrNumber& months, const ColumnOrNumber& weeks,
                       const ColumnOrNumber& days, const ColumnOrNumber& hours, const ColumnOrNumber& minutes,
                       const ColumnOrNumber& seconds) {
  return Call("try_make_interval", {years.column(), months.column(), weeks.column(), days.column(), hours.column(),
                                    minutes.column(), seconds.column()});
}
Column TryMakeTimestampLtz(const Column& year, const Column& month, const Column& day, const Column& hour,
                           const Column& minute, const Column& second, const std::optional<Column>& zone) {
  return Call("try_make_timestamp_ltz", Arguments({year, month, day, hour, minute, second}, Optional(zone)));
}
Column TryMakeTimestampNtz(const Column& year, const Column& month, const Column& day, const Column& hour,
                           const Column& minute, const Column& second) {
  return Call("try_make_timestamp_ntz", {year, month, day, hour, minute, second});
}
Column TryMakeTimestamp(const Column& year, const Column& month, const Column& day, const Column& hour,
                        const Column& minute, const Column& second, const std::optional<Column>& zone) {
  return Call("try_make_timestamp", Arguments({year, month, day, hour, minute, second}, Optional(zone)));
}
Column TryToDate(const Column& value, std::optional<std::string_view> format) {
  return Call("try_to_date", Arguments({value}, Optional(format)));
}
Column TryToTimestamp(const Column& value, const std::optional<Column>& format) {
  return Call("try_to_timestamp", Arguments({value}, Optional(format)));
}
Column TryToTime(const Column& text, const std::optional<Column>& format) {
  return Call("try_to_time", Arguments({text}, Optional(format)));
}
Column UnixDate(const Column& value) { return Call("unix_date", {value}); }
Column UnixMicros(const Column& value) { return Call("unix_micros", {value}); }
Column UnixMillis(const Column& value) { return Call("unix_millis", {value}); }
Column UnixSeconds(const Column& value) { return Call("unix_seconds", {value}); }
Column UnixTimestamp() { return Call("unix_timestamp", {}); }
Column UnixTimestamp(const Column& timestamp, std::string_view format) {
  return Call("unix_timestamp", {timestamp, Lit(format)});
}
Column Weekday(const Column& value) { return Call("weekday", {value}); }
Column WeekOfYear(const Column& value) { return Call("weekofyear", {value}); }
Column WindowTime(const Column& window_column) { return Call("window_time", {window_column}); }
Column Window(const Column& time, std::string_view duration, std::string_view slide, std::string_view start) {
  std::vector<Column> arguments = {time, Lit(duration)};
  if (!slide.empty() || !start.empty()) arguments.push_back(Lit(slide.empty() ? duration : slide));
  if (!start.empty()) arguments.push_back(Lit(start));
  return Call("window", arguments);
}
Column Year(const Column& value) { return Call("year", {value}); }

}  // namespace millrace::functions
