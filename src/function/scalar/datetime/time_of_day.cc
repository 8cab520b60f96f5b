#include <fmt/format.h>

#include "base/ascii.h"
#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/row_kernel.h"
#include "function/scalar/datetime/pattern_source.h"
#include "types/arrow_type.h"
#include "types/datetime_text.h"

/// Functions of the type TIME.

namespace millrace::function {

namespace {

using types::kMicrosPrecision;
using types::TypeId;

constexpr int64_t kNanosPerSecond = 1'000'000'000;

DataTypePtr DefaultTime() { return types::Time(kMicrosPrecision); }

arrow::Status OutOfBounds(std::string message) {
  return UserError("DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION", {{"rangeMessage", std::move(message)}});
}

arrow::Status CheckField(std::string_view field, int64_t value, int64_t largest) {
  if (value >= 0 && value <= largest) return arrow::Status::OK();
  return OutOfBounds(fmt::format("Invalid value for {} (valid values 0 - {}): {}", field, largest, value));
}

arrow::Result<ExpressionPtr> BindCurrentTime(const BindInput& input) {
  int precision = kMicrosPrecision;
  if (!input.arguments.empty()) {
    const ExpressionPtr& argument = input.arguments[0];
    if (!argument->foldable()) return NonFoldableInput(input, 0, "precision", argument->type());
    if (!argument->type()->is_integral()) return UnexpectedInputType(input, 0, QuoteSqlType("INT"));
    ExpressionPtr whole = expression::ImplicitCast(argument, types::Integer());
    ARROW_ASSIGN_OR_RAISE(auto value, expression::EvaluateFoldable(*whole, input.context));
    if (value->is_valid) precision = static_cast<const arrow::Int32Scalar&>(*value).value;
    if (precision < 0 || precision > kMicrosPrecision) {
      return UserError("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                                                                {"exprName", QuoteIdentifier("precision")},
                                                                {"valueRange", "[0, 6]"},
                                                                {"currentValue", std::to_string(precision)}});
    }
  }
  auto kernel = [precision](const EvalContext& context, const std::vector<arrow::Datum>&,
                            int64_t) -> arrow::Result<arrow::Datum> {
    int64_t seconds = 0;
    int32_t micros = 0;
    types::UtcToLocal(context.current_timestamp_us, *context.time_zone, &seconds, &micros);
    int64_t nanos = types::FloorMod(seconds, 86400) * kNanosPerSecond + int64_t{micros} * 1000;
    return arrow::Datum(std::make_shared<arrow::Time64Scalar>(types::TruncateTimeOfDay(nanos, precision),
                                                              arrow::time64(arrow::TimeUnit::NANO)));
  };
  return MakeCall(input, {expression::Literal::Integer(precision)}, types::Time(precision), false, kernel,
                  {.foldable = false});
}

arrow::Status MakeTime(const EvalContext&, int32_t hour, int32_t minute, __int128 second_us, int64_t* nanos) {
  ARROW_RETURN_NOT_OK(CheckField("HourOfDay", hour, 23));
  ARROW_RETURN_NOT_OK(CheckField("MinuteOfHour", minute, 59));
  auto micros = static_cast<int64_t>(second_us);
  ARROW_RETURN_NOT_OK(CheckField("SecondOfMinute", micros / types::kMicrosPerSecond, 59));
  if (micros < 0) return OutOfBounds(fmt::format("Invalid value for SecondOfMinute (valid values 0 - 59): {}", -1));
  *nanos = (int64_t{hour} * 60 + minute) * 60 * kNanosPerSecond + micros * 1000;
  return arrow::Status::OK();
}

arrow::Result<ExpressionPtr> BindMakeTime(const BindInput& input) {
  auto kernel = FixedKernel<int64_t, int32_t, int32_t, __int128>(types::ToArrow(*DefaultTime()), MakeTime);
  return BindSimple(input, {types::Integer(), types::Integer(), types::Decimal(16, 6)}, DefaultTime(), kernel,
                    {.can_fail = true, .may_null = true});
}

arrow::Status CannotParse(std::string_view text, std::string_view pattern) {
  return UserError("CANNOT_PARSE_TIME", {{"input", QuoteStringLiteral(text)}, {"format", QuoteStringLiteral(pattern)}});
}

// Kernel over (text) or (text, pattern).
ScalarKernel ParseKernel(PatternSource patterns, bool raises) {
  return [patterns = std::move(patterns), raises](const EvalContext& context,
                                                  const std::vector<arrow::Datum>& arguments, int64_t num_rows) {
    return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) -> arrow::Result<arrow::Datum> {
      arrow::Time64Builder builder(types::ToArrow(*DefaultTime()), context.memory_pool);
      expression::StringColumn texts(arguments[0]);
      auto one = [&](int64_t i, const types::DateTimePattern* pattern, std::string_view shown) -> arrow::Status {
        int64_t value = 0;
        bool good = false;
        if (pattern == nullptr) {
          good = types::ParseTimeOfDay(texts[i], &value);
        } else {
          good = pattern->ParseTimestampNtz(texts[i], /*allow_time_zone=*/false, &value, nullptr);
          value = types::FloorMod(value, types::kMicrosPerDay) * 1000;
        }
        if (good) return builder.Append(value);
        return raises ? CannotParse(texts[i], shown) : builder.AppendNull();
      };
      if (arguments.size() == 1) {
        return expression::MapBuilt(
            builder, rows, [&](int64_t i) { return one(i, nullptr, "HH:mm:ss.SSSSSS"); }, texts);
      }
      PatternSource::Reader reader(patterns);
      expression::StringColumn pattern_texts(arguments[1]);
      return expression::MapBuilt(
          builder, rows,
          [&](int64_t i) -> arrow::Status {
            ARROW_ASSIGN_OR_RAISE(const types::DateTimePattern* pattern, reader.Get(pattern_texts[i]));
            return one(i, pattern, pattern_texts[i]);
          },
          texts, pattern_texts);
    });
  };
}

