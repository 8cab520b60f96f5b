#include <cmath>

#include "function/row_kernel.h"
#include "types/datetime_text.h"

namespace millrace::function {

namespace {

struct MonthPosition {
  int64_t months;
  int32_t day;
  bool last_day;
  int64_t second_of_day;
};

MonthPosition PositionOf(int64_t local_us) {
  int64_t days = types::FloorDiv(local_us, types::kMicrosPerDay);
  types::CivilDate date = types::CivilFromDays(days);
  return {date.year * 12 + date.month, date.day, date.day == types::DaysInMonth(date.year, date.month),
          (local_us - days * types::kMicrosPerDay) / types::kMicrosPerSecond};
}

// Months as Hive counts them: whole when both are the same day or both a last day, else by months of 31 days.
void MonthsBetweenTimestamps(const EvalContext& context, int64_t a, int64_t b, bool round_off, double* out) {
  MonthPosition first = PositionOf(context.time_zone->ToLocalMicros(a));
  MonthPosition second = PositionOf(context.time_zone->ToLocalMicros(b));
  auto months = static_cast<double>(first.months - second.months);
  if (first.day == second.day || (first.last_day && second.last_day)) {
    *out = months;
    return;
  }
  int64_t seconds = int64_t{first.day - second.day} * 86400 + first.second_of_day - second.second_of_day;
  double diff = months + static_cast<double>(seconds) / (31.0 * 86400);
  *out = round_off ? std::floor(diff * 1e8 + 0.5) / 1e8 : diff;
}

}  // namespace

extern const FunctionDef kMonthsBetween{
    .name = "months_between",
    .family = "datetime",
    .description = "Months from the second timestamp to the first, rounded to 8 digits unless told otherwise.",
    .example = "months_between('1997-02-28 10:30:00', '1996-10-30')",
    .example_result = "3.94959677",
    .min_arguments = 2,
    .max_arguments = 3,
    .bind = [](const BindInput& input) {
      BindInput full = input;
      if (full.arguments.size() == 2) full.arguments.push_back(expression::Literal::Boolean(true));
      return BindSimple(full, {types::Timestamp(), types::Timestamp(), types::Boolean()}, types::Double(),
                        FixedKernel<double, int64_t, int64_t, bool>(arrow::float64(), MonthsBetweenTimestamps));
    }};

}  // namespace millrace::function
