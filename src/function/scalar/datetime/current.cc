#include "expression/vector.h"
#include "function/scalar/datetime/local_time.h"

/// The time and zone of the running query.

namespace millrace::function {

namespace {

constexpr auto kTimestampType = [] { return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"); };

template <typename Fn>
arrow::Result<ExpressionPtr> BindCurrent(const BindInput& input, DataTypePtr type, Fn value,
                                         std::string shown_name = {}) {
  auto kernel = [value](const EvalContext& context, const std::vector<arrow::Datum>&,
                        int64_t) -> arrow::Result<arrow::Datum> { return arrow::Datum(value(context)); };
  return MakeCall(input, {}, std::move(type), false, kernel, {.foldable = false, .shown_name = std::move(shown_name)});
}

arrow::Result<ExpressionPtr> BindCurrentTimestamp(const BindInput& input) {
  return BindCurrent(
      input, types::Timestamp(),
      [](const EvalContext& context) -> std::shared_ptr<arrow::Scalar> {
        return std::make_shared<arrow::TimestampScalar>(context.current_timestamp_us, kTimestampType());
      },
      std::string(input.name));
}

}  // namespace

extern const FunctionDef kCurrentDate{
    .name = "current_date",
    .aliases = "curdate",
    .family = "datetime",
    .description = "The date at the start of the query or micro-batch.",
    .example = "typeof(current_date())",
    .example_result = "date",
    .bind = [](const BindInput& input) {
      return BindCurrent(input, types::Date(), [](const EvalContext& context) -> std::shared_ptr<arrow::Scalar> {
        int64_t local_us = context.time_zone->ToLocalMicros(context.current_timestamp_us);
        return std::make_shared<arrow::Date32Scalar>(
            static_cast<int32_t>(types::FloorDiv(local_us, types::kMicrosPerDay)));
      });
    }};

extern const FunctionDef kCurrentTimestamp{.name = "current_timestamp",
                                           .aliases = "now",
                                           .family = "datetime",
                                           .description = "The instant at the start of the query or micro-batch.",
                                           .example = "typeof(current_timestamp())",
                                           .example_result = "timestamp",
                                           .bind = BindCurrentTimestamp};

extern const FunctionDef kLocalTimestamp{
    .name = "localtimestamp",
    .family = "datetime",
    .description = "The wall clock reading at the start of the query or micro-batch.",
    .example = "typeof(localtimestamp())",
    .example_result = "timestamp_ntz",
    .bind = [](const BindInput& input) {
      return BindCurrent(input, types::TimestampNtz(),
                         [](const EvalContext& context) -> std::shared_ptr<arrow::Scalar> {
                           return std::make_shared<arrow::TimestampScalar>(
                               context.time_zone->ToLocalMicros(context.current_timestamp_us),
                               arrow::timestamp(arrow::TimeUnit::MICRO));
                         });
    }};

extern const FunctionDef kCurrentTimezone{
    .name = "current_timezone",
    .family = "datetime",
    .description = "The session's time zone.",
    .example = "typeof(current_timezone())",
    .example_result = "string",
    .bind = [](const BindInput& input) {
      return BindCurrent(input, types::String(), [](const EvalContext& context) -> std::shared_ptr<arrow::Scalar> {
        return std::make_shared<arrow::StringScalar>(context.time_zone->id());
      });
    }};

}  // namespace millrace::function
