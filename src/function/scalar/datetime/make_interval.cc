#include "base/error.h"
#include "function/row_kernel.h"
#include "types/arrow_type.h"
#include "types/datetime_text.h"

/// Intervals from their fields.

namespace millrace::function {

namespace {

ExpressionPtr ZeroSeconds() {
  return std::make_shared<expression::Literal>(
      types::Decimal(8, 6), std::make_shared<arrow::Decimal128Scalar>(arrow::Decimal128(0), arrow::decimal128(8, 6)));
}

// Arguments left out are zero; the last of `count` is seconds when `seconds`.
BindInput FillZeros(const BindInput& input, size_t count, bool seconds) {
  BindInput full = input;
  while (full.arguments.size() < count) {
    bool last = full.arguments.size() + 1 == count;
    full.arguments.push_back(last && seconds ? ZeroSeconds() : expression::Literal::Integer(0));
  }
  return full;
}

arrow::Status IntervalOverflow() { return UserError("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION"); }

bool MulAdd(int64_t factor, int64_t unit, int64_t* sum) {
  int64_t product = 0;
  return !__builtin_mul_overflow(factor, unit, &product) && !__builtin_add_overflow(*sum, product, sum);
}

using IntColumns = std::vector<std::unique_ptr<expression::FixedColumn<int32_t>>>;

// Runs `one(i, micros of the seconds argument)` for every row without a NULL; the last argument is the seconds.
template <typename Builder, typename Fn>
arrow::Result<arrow::Datum> ForRows(const EvalContext& context, const std::vector<arrow::Datum>& arguments, int64_t n,
                                    const IntColumns& columns, Builder& builder, Fn&& one) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> seconds,
                        expression::ToArray(arguments.back(), n, context.memory_pool));
  const auto& decimals = static_cast<const arrow::Decimal128Array&>(*seconds);
  ARROW_RETURN_NOT_OK(builder.Reserve(n));
  for (int64_t i = 0; i < n; ++i) {
    bool null = decimals.IsNull(i);
    for (const auto& column : columns) null = null || column->IsNull(i);
    if (null) {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
    } else {
      ARROW_RETURN_NOT_OK(one(i, static_cast<int64_t>(arrow::Decimal128(decimals.GetValue(i)).low_bits())));
    }
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> result, builder.Finish());
  return arrow::Datum(std::move(result));
}

IntColumns ReadInts(const std::vector<arrow::Datum>& arguments) {
  IntColumns columns;
  for (size_t i = 0; i + 1 < arguments.size(); ++i) {
    columns.push_back(std::make_unique<expression::FixedColumn<int32_t>>(arguments[i]));
  }
  return columns;
}

arrow::Result<arrow::Datum> MakeDayTime(const EvalContext& context, const std::vector<arrow::Datum>& arguments,
                                        int64_t num_rows) {
  return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t n) -> arrow::Result<arrow::Datum> {
    IntColumns columns = ReadInts(arguments);
    arrow::DurationBuilder builder(arrow::duration(arrow::TimeUnit::MICRO), context.memory_pool);
    return ForRows(context, arguments, n, columns, builder, [&](int64_t i, int64_t micros) -> arrow::Status {
      if (!MulAdd((*columns[0])[i], types::kMicrosPerDay, &micros) ||
          !MulAdd((*columns[1])[i], types::kMicrosPerHour, &micros) ||
          !MulAdd((*columns[2])[i], types::kMicrosPerMinute, &micros)) {
        return IntervalOverflow();
      }
      return builder.Append(micros);
    });
  });
}

