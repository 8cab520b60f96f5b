#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "expression/query_settings.h"
#include "expression/type_coercion.h"
#include "function/row_kernel.h"
#include "types/arrow_type.h"
#include "types/datetime_text.h"

/// Dates and timestamps from their fields.

namespace millrace::function {

namespace {

using types::TimeZone;

arrow::Status OutOfBounds(std::string message) {
  return UserError("DATETIME_FIELD_OUT_OF_BOUNDS.WITH_SUGGESTION",
                   {{"rangeMessage", std::move(message)}, {"ansiConfig", QuoteConf("spark.sql.ansi.enabled")}});
}

arrow::Status OutOfRange(std::string_view field, std::string_view range, int64_t value) {
  return OutOfBounds(fmt::format("Invalid value for {} (valid values {}): {}", field, range, value));
}

arrow::Status ToDays(int32_t year, int32_t month, int32_t day, int64_t* days) {
  constexpr std::string_view kMonths[] = {"JANUARY", "FEBRUARY", "MARCH",     "APRIL",   "MAY",      "JUNE",
                                          "JULY",    "AUGUST",   "SEPTEMBER", "OCTOBER", "NOVEMBER", "DECEMBER"};
  if (year > 999999999 || year < -999999999) return OutOfRange("Year", "-999999999 - 999999999", year);
  if (month < 1 || month > 12) return OutOfRange("MonthOfYear", "1 - 12", month);
  if (day < 1 || day > 31) return OutOfRange("DayOfMonth", "1 - 28/31", day);
  if (!types::IsValidCivil(year, month, day)) {
    return OutOfBounds(day == 29 ? fmt::format("Invalid date 'February 29' as '{}' is not a leap year", year)
                                 : fmt::format("Invalid date '{} {}'", kMonths[month - 1], day));
  }
  *days = types::DaysFromCivil(year, month, day);
  return arrow::Status::OK();
}

arrow::Status MakeDate(const EvalContext& context, int32_t year, int32_t month, int32_t day,
                       arrow::Date32Builder& builder) {
  int64_t days = 0;
  arrow::Status status = ToDays(year, month, day, &days);
  if (status.ok() && days != static_cast<int32_t>(days)) status = OutOfBounds("integer overflow");
  if (status.ok()) return builder.Append(static_cast<int32_t>(days));
  return context.ansi ? status : builder.AppendNull();
}

// The fields of a timestamp as columns; seconds are decimal(16, 6).
struct Fields {
  explicit Fields(const std::vector<arrow::Datum>& arguments)
      : year(arguments[0]), month(arguments[1]), day(arguments[2]), hour(arguments[3]), minute(arguments[4]) {}
  expression::FixedColumn<int32_t> year, month, day, hour, minute;

  arrow::Status ToLocal(int64_t i, int64_t second_us, int64_t* local_us) const {
    int64_t days = 0;
    ARROW_RETURN_NOT_OK(ToDays(year[i], month[i], day[i], &days));
    if (hour[i] < 0 || hour[i] > 23) return OutOfRange("HourOfDay", "0 - 23", hour[i]);
    if (minute[i] < 0 || minute[i] > 59) return OutOfRange("MinuteOfHour", "0 - 59", minute[i]);
    int64_t seconds = types::FloorDiv(second_us, types::kMicrosPerSecond);
    // A sixtieth second is the next minute's first, but has no fraction.
    if (seconds == 60 && second_us % types::kMicrosPerSecond != 0) {
      std::string shown = fmt::format("{}.{:06}", seconds, second_us % types::kMicrosPerSecond);
      shown.erase(shown.find_last_not_of('0') + 1);
      return UserError("INVALID_FRACTION_OF_SECOND", {{"secAndMicros", shown}});
    }
    if (seconds < 0 || seconds > 60) return OutOfRange("SecondOfMinute", "0 - 59", seconds);
    int64_t second_of_day = int64_t{hour[i]} * 3600 + minute[i] * 60;
    __int128 us = (static_cast<__int128>(days) * 86400 + second_of_day) * types::kMicrosPerSecond + second_us;
    if (us > INT64_MAX || us < INT64_MIN) return OutOfBounds("long overflow");
    *local_us = static_cast<int64_t>(us);
    return arrow::Status::OK();
  }
};

ScalarKernel MakeTimestampKernel(bool ntz, bool is_try) {
  return [ntz, is_try](const EvalContext& context, const std::vector<arrow::Datum>& arguments, int64_t num_rows) {
    return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t n) -> arrow::Result<arrow::Datum> {
      Fields fields(arguments);
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> seconds,
                            expression::ToArray(arguments[5], n, context.memory_pool));
      const auto& decimals = static_cast<const arrow::Decimal128Array&>(*seconds);
      expression::StringColumn zones(arguments.size() > 6 ? arguments[6]
                                                          : arrow::Datum(std::make_shared<arrow::StringScalar>("UTC")));
      bool named_zone = arguments.size() > 6;
      arrow::TimestampBuilder builder(
          ntz ? arrow::timestamp(arrow::TimeUnit::MICRO) : arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"),
          context.memory_pool);
      auto one = [&](int64_t i) -> arrow::Status {
        if (decimals.IsNull(i)) return builder.AppendNull();
        int64_t local_us = 0, us = 0;
        auto second_us = static_cast<int64_t>(arrow::Decimal128(decimals.GetValue(i)).low_bits());
        arrow::Status status = fields.ToLocal(i, second_us, &local_us);
        const TimeZone* zone = ntz ? TimeZone::Utc() : context.time_zone;
        if (status.ok() && named_zone) {
          auto loaded = TimeZone::Load(zones[i]);
          status = loaded.status();
          if (loaded.ok() && !ntz) zone = *loaded;
        }
        if (status.ok() && !types::LocalToUtcMicros(local_us, *zone, &us)) status = OutOfBounds("long overflow");
        if (status.ok()) return builder.Append(us);
        return context.ansi && !is_try ? status : builder.AppendNull();
      };
      return expression::MapBuilt(builder, n, one, fields.year, fields.month, fields.day, fields.hour, fields.minute,
                                  zones);
    });
  };
}

