#include "base/ascii.h"
#include "function/row_kernel.h"
#include "function/scalar/datetime/local_time.h"
#include "types/datetime_arithmetic.h"

namespace millrace::function {

namespace {

enum class Level : uint8_t {
  kNone,
  kMicrosecond,
  kMillisecond,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kQuarter,
  kYear
};

Level ParseLevel(std::string_view text) {
  constexpr struct {
    std::string_view name;
    Level level;
  } kLevels[] = {{"YEAR", Level::kYear},
                 {"YYYY", Level::kYear},
                 {"YY", Level::kYear},
                 {"QUARTER", Level::kQuarter},
                 {"MONTH", Level::kMonth},
                 {"MM", Level::kMonth},
                 {"MON", Level::kMonth},
                 {"WEEK", Level::kWeek},
                 {"DAY", Level::kDay},
                 {"DD", Level::kDay},
                 {"HOUR", Level::kHour},
                 {"MINUTE", Level::kMinute},
                 {"SECOND", Level::kSecond},
                 {"MILLISECOND", Level::kMillisecond},
                 {"MICROSECOND", Level::kMicrosecond}};
  for (const auto& entry : kLevels) {
    if (EqualsIgnoreCase(entry.name, text)) return entry.level;
  }
  return Level::kNone;
}

// REQUIRES: a level of a week or more.
int64_t TruncDays(int64_t days, Level level) {
  if (level == Level::kWeek) return days - (types::IsoDayOfWeek(days) - 1);
  types::CivilDate date = types::CivilFromDays(days);
  int32_t month = level == Level::kYear ? 1 : level == Level::kQuarter ? (date.month - 1) / 3 * 3 + 1 : date.month;
  return types::DaysFromCivil(date.year, month, 1);
}

int64_t UnitMicros(Level level) {
  switch (level) {
    case Level::kMillisecond:
      return types::kMicrosPerMilli;
    case Level::kSecond:
      return types::kMicrosPerSecond;
    case Level::kMinute:
      return types::kMicrosPerMinute;
    case Level::kHour:
      return types::kMicrosPerHour;
    case Level::kDay:
      return types::kMicrosPerDay;
    default:
      return 1;
  }
}

int64_t TruncTimestamp(int64_t us, Level level, const types::TimeZone& zone) {
  if (level <= Level::kSecond) return us - types::FloorMod(us, UnitMicros(level));
  int32_t offset_seconds = zone.OffsetSeconds(us);
  int64_t local_us = us + int64_t{offset_seconds} * types::kMicrosPerSecond;
  if (level <= Level::kDay) {
    return types::ResolveLocal(local_us - types::FloorMod(local_us, UnitMicros(level)), offset_seconds, zone);
  }
  int64_t days = TruncDays(types::FloorDiv(local_us, types::kMicrosPerDay), level);
  int64_t result = us;
  types::LocalToUtcMicros(days * types::kMicrosPerDay, zone, &result);
  return result;
}

}  // namespace

extern const FunctionDef kTrunc{
    .name = "trunc",
    .family = "datetime",
    .description = "The first day of the date's year, quarter, month or week; NULL for other units.",
    .example = "trunc('2019-08-04', 'week')",
    .example_result = "2019-07-29",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) {
      auto trunc = [](const EvalContext&, int32_t days, std::string_view unit, arrow::Date32Builder& builder) {
        Level level = ParseLevel(unit);
        if (level < Level::kWeek) return builder.AppendNull();
        return builder.Append(static_cast<int32_t>(TruncDays(days, level)));
      };
      return BindSimple(input, {types::Date(), types::String()}, types::Date(),
                        BuiltKernel<arrow::Date32Builder, int32_t, std::string_view>(arrow::date32(), trunc),
                        {.may_null = true});
    }};

extern const FunctionDef kDateTrunc{
    .name = "date_trunc",
    .family = "datetime",
    .description = "The start of the timestamp's unit, from MICROSECOND to YEAR; NULL for other units.",
    .example = "date_trunc('HOUR', '2015-03-05T09:32:05.359')",
    .example_result = "2015-03-05 09:00:00",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) {
      auto trunc = [](const EvalContext& context, std::string_view unit, int64_t us, arrow::TimestampBuilder& builder) {
        Level level = ParseLevel(unit);
        if (level == Level::kNone) return builder.AppendNull();
        return builder.Append(TruncTimestamp(us, level, *context.time_zone));
      };
      return BindSimple(input, {types::String(), types::Timestamp()}, types::Timestamp(),
                        BuiltKernel<arrow::TimestampBuilder, std::string_view, int64_t>(
                            arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), trunc),
                        {.may_null = true});
    }};

}  // namespace millrace::function
