#include "function/row_kernel.h"
#include "types/datetime_text.h"
#include "types/pattern_text.h"

/// Fields of a date.

namespace millrace::function {

namespace {

using types::CivilDate;
using types::CivilFromDays;

// `field(days) -> int32_t`
template <typename Fn>
arrow::Result<ExpressionPtr> BindField(const BindInput& input, Fn field) {
  return BindSimple(input, {types::Date()}, types::Integer(),
                    FixedKernel<int32_t, int32_t>(arrow::int32(), [field](const EvalContext&, int32_t days,
                                                                          int32_t* out) { *out = field(days); }),
                    {.shown_name = std::string(input.name)});
}

int32_t WeekOfYear(int32_t days) {
  // The ISO week belongs to the year of its Thursday.
  int64_t thursday = int64_t{days} - (types::IsoDayOfWeek(days) - 4);
  return (DayOfYear(CivilFromDays(thursday)) - 1) / 7 + 1;
}

template <types::DateTimePattern::Field kField>
arrow::Result<ExpressionPtr> BindName(const BindInput& input) {
  return BindSimple(input, {types::Date()}, types::String(),
                    BuiltKernel<arrow::StringBuilder, int32_t>(
                        arrow::utf8(), [](const EvalContext&, int32_t days, arrow::StringBuilder& builder) {
                          int64_t value = kField == types::DateTimePattern::Field::kMonth ? CivilFromDays(days).month
                                                                                          : types::IsoDayOfWeek(days);
                          return builder.Append(types::FieldText(kField, value, false));
                        }));
}

}  // namespace

extern const FunctionDef kYear{
    .name = "year",
    .family = "datetime",
    .description = "Year of a date.",
    .example = "year('2016-07-30')",
    .example_result = "2016",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) {
      return BindField(input, [](int32_t days) { return static_cast<int32_t>(CivilFromDays(days).year); });
    }};

extern const FunctionDef kMonth{.name = "month",
                                .family = "datetime",
                                .description = "Month of a date, 1 to 12.",
                                .example = "month('2016-07-30')",
                                .example_result = "7",
                                .min_arguments = 1,
                                .max_arguments = 1,
                                .bind = [](const BindInput& input) {
                                  return BindField(input, [](int32_t days) { return CivilFromDays(days).month; });
                                }};

extern const FunctionDef kDayOfMonth{.name = "dayofmonth",
                                     .aliases = "day",
                                     .family = "datetime",
                                     .description = "Day of the month, 1 to 31.",
                                     .example = "dayofmonth('2009-07-30')",
                                     .example_result = "30",
                                     .min_arguments = 1,
                                     .max_arguments = 1,
                                     .bind = [](const BindInput& input) {
                                       return BindField(input, [](int32_t days) { return CivilFromDays(days).day; });
                                     }};

extern const FunctionDef kDayOfYear{.name = "dayofyear",
                                    .family = "datetime",
                                    .description = "Day of the year, 1 to 366.",
                                    .example = "dayofyear('2016-04-09')",
                                    .example_result = "100",
                                    .min_arguments = 1,
                                    .max_arguments = 1,
                                    .bind = [](const BindInput& input) {
                                      return BindField(
                                          input, [](int32_t days) { return types::DayOfYear(CivilFromDays(days)); });
                                    }};

extern const FunctionDef kDayOfWeek{.name = "dayofweek",
                                    .family = "datetime",
                                    .description = "Day of the week, 1 = Sunday to 7 = Saturday.",
                                    .example = "dayofweek('2009-07-30')",
                                    .example_result = "5",
                                    .min_arguments = 1,
                                    .max_arguments = 1,
                                    .bind = [](const BindInput& input) {
                                      return BindField(input,
                                                       [](int32_t days) { return types::IsoDayOfWeek(days) % 7 + 1; });
                                    }};

extern const FunctionDef kWeekDay{.name = "weekday",
                                  .family = "datetime",
                                  .description = "Day of the week, 0 = Monday to 6 = Sunday.",
                                  .example = "weekday('2009-07-30')",
                                  .example_result = "3",
                                  .min_arguments = 1,
                                  .max_arguments = 1,
                                  .bind = [](const BindInput& input) {
                                    return BindField(input, [](int32_t days) { return types::IsoDayOfWeek(days) - 1; });
                                  }};

extern const FunctionDef kWeekOfYear{
    .name = "weekofyear",
    .family = "datetime",
    .description = "ISO week of the year: weeks begin on Monday, week 1 is the first with more than three days.",
    .example = "weekofyear('2008-02-20')",
    .example_result = "8",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) { return BindField(input, WeekOfYear); }};

extern const FunctionDef kQuarter{.name = "quarter",
                                  .family = "datetime",
                                  .description = "Quarter of the year, 1 to 4.",
                                  .example = "quarter('2016-08-31')",
                                  .example_result = "3",
                                  .min_arguments = 1,
                                  .max_arguments = 1,
                                  .bind = [](const BindInput& input) {
                                    return BindField(input,
                                                     [](int32_t days) { return (CivilFromDays(days).month + 2) / 3; });
                                  }};

extern const FunctionDef kDayName{.name = "dayname",
                                  .family = "datetime",
                                  .description = "Abbreviated name of the day of the week.",
                                  .example = "dayname(DATE '2008-02-20')",
                                  .example_result = "Wed",
                                  .min_arguments = 1,
                                  .max_arguments = 1,
                                  .bind = BindName<types::DateTimePattern::Field::kDayOfWeek>};

extern const FunctionDef kMonthName{.name = "monthname",
                                    .family = "datetime",
                                    .description = "Abbreviated name of the month.",
                                    .example = "monthname('2008-02-20')",
                                    .example_result = "Feb",
                                    .min_arguments = 1,
                                    .max_arguments = 1,
                                    .bind = BindName<types::DateTimePattern::Field::kMonth>};

extern const FunctionDef kUnixDate{
    .name = "unix_date",
    .family = "datetime",
    .description = "Days since 1970-01-01.",
    .example = "unix_date(DATE '1970-01-02')",
    .example_result = "1",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) { return BindField(input, [](int32_t days) { return days; }); }};

extern const FunctionDef kDateFromUnixDate{
    .name = "date_from_unix_date",
    .family = "datetime",
    .description = "The date so many days after 1970-01-01.",
    .example = "date_from_unix_date(1)",
    .example_result = "1970-01-02",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) {
      return BindSimple(input, {types::Integer()}, types::Date(),
                        FixedKernel<int32_t, int32_t>(
                            arrow::date32(), [](const EvalContext&, int32_t days, int32_t* out) { *out = days; }));
    }};

}  // namespace millrace::function
