#include "function/row_kernel.h"
#include "function/scalar/datetime/local_time.h"

/// Hour, minute and second of a timestamp.

namespace millrace::function {

namespace {

template <int64_t kUnitMicros, int64_t kModulus>
arrow::Result<ExpressionPtr> BindTimeField(const BindInput& input) {
  if (input.arguments[0]->type()->id() == types::TypeId::kTime) {
    auto field = [](const EvalContext&, int64_t nanos, int32_t* out) {
      *out = static_cast<int32_t>(nanos / (kUnitMicros * 1000) % kModulus);
    };
    return MakeCall(input, {input.arguments[0]}, types::Integer(), /*nullable=*/true,
                    FixedKernel<int32_t, int64_t>(arrow::int32(), field));
  }
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr argument, CoerceToAnyTimestamp(input, 0));
  bool ntz = argument->type()->id() == types::TypeId::kTimestampNtz;
  bool nullable = argument->nullable();
  return MakeCall(input, {std::move(argument)}, types::Integer(), nullable,
                  LocalTimeKernel<int32_t>(arrow::int32(), ntz, [](int64_t local_us, int32_t* out) {
                    *out = static_cast<int32_t>(types::FloorMod(types::FloorDiv(local_us, kUnitMicros), kModulus));
                  }));
}

}  // namespace

extern const FunctionDef kHour{.name = "hour",
                               .family = "datetime",
                               .description = "Hour of a timestamp, 0 to 23.",
                               .example = "hour('2009-07-30 12:58:59')",
                               .example_result = "12",
                               .min_arguments = 1,
                               .max_arguments = 1,
                               .bind = BindTimeField<types::kMicrosPerHour, 24>};

extern const FunctionDef kMinute{.name = "minute",
                                 .family = "datetime",
                                 .description = "Minute of a timestamp, 0 to 59.",
                                 .example = "minute('2009-07-30 12:58:59')",
                                 .example_result = "58",
                                 .min_arguments = 1,
                                 .max_arguments = 1,
                                 .bind = BindTimeField<types::kMicrosPerMinute, 60>};

extern const FunctionDef kSecond{.name = "second",
                                 .family = "datetime",
                                 .description = "Second of a timestamp, 0 to 59.",
                                 .example = "second('2009-07-30 12:58:59')",
                                 .example_result = "59",
                                 .min_arguments = 1,
                                 .max_arguments = 1,
                                 .bind = BindTimeField<types::kMicrosPerSecond, 60>};

}  // namespace millrace::function