template <bool kTry>
arrow::Result<ExpressionPtr> BindToTime(const BindInput& input) {
  BindInput shown = input;
  shown.name = "to_time";
  ExpressionVector arguments;
  for (size_t i = 0; i < input.arguments.size(); ++i) {
    TypeId id = input.arguments[i]->type()->id();
    if (id != TypeId::kString && id != TypeId::kNull) return UnexpectedInputType(shown, i, QuoteSqlType("STRING"));
    arguments.push_back(expression::ImplicitCast(input.arguments[i], types::String()));
  }
  PatternSource patterns;
  if (arguments.size() == 2) {
    ARROW_ASSIGN_OR_RAISE(patterns,
                          PatternSource::Bind(input, 1, types::DateTimePattern::Purpose::kParseTimestamp, false));
  }
  auto info = std::make_shared<CallInfo>();
  info->name = input.def.name;
  info->can_fail = !kTry;
  info->style = CallStyle::kCustom;
  info->render = [](const std::vector<std::string>& texts) {
    std::string call = "to_time(" + texts[0] + (texts.size() > 1 ? ", " + texts[1] : "") + ")";
    return kTry ? "try_to_time(" + call + ")" : call;
  };
  info->kernel = ParseKernel(std::move(patterns), !kTry);
  return std::make_shared<Call>(std::move(info), DefaultTime(), /*nullable=*/true, std::move(arguments));
}

/// Nanoseconds of a unit of time_diff and time_trunc. Errors: INVALID_PARAMETER_VALUE.TIME_UNIT.
arrow::Result<int64_t> UnitNanos(std::string_view unit, std::string_view function) {
  static constexpr std::pair<std::string_view, int64_t> kUnits[] = {{"MICROSECOND", 1000},
                                                                    {"MILLISECOND", 1'000'000},
                                                                    {"SECOND", kNanosPerSecond},
                                                                    {"MINUTE", 60 * kNanosPerSecond},
                                                                    {"HOUR", 3600 * kNanosPerSecond}};
  for (const auto& [name, nanos] : kUnits) {
    if (EqualsIgnoreCase(name, unit)) return nanos;
  }
  return UserError("INVALID_PARAMETER_VALUE.TIME_UNIT", {{"functionName", QuoteIdentifier(function)},
                                                         {"parameter", QuoteIdentifier("unit")},
                                                         {"invalidValue", QuoteStringLiteral(unit)}});
}