// Kernel over (date), (date, time) and (date, time, zone).
ScalarKernel DateAndTimeKernel(bool ntz) {
  return [ntz](const EvalContext& context, const std::vector<arrow::Datum>& arguments, int64_t num_rows) {
    return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t n) -> arrow::Result<arrow::Datum> {
      auto or_else = [&](size_t i, std::shared_ptr<arrow::Scalar> value) {
        return i < arguments.size() ? arguments[i] : arrow::Datum(std::move(value));
      };
      expression::FixedColumn<int32_t> days(arguments[0]);
      expression::FixedColumn<int64_t> nanos(
          or_else(1, std::make_shared<arrow::Time64Scalar>(0, arrow::time64(arrow::TimeUnit::NANO))));
      expression::StringColumn zones(or_else(2, std::make_shared<arrow::StringScalar>("UTC")));
      arrow::TimestampBuilder builder(
          ntz ? arrow::timestamp(arrow::TimeUnit::MICRO) : arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"),
          context.memory_pool);
      auto one = [&](int64_t i) -> arrow::Status {
        const TimeZone* zone = ntz ? TimeZone::Utc() : context.time_zone;
        if (arguments.size() > 2) {
          ARROW_ASSIGN_OR_RAISE(zone, TimeZone::Load(zones[i]));
        }
        __int128 local_us = static_cast<__int128>(days[i]) * types::kMicrosPerDay + nanos[i] / 1000;
        int64_t us = 0;
        if (local_us > INT64_MAX || local_us < INT64_MIN ||
            !types::LocalToUtcMicros(static_cast<int64_t>(local_us), *zone, &us)) {
          return OutOfBounds("long overflow");
        }
        return builder.Append(us);
      };
      return expression::MapBuilt(builder, n, one, days, nanos, zones);
    });
  };
}

// The forms that take a DATE, which nothing else is cast to.
arrow::Result<ExpressionPtr> BindDateAndTime(const BindInput& input, bool ntz, bool tried) {
  BindInput shown = input;
  bool keeps_name = ntz || (tried && input.name == "try_make_timestamp");
  shown.name = ntz ? "make_timestamp_ntz" : "make_timestamp";
  const DataTypePtr types[] = {types::Date(), types::Time(types::kMicrosPrecision), types::String()};
  ExpressionVector arguments;
  for (size_t i = 0; i < input.arguments.size(); ++i) {
    const DataTypePtr& given = input.arguments[i]->type();
    if (given->id() != types[i]->id() && given->id() != types::TypeId::kNull) {
      return UnexpectedInputType(shown, i, QuoteSqlType(i == 0 ? "DATE" : i == 1 ? "TIME" : "STRING"));
    }
    bool is_null = given->id() == types::TypeId::kNull;
    arguments.push_back(is_null ? expression::ImplicitCast(input.arguments[i], types[i]) : input.arguments[i]);
  }
  auto info = std::make_shared<CallInfo>();
  info->name = input.def.name;
  info->can_fail = !tried;
  info->style = CallStyle::kCustom;
  info->render = [name = std::string(keeps_name ? input.name : shown.name), ntz,
                  tried](const std::vector<std::string>& texts) {
    std::string list = "(";
    for (const std::string& text : texts) list += (list.size() > 1 ? ", " : "") + text;
    list += ")";
    return ntz && tried ? name + "(make_timestamp_ntz" + list + ")" : name + list;
  };
  info->kernel = DateAndTimeKernel(ntz);
  bool nullable = std::any_of(arguments.begin(), arguments.end(), [](const auto& one) { return one->nullable(); });
  return std::make_shared<Call>(std::move(info), ntz ? types::TimestampNtz() : types::Timestamp(), nullable || ntz,
                                std::move(arguments));
}

