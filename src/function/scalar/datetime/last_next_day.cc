#include "base/ascii.h"
#include "base/error.h"
#include "function/row_kernel.h"
#include "types/datetime_text.h"

namespace millrace::function {

namespace {

// 1 = Monday … 7 = Sunday; 0 when `name` is none.
int32_t ParseDayOfWeek(std::string_view name) {
  constexpr std::string_view kDays[] = {"MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"};
  std::string upper = ToUpperAscii(name);
  for (int32_t i = 0; i < 7; ++i) {
    if (upper == kDays[i] || upper == kDays[i].substr(0, 2) || upper == kDays[i].substr(0, 3)) return i + 1;
  }
  return 0;
}

arrow::Status NextDay(const EvalContext& context, int32_t days, std::string_view name, arrow::Date32Builder& builder) {
  int32_t target = ParseDayOfWeek(name);
  if (target == 0) {
    if (context.ansi) return UserError("ILLEGAL_DAY_OF_WEEK", {{"string", std::string(name)}});
    return builder.AppendNull();
  }
  int32_t ahead = (target - types::IsoDayOfWeek(days) + 6) % 7 + 1;
  return builder.Append(days + ahead);
}

}  // namespace

extern const FunctionDef kLastDay{
    .name = "last_day",
    .family = "datetime",
    .description = "The last day of the date's month.",
    .example = "last_day('2009-01-12')",
    .example_result = "2009-01-31",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) {
      return BindSimple(
          input, {types::Date()}, types::Date(),
          FixedKernel<int32_t, int32_t>(arrow::date32(), [](const EvalContext&, int32_t days, int32_t* out) {
            types::CivilDate date = types::CivilFromDays(days);
            *out = days + types::DaysInMonth(date.year, date.month) - date.day;
          }));
    }};

extern const FunctionDef kNextDay{
    .name = "next_day",
    .family = "datetime",
    .description = "The first date after the given one that falls on the named day of the week.",
    .example = "next_day('2015-01-14', 'TU')",
    .example_result = "2015-01-20",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) {
      return BindSimple(input, {types::Date(), types::String()}, types::Date(),
                        BuiltKernel<arrow::Date32Builder, int32_t, std::string_view>(arrow::date32(), NextDay),
                        {.can_fail = true, .may_null = true});
    }};

}  // namespace millrace::function