arrow::Result<ExpressionPtr> BindTimeDiff(const BindInput& input) {
  auto difference = [](const EvalContext&, std::string_view unit, int64_t start, int64_t end,
                       int64_t* out) -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(int64_t nanos, UnitNanos(unit, "time_diff"));
    *out = (end - start) / nanos;
    return arrow::Status::OK();
  };
  return BindSimple(input, {types::String(), DefaultTime(), DefaultTime()}, types::Long(),
                    FixedKernel<int64_t, std::string_view, int64_t, int64_t>(arrow::int64(), difference),
                    {.can_fail = true, .may_null = true});
}

arrow::Result<ExpressionPtr> BindTimeTrunc(const BindInput& input) {
  const DataTypePtr& given = input.arguments[1]->type();
  DataTypePtr type = given->id() == TypeId::kTime ? given : DefaultTime();
  auto truncate = [](const EvalContext&, std::string_view unit, int64_t nanos, int64_t* out) -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(int64_t unit_nanos, UnitNanos(unit, "time_trunc"));
    *out = nanos - nanos % unit_nanos;
    return arrow::Status::OK();
  };
  return BindSimple(input, {types::String(), type}, type,
                    FixedKernel<int64_t, std::string_view, int64_t>(types::ToArrow(*type), truncate),
                    {.can_fail = true, .may_null = true});
}

arrow::Status CheckDay(__int128 nanos, int64_t* out) {
  *out = static_cast<int64_t>(nanos);
  if (nanos >= 0 && nanos < types::kNanosPerDay) return arrow::Status::OK();
  return OutOfBounds(
      fmt::format("Invalid TIME value: must be between 00:00:00 and 23:59:59.999999999, but got {} nanoseconds", *out));
}

template <int64_t kUnitNanos>
arrow::Result<ExpressionPtr> BindTimeFrom(const BindInput& input) {
  auto kernel = FixedKernel<int64_t, int64_t>(
      types::ToArrow(*DefaultTime()),
      [](const EvalContext&, int64_t units, int64_t* out) { return CheckDay(__int128{units} * kUnitNanos, out); });
  const DataTypePtr& type = input.arguments[0]->type();
  if (!type->is_integral() && type->id() != TypeId::kNull) return UnexpectedInputType(input, 0, "\"INTEGRAL\"");
  return BindSimple(input, {types::Long()}, DefaultTime(), kernel, {.can_fail = true, .may_null = true});
}

arrow::Result<ExpressionPtr> BindTimeFromSeconds(const BindInput& input) {
  const DataTypePtr& type = input.arguments[0]->type();
  if (type->is_integral() || type->id() == TypeId::kNull) return BindTimeFrom<kNanosPerSecond>(input);
  if (!type->is_numeric()) return UnexpectedInputType(input, 0, "\"NUMERIC\"");
  if (type->id() == TypeId::kDecimal) {
    auto convert = [scale = type->scale()](const EvalContext&, __int128 unscaled, int64_t* out) {
      __int128 nanos = unscaled;
      for (int i = scale; i < 9; ++i) nanos *= 10;
      for (int i = 9; i < scale; ++i) nanos /= 10;
      return CheckDay(nanos, out);
    };
    return BindSimple(input, {type}, DefaultTime(),
                      FixedKernel<int64_t, __int128>(types::ToArrow(*DefaultTime()), convert),
                      {.can_fail = true, .may_null = true});
  }
  auto convert = [](const EvalContext&, double seconds, int64_t* out) {
    return CheckDay(static_cast<__int128>(seconds * 1e9), out);
  };
  return BindSimple(input, {types::Double()}, DefaultTime(),
                    FixedKernel<int64_t, double>(types::ToArrow(*DefaultTime()), convert),
                    {.can_fail = true, .may_null = true});
}

