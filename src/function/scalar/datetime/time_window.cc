#include "function/scalar/datetime/time_window.h"

#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/row_kernel.h"
#include "types/arrow_type.h"
#include "types/datetime_text.h"
#include "types/interval_text.h"

namespace millrace::function {

namespace {

using types::TypeId;

// The start of the latest slide at or before `us`.
int64_t LastStart(int64_t us, const TimeWindowSpec& spec) {
  return us - types::FloorMod(us - spec.start_us, spec.slide_us);
}

arrow::Result<int64_t> DurationMicros(const BindInput& input, size_t index) {
  const ExpressionPtr& argument = input.arguments[index];
  TypeId id = argument->type()->id();
  if (!argument->foldable() || (id != TypeId::kString && id != TypeId::kInteger && id != TypeId::kLong)) {
    return UserError("_LEGACY_ERROR_TEMP_1207");
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Scalar> scalar, expression::EvaluateFoldable(*argument, input.context));
  if (!scalar->is_valid) return UserError("_LEGACY_ERROR_TEMP_1207");
  if (id == TypeId::kInteger) return static_cast<const arrow::Int32Scalar&>(*scalar).value;
  if (id == TypeId::kLong) return static_cast<const arrow::Int64Scalar&>(*scalar).value;
  std::string text(static_cast<const arrow::BaseBinaryScalar&>(*scalar).view());
  types::CalendarIntervalValue interval;
  if (!types::ParseDuration(text, &interval)) {
    return UserError("CANNOT_PARSE_INTERVAL", {{"intervalString", QuoteStringLiteral(text)}});
  }
  if (interval.months != 0) return UserError("_LEGACY_ERROR_TEMP_3231", {{"interval", text}});
  return interval.days * types::kMicrosPerDay + interval.micros;
}

std::string WindowSql(const BindInput& input, const TimeWindowSpec& spec) {
  return "window(" + input.arguments[0]->Sql(true) + ", " + std::to_string(spec.window_us) + ", " +
         std::to_string(spec.slide_us) + ", " + std::to_string(spec.start_us) + ")";
}

arrow::Status CheckPositive(const BindInput& input, const TimeWindowSpec& spec, std::string_view name, int64_t value) {
  if (value > 0) return arrow::Status::OK();
  return UserError("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", {{"sqlExpr", QuoteSqlExpression(WindowSql(input, spec))},
                                                            {"exprName", QuoteIdentifier(name)},
                                                            {"valueRange", "(0, 9223372036854775807]"},
                                                            {"currentValue", std::to_string(value) + "L"}});
}

arrow::Status Violation(const BindInput& input, const TimeWindowSpec& spec, std::string_view left, int64_t left_value,
                        std::string_view constraint, std::string_view right, int64_t right_value) {
  return UserError("DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION",
                   {{"sqlExpr", QuoteSqlExpression(WindowSql(input, spec))},
                    {"leftExprName", QuoteIdentifier(left)},
                    {"leftExprValue", std::to_string(left_value) + "L"},
                    {"constraint", std::string(constraint)},
                    {"rightExprName", QuoteIdentifier(right)},
                    {"rightExprValue", std::to_string(right_value) + "L"}});
}

bool IsWindowStruct(const types::DataType& type) {
  return type.id() == TypeId::kStruct && type.fields().size() == 2 && type.fields()[0].name == "start" &&
         type.fields()[1].name == "end" &&
         (type.fields()[0].type->id() == TypeId::kTimestamp || type.fields()[0].type->id() == TypeId::kTimestampNtz) &&
         type.fields()[0].type->Equals(*type.fields()[1].type);
}

// The last instant inside a window: its end less one microsecond.
arrow::Result<arrow::Datum> WindowTime(const EvalContext& context, const std::vector<arrow::Datum>& arguments,
                                       int64_t num_rows) {
  return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t n) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> array,
                          expression::ToArray(arguments[0], n, context.memory_pool));
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> end,
                          static_cast<const arrow::StructArray&>(*array).GetFlattenedField(1, context.memory_pool));
    expression::FixedColumn<int64_t> ends{arrow::Datum(end)};
    return expression::MapFixed<int64_t>(
        context, end->type(), n, [&](int64_t i, int64_t* out) { *out = ends[i] - 1; }, ends);
  });
}

ExpressionPtr WindowTimeOf(const ExpressionPtr& window) {
  auto info = std::make_shared<CallInfo>();
  info->name = "window_time";
  info->kernel = WindowTime;
  return std::make_shared<Call>(std::move(info), window->type()->fields()[1].type, true, ExpressionVector{window});
}

arrow::Result<ExpressionPtr> BindWindow(const BindInput& input) {
  ARROW_ASSIGN_OR_RAISE(TimeWindowSpec spec, ParseTimeWindow(input));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr time, TimeWindowColumn(input));
  if (!spec.tumbling()) {
    return UserError("UNSUPPORTED_EXPR_FOR_OPERATOR",
                     {{"invalidExprSqls", QuoteSqlExpression(WindowSql(input, spec))}});
  }
  return TimeWindowAt(time, spec, 0);
}

}  // namespace