template <bool kNtz, bool kTry>
arrow::Result<ExpressionPtr> BindMakeTimestamp(const BindInput& input) {
  bool either = input.name == "make_timestamp" || input.name == "try_make_timestamp";
  std::vector<size_t> counts = kNtz     ? std::vector<size_t>{2, 6}
                               : either ? std::vector<size_t>{1, 2, 3, 6, 7}
                                        : std::vector<size_t>{2, 3, 6, 7};
  size_t given = input.arguments.size();
  if (std::find(counts.begin(), counts.end(), given) == counts.end()) {
    return WrongNumArgs(input.name, either ? "[1, 2, 3, 6, 7]" : "[2, 6]", given);
  }
  if (given <= 3) return BindDateAndTime(input, kNtz, kTry);
  bool ntz = kNtz || (either && expression::CurrentQuerySettings().timestamp_ntz);
  return BindSimple(input,
                    {types::Integer(), types::Integer(), types::Integer(), types::Integer(), types::Integer(),
                     types::Decimal(16, 6), types::String()},
                    ntz ? types::TimestampNtz() : types::Timestamp(), MakeTimestampKernel(ntz, kTry),
                    {.can_fail = !kTry, .may_null = kTry || !input.context.ansi});
}

}  // namespace

extern const FunctionDef kMakeDate{
    .name = "make_date",
    .family = "datetime",
    .description = "Date of year, month and day.",
    .example = "make_date(2013, 7, 15)",
    .example_result = "2013-07-15",
    .min_arguments = 3,
    .max_arguments = 3,
    .bind = [](const BindInput& input) {
      return BindSimple(input, {types::Integer()}, types::Date(),
                        BuiltKernel<arrow::Date32Builder, int32_t, int32_t, int32_t>(arrow::date32(), MakeDate),
                        {.can_fail = true, .may_null = !input.context.ansi});
    }};

extern const FunctionDef kMakeTimestamp{
    .name = "make_timestamp",
    .family = "datetime",
    .description = "Timestamp of its six fields, read in the session's or a named zone.",
    .example = "make_timestamp(2014, 12, 28, 6, 30, 45.887)",
    .example_result = "2014-12-28 06:30:45.887",
    .min_arguments = 0,
    .max_arguments = -1,
    .bind = BindMakeTimestamp<false, false>};

extern const FunctionDef kMakeTimestampLtz{.name = "make_timestamp_ltz",
                                           .family = "datetime",
                                           .description = "Timestamp with local time zone of its six fields.",
                                           .example = "make_timestamp_ltz(2014, 12, 28, 6, 30, 45.887)",
                                           .example_result = "2014-12-28 06:30:45.887",
                                           .min_arguments = 0,
                                           .max_arguments = -1,
                                           .bind = BindMakeTimestamp<false, false>};

extern const FunctionDef kMakeTimestampNtz{.name = "make_timestamp_ntz",
                                           .family = "datetime",
                                           .description = "Timestamp without time zone of its six fields.",
                                           .example = "make_timestamp_ntz(2014, 12, 28, 6, 30, 45.887)",
                                           .example_result = "2014-12-28 06:30:45.887",
                                           .min_arguments = 0,
                                           .max_arguments = -1,
                                           .bind = BindMakeTimestamp<true, false>};

extern const FunctionDef kTryMakeTimestamp{.name = "try_make_timestamp",
                                           .family = "datetime",
                                           .description = "As make_timestamp, but NULL where a field is out of range.",
                                           .example = "try_make_timestamp(2019, 13, 1, 10, 11, 12)",
                                           .example_result = "NULL",
                                           .min_arguments = 0,
                                           .max_arguments = -1,
                                           .bind = BindMakeTimestamp<false, true>};

extern const FunctionDef kTryMakeTimestampLtz{
    .name = "try_make_timestamp_ltz",
    .family = "datetime",
    .description = "As make_timestamp_ltz, but NULL where a field is out of range.",
    .example = "try_make_timestamp_ltz(2019, 13, 1, 10, 11, 12)",
    .example_result = "NULL",
    .min_arguments = 0,
    .max_arguments = -1,
    .bind = BindMakeTimestamp<false, true>};

extern const FunctionDef kTryMakeTimestampNtz{
    .name = "try_make_timestamp_ntz",
    .family = "datetime",
    .description = "As make_timestamp_ntz, but NULL where a field is out of range.",
    .example = "try_make_timestamp_ntz(2019, 13, 1, 10, 11, 12)",
    .example_result = "NULL",
    .min_arguments = 0,
    .max_arguments = -1,
    .bind = BindMakeTimestamp<true, true>};

}  // namespace millrace::function