template <int64_t kUnitNanos>
arrow::Result<ExpressionPtr> BindTimeTo(const BindInput& input) {
  auto convert = [](const EvalContext&, int64_t nanos, int64_t* out) { *out = nanos / kUnitNanos; };
  return BindSimple(input, {DefaultTime()}, types::Long(), FixedKernel<int64_t, int64_t>(arrow::int64(), convert),
                    {.may_null = true});
}

arrow::Result<ExpressionPtr> BindTimeToSeconds(const BindInput& input) {
  auto convert = [](const EvalContext&, int64_t nanos, __int128* out) { *out = nanos / 1000; };
  return BindSimple(input, {DefaultTime()}, types::Decimal(14, 6),
                    FixedKernel<__int128, int64_t>(arrow::decimal128(14, 6), convert), {.may_null = true});
}

constexpr FunctionDef TimeDef(std::string_view name, int min_arguments, int max_arguments, BindFunction bind,
                              std::string_view description, std::string_view example, std::string_view result) {
  return {.name = name,
          .family = "time",
          .description = description,
          .example = example,
          .example_result = result,
          .min_arguments = min_arguments,
          .max_arguments = max_arguments,
          .bind = bind};
}

}  // namespace

extern const FunctionDef kCurrentTime =
    TimeDef("current_time", 0, 1, BindCurrentTime, "The time of day when the query started.",
            "current_time() IS NOT NULL", "true");
extern const FunctionDef kMakeTime =
    TimeDef("make_time", 3, 3, BindMakeTime, "A time of its fields.", "make_time(6, 30, 45.887)", "06:30:45.887");
extern const FunctionDef kToTime = TimeDef(
    "to_time", 1, 2, BindToTime<false>, "Time of a text, by an optional pattern.", "to_time('00:12:00')", "00:12:00");
extern const FunctionDef kTryToTime =
    TimeDef("try_to_time", 1, 2, BindToTime<true>, "As to_time, but NULL where the text is no time.",
            "try_to_time('foo', 'HH:mm')", "NULL");
extern const FunctionDef kTimeDiff = TimeDef("time_diff", 3, 3, BindTimeDiff, "Whole units between two times.",
                                             "time_diff('HOUR', TIME'20:30:29', TIME'21:30:28')", "0");
extern const FunctionDef kTimeTrunc = TimeDef("time_trunc", 2, 2, BindTimeTrunc, "A time cut to a unit.",
                                              "time_trunc('HOUR', TIME'09:32:05.359')", "09:00:00");
extern const FunctionDef kTimeFromSeconds =
    TimeDef("time_from_seconds", 1, 1, BindTimeFromSeconds, "Time of so many seconds since midnight.",
            "time_from_seconds(52200.5)", "14:30:00.5");
extern const FunctionDef kTimeFromMillis =
    TimeDef("time_from_millis", 1, 1, BindTimeFrom<1'000'000>, "Time of so many milliseconds since midnight.",
            "time_from_millis(52200500)", "14:30:00.5");
extern const FunctionDef kTimeFromMicros =
    TimeDef("time_from_micros", 1, 1, BindTimeFrom<1000>, "Time of so many microseconds since midnight.",
            "time_from_micros(52200500000)", "14:30:00.5");
extern const FunctionDef kTimeToSeconds =
    TimeDef("time_to_seconds", 1, 1, BindTimeToSeconds, "Seconds since midnight, with their fraction.",
            "time_to_seconds(TIME'14:30:00.5')", "52200.500000");
extern const FunctionDef kTimeToMillis =
    TimeDef("time_to_millis", 1, 1, BindTimeTo<1'000'000>, "Milliseconds since midnight.",
            "time_to_millis(TIME'14:30:00.5')", "52200500");
extern const FunctionDef kTimeToMicros =
    TimeDef("time_to_micros", 1, 1, BindTimeTo<1000>, "Microseconds since midnight.",
            "time_to_micros(TIME'14:30:00.5')", "52200500000");

}  // namespace millrace::function