arrow::Result<TimeWindowSpec> ParseTimeWindow(const BindInput& input) {
  TimeWindowSpec spec;
  ARROW_ASSIGN_OR_RAISE(spec.window_us, DurationMicros(input, 1));
  spec.slide_us = spec.window_us;
  if (input.arguments.size() > 2) {
    ARROW_ASSIGN_OR_RAISE(spec.slide_us, DurationMicros(input, 2));
  }
  if (input.arguments.size() > 3) {
    ARROW_ASSIGN_OR_RAISE(spec.start_us, DurationMicros(input, 3));
  }
  ARROW_RETURN_NOT_OK(CheckPositive(input, spec, "window_duration", spec.window_us));
  ARROW_RETURN_NOT_OK(CheckPositive(input, spec, "slide_duration", spec.slide_us));
  if (spec.slide_us > spec.window_us) {
    return Violation(input, spec, "slide_duration", spec.slide_us, "<=", "window_duration", spec.window_us);
  }
  if (std::abs(spec.start_us) >= spec.slide_us) {
    return Violation(input, spec, "abs(start_time)", std::abs(spec.start_us), "<", "slide_duration", spec.slide_us);
  }
  return spec;
}

arrow::Result<ExpressionPtr> TimeWindowColumn(const BindInput& input) {
  const ExpressionPtr& time = input.arguments[0];
  if (IsWindowStruct(*time->type())) return WindowTimeOf(time);
  if (time->type()->id() == TypeId::kTimestampNtz) return time;
  if (!expression::CanImplicitCast(time->type(), types::Timestamp())) {
    ARROW_ASSIGN_OR_RAISE(TimeWindowSpec spec, ParseTimeWindow(input));
    return UserError(
        "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
        {{"sqlExpr", QuoteSqlExpression(WindowSql(input, spec))},
         {"paramIndex", "first"},
         {"requiredType",
          "(\"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)\" or \"STRUCT<start: TIMESTAMP, end: TIMESTAMP>\" or "
          "\"STRUCT<start: TIMESTAMP_NTZ, end: TIMESTAMP_NTZ>\")"},
         {"inputSql", QuoteSqlExpression(time->Sql(true))},
         {"inputType", QuoteSqlType(time->type()->Sql())}});
  }
  return expression::ImplicitCast(time, types::Timestamp());
}

ExpressionPtr TimeWindowAt(const ExpressionPtr& time, const TimeWindowSpec& spec, int64_t index) {
  DataTypePtr type = types::Struct({{"start", time->type(), true, {}}, {"end", time->type(), true, {}}});
  auto info = std::make_shared<CallInfo>();
  info->name = "window";
  info->style = CallStyle::kCustom;
  info->render = [spec](const std::vector<std::string>& arguments) {
    return "window(" + arguments[0] + ", " + std::to_string(spec.window_us) + ", " + std::to_string(spec.slide_us) +
           ", " + std::to_string(spec.start_us) + ")";
  };
  info->kernel = [spec, index, type, arrow_type = types::ToArrow(*type), field_type = types::ToArrow(*time->type())](
                     const EvalContext& context, const std::vector<arrow::Datum>& arguments, int64_t num_rows) {
    return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t n) -> arrow::Result<arrow::Datum> {
      expression::FixedColumn<int64_t> times(arguments[0]);
      auto shifted = [&](int64_t by) {
        return expression::MapFixed<int64_t>(
            context, field_type, n, [&](int64_t i, int64_t* out) { *out = LastStart(times[i], spec) + by; }, times);
      };
      ARROW_ASSIGN_OR_RAISE(arrow::Datum starts, shifted(-index * spec.slide_us));
      ARROW_ASSIGN_OR_RAISE(arrow::Datum ends, shifted(spec.window_us - index * spec.slide_us));
      return arrow::Datum(arrow::ArrayData::Make(arrow_type, n, {nullptr}, {starts.array(), ends.array()}, 0));
    });
  };
  return std::make_shared<Call>(std::move(info), std::move(type), false, ExpressionVector{time});
}

extern const FunctionDef kWindow{.name = "window",
                                 .family = "datetime",
                                 .description = "The time window that holds a timestamp.",
                                 .example = "window(TIMESTAMP '2024-01-01 00:04:30', '5 minutes')",
                                 .example_result = "{2024-01-01 00:00:00, 2024-01-01 00:05:00}",
                                 .min_arguments = 2,
                                 .max_arguments = 4,
                                 .bind = BindWindow};

extern const FunctionDef kWindowTime{
    .name = "window_time",
    .family = "datetime",
    .description = "The last instant inside a time window: what a window of windows counts it at.",
    .example = "window_time(window(TIMESTAMP '2024-01-01 00:04:30', '5 minutes'))",
    .example_result = "2024-01-01 00:04:59.999999",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) -> arrow::Result<ExpressionPtr> {
      if (input.arguments[0]->type()->id() != TypeId::kStruct) return UnexpectedInputType(input, 0, "\"STRUCT\"");
      if (!IsWindowStruct(*input.arguments[0]->type())) {
        return UserError("_LEGACY_ERROR_TEMP_3101",
                         {{"windowTime", "window_time(" + input.arguments[0]->Sql(true) + ")"}});
      }
      return WindowTimeOf(input.arguments[0]);
    }};

}  // namespace millrace::function