arrow::Result<arrow::Datum> MakeCalendar(const EvalContext& context, const std::vector<arrow::Datum>& arguments,
                                         int64_t num_rows) {
  return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t n) -> arrow::Result<arrow::Datum> {
    IntColumns columns = ReadInts(arguments);
    arrow::MonthDayNanoIntervalBuilder builder(arrow::month_day_nano_interval(), context.memory_pool);
    return ForRows(context, arguments, n, columns, builder, [&](int64_t i, int64_t micros) -> arrow::Status {
      int64_t months = (*columns[1])[i], days = (*columns[3])[i];
      bool fits = MulAdd((*columns[0])[i], 12, &months) && MulAdd((*columns[2])[i], 7, &days) &&
                  MulAdd((*columns[4])[i], types::kMicrosPerHour, &micros) &&
                  MulAdd((*columns[5])[i], types::kMicrosPerMinute, &micros) &&
                  months == static_cast<int32_t>(months) && days == static_cast<int32_t>(days);
      int64_t nanos = 0;
      fits = fits && !__builtin_mul_overflow(micros, int64_t{1000}, &nanos);
      if (!fits) {
        if (!context.ansi) return builder.AppendNull();
        return UserError(
            "ARITHMETIC_OVERFLOW",
            {{"message", "overflow"}, {"alternative", ""}, {"config", QuoteConf("spark.sql.ansi.enabled")}});
      }
      return builder.Append({static_cast<int32_t>(months), static_cast<int32_t>(days), nanos});
    });
  });
}

}  // namespace

extern const FunctionDef kMakeInterval{
    .name = "make_interval",
    .family = "datetime",
    .description = "Legacy interval of years, months, weeks, days, hours, minutes and seconds.",
    .example = "make_interval(100, 11, 1, 1, 12, 30, 01.001001)",
    .example_result = "100 years 11 months 8 days 12 hours 30 minutes 1.001001 seconds",
    .min_arguments = 0,
    .max_arguments = 7,
    .bind = [](const BindInput& input) {
      std::vector<DataTypePtr> parameters(6, types::Integer());
      parameters.push_back(types::Decimal(18, 6));
      return BindSimple(FillZeros(input, 7, true), parameters, types::CalendarInterval(), MakeCalendar,
                        {.can_fail = true, .may_null = !input.context.ansi});
    }};

extern const FunctionDef kTryMakeInterval{
    .name = "try_make_interval",
    .family = "datetime",
    .description =
        "Legacy interval of years, months, weeks, days, hours, minutes and seconds; NULL where it overflows.",
    .example = "try_make_interval(100, 11, 1, 1, 12, 30, 01.001001)",
    .example_result = "100 years 11 months 8 days 12 hours 30 minutes 1.001001 seconds",
    .min_arguments = 1,
    .max_arguments = 7,
    .bind = [](const BindInput& input) {
      std::vector<DataTypePtr> parameters(6, types::Integer());
      parameters.push_back(types::Decimal(18, 6));
      auto kernel = [](const EvalContext& context, const std::vector<arrow::Datum>& arguments, int64_t num_rows) {
        EvalContext lenient = context;
        lenient.ansi = false;
        return MakeCalendar(lenient, arguments, num_rows);
      };
      return BindSimple(FillZeros(input, 7, true), parameters, types::CalendarInterval(), kernel, {.may_null = true});
    }};

extern const FunctionDef kMakeDtInterval{
    .name = "make_dt_interval",
    .family = "datetime",
    .description = "Day-time interval of days, hours, minutes and seconds.",
    .example = "make_dt_interval(1, 12, 30, 01.001001)",
    .example_result = "INTERVAL '1 12:30:01.001001' DAY TO SECOND",
    .min_arguments = 0,
    .max_arguments = 4,
    .bind = [](const BindInput& input) {
      return BindSimple(FillZeros(input, 4, true),
                        {types::Integer(), types::Integer(), types::Integer(), types::Decimal(18, 6)},
                        types::DayTimeInterval(), MakeDayTime, {.can_fail = true});
    }};

extern const FunctionDef kMakeYmInterval{
    .name = "make_ym_interval",
    .family = "datetime",
    .description = "Year-month interval of years and months.",
    .example = "make_ym_interval(1, 2)",
    .example_result = "INTERVAL '1-2' YEAR TO MONTH",
    .min_arguments = 0,
    .max_arguments = 2,
    .bind = [](const BindInput& input) {
      auto make = [](const EvalContext&, int32_t years, int32_t months, int32_t* out) -> arrow::Status {
        int64_t total = int64_t{years} * 12 + months;
        if (total != static_cast<int32_t>(total)) return IntervalOverflow();
        *out = static_cast<int32_t>(total);
        return arrow::Status::OK();
      };
      return BindSimple(FillZeros(input, 2, false), {types::Integer()}, types::YearMonthInterval(),
                        FixedKernel<int32_t, int32_t, int32_t>(arrow::month_interval(), make), {.can_fail = true});
    }};

}  // namespace millrace::function
