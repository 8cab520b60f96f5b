#include <cmath>

#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/row_kernel.h"
#include "types/arrow_type.h"
#include "types/datetime_text.h"

/// Timestamps as counts of seconds, milliseconds and microseconds, and back.

namespace millrace::function {

namespace {

std::shared_ptr<arrow::DataType> ArrowTimestamp() { return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"); }

template <int64_t kUnit>
arrow::Result<ExpressionPtr> BindCount(const BindInput& input) {
  types::TypeId id = input.arguments[0]->type()->id();
  if (id != types::TypeId::kTimestamp && id != types::TypeId::kNull) {
    return UnexpectedInputType(input, 0, QuoteSqlType("TIMESTAMP"));
  }
  return BindSimple(input, {types::Timestamp()}, types::Long(),
                    FixedKernel<int64_t, int64_t>(arrow::int64(), [](const EvalContext&, int64_t us, int64_t* out) {
                      *out = types::FloorDiv(us, kUnit);
                    }));
}

template <int64_t kUnit>
arrow::Status ScaleUp(const EvalContext&, int64_t count, int64_t* out) {
  if (__builtin_mul_overflow(count, kUnit, out)) return arrow::Status::Invalid("long overflow");
  return arrow::Status::OK();
}

template <int64_t kUnit>
arrow::Result<ExpressionPtr> BindFromIntegral(const BindInput& input) {
  const DataTypePtr& type = input.arguments[0]->type();
  if (!type->is_integral() && type->id() != types::TypeId::kNull) {
    return UnexpectedInputType(input, 0, QuoteSqlType("INTEGRAL"));
  }
  return BindSimple(input, {types::Long()}, types::Timestamp(),
                    FixedKernel<int64_t, int64_t>(ArrowTimestamp(), ScaleUp<kUnit>), {.can_fail = true});
}

arrow::Status FromDouble(const EvalContext&, double seconds, arrow::TimestampBuilder& builder) {
  if (!std::isfinite(seconds)) return builder.AppendNull();
  double us = seconds * 1e6;
  if (us >= 9223372036854775808.0) return builder.Append(INT64_MAX);
  if (us <= -9223372036854775808.0) return builder.Append(INT64_MIN);
  return builder.Append(static_cast<int64_t>(us));
}

// Decimal seconds, exactly.
ScalarKernel FromDecimalKernel(int scale) {
  return [scale](const EvalContext& context, const std::vector<arrow::Datum>& arguments, int64_t num_rows) {
    return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t n) -> arrow::Result<arrow::Datum> {
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> array,
                            expression::ToArray(arguments[0], n, context.memory_pool));
      const auto& decimals = static_cast<const arrow::Decimal128Array&>(*array);
      arrow::TimestampBuilder builder(ArrowTimestamp(), context.memory_pool);
      ARROW_RETURN_NOT_OK(builder.Reserve(n));
      for (int64_t i = 0; i < n; ++i) {
        if (decimals.IsNull(i)) {
          builder.UnsafeAppendNull();
          continue;
        }
        arrow::Decimal128 value(decimals.GetValue(i));
        auto us =
            scale <= 6 ? arrow::Result<arrow::Decimal128>(value.IncreaseScaleBy(6 - scale)) : value.Rescale(scale, 6);
        if (!us.ok()) return arrow::Status::Invalid("Rounding necessary");
        if (!us->FitsInPrecision(18)) return arrow::Status::Invalid("Overflow");
        builder.UnsafeAppend(static_cast<int64_t>(us->low_bits()));
      }
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> result, builder.Finish());
      return arrow::Datum(std::move(result));
    });
  };
}

arrow::Result<ExpressionPtr> BindTimestampSeconds(const BindInput& input) {
  const DataTypePtr& type = input.arguments[0]->type();
  switch (type->id()) {
    case types::TypeId::kDecimal:
      return BindSimple(input, {type}, types::Timestamp(), FromDecimalKernel(type->scale()), {.can_fail = true});
    case types::TypeId::kFloat:
    case types::TypeId::kDouble:
      return BindSimple(input, {types::Double()}, types::Timestamp(),
                        BuiltKernel<arrow::TimestampBuilder, double>(ArrowTimestamp(), FromDouble), {.may_null = true});
    default:
      break;
  }
  if (!type->is_integral() && type->id() != types::TypeId::kNull) {
    return UnexpectedInputType(input, 0, QuoteSqlType("NUMERIC"));
  }
  return BindSimple(input, {types::Long()}, types::Timestamp(),
                    FixedKernel<int64_t, int64_t>(ArrowTimestamp(), ScaleUp<types::kMicrosPerSecond>),
                    {.can_fail = true});
}

}  // namespace

extern const FunctionDef kUnixSeconds{.name = "unix_seconds",
                                      .family = "datetime",
                                      .description = "Seconds since 1970 UTC, rounded down.",
                                      .example = "unix_seconds(TIMESTAMP('1970-01-01 00:00:01Z'))",
                                      .example_result = "1",
                                      .min_arguments = 1,
                                      .max_arguments = 1,
                                      .bind = BindCount<types::kMicrosPerSecond>};

extern const FunctionDef kUnixMillis{.name = "unix_millis",
                                     .family = "datetime",
                                     .description = "Milliseconds since 1970 UTC, rounded down.",
                                     .example = "unix_millis(TIMESTAMP('1970-01-01 00:00:01Z'))",
                                     .example_result = "1000",
                                     .min_arguments = 1,
                                     .max_arguments = 1,
                                     .bind = BindCount<types::kMicrosPerMilli>};

extern const FunctionDef kUnixMicros{.name = "unix_micros",
                                     .family = "datetime",
                                     .description = "Microseconds since 1970 UTC.",
                                     .example = "unix_micros(TIMESTAMP('1970-01-01 00:00:01Z'))",
                                     .example_result = "1000000",
                                     .min_arguments = 1,
                                     .max_arguments = 1,
                                     .bind = BindCount<1>};

extern const FunctionDef kTimestampSeconds{.name = "timestamp_seconds",
                                           .family = "datetime",
                                           .description = "The instant so many seconds after 1970 UTC.",
                                           .example = "timestamp_seconds(1230219000.123)",
                                           .example_result = "2008-12-25 15:30:00.123",
                                           .min_arguments = 1,
                                           .max_arguments = 1,
                                           .bind = BindTimestampSeconds};

extern const FunctionDef kTimestampMillis{.name = "timestamp_millis",
                                          .family = "datetime",
                                          .description = "The instant so many milliseconds after 1970 UTC.",
                                          .example = "timestamp_millis(1230219000123)",
                                          .example_result = "2008-12-25 15:30:00.123",
                                          .min_arguments = 1,
                                          .max_arguments = 1,
                                          .bind = BindFromIntegral<types::kMicrosPerMilli>};

extern const FunctionDef kTimestampMicros{.name = "timestamp_micros",
                                          .family = "datetime",
                                          .description = "The instant so many microseconds after 1970 UTC.",
                                          .example = "timestamp_micros(1230219000123123)",
                                          .example_result = "2008-12-25 15:30:00.123123",
                                          .min_arguments = 1,
                                          .max_arguments = 1,
                                          .bind = BindFromIntegral<1>};

}  // namespace millrace::function
