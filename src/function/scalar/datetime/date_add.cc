#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/row_kernel.h"
#include "function/scalar/datetime/timestamp_add.h"
#include "types/datetime_text.h"

/// Dates plus days and months.

namespace millrace::function {

namespace {

// Days as any small integer, or as a string of one.
arrow::Result<ExpressionPtr> CoerceToDays(const BindInput& input, size_t index) {
  const ExpressionPtr& argument = input.arguments[index];
  switch (argument->type()->id()) {
    case types::TypeId::kNull:
    case types::TypeId::kByte:
    case types::TypeId::kShort:
    case types::TypeId::kInteger:
    case types::TypeId::kString:
      return expression::ImplicitCast(argument, types::Integer());
    default:
      return UnexpectedInputType(input, index, "(\"INT\" or \"SMALLINT\" or \"TINYINT\")");
  }
}

template <int kSign>
arrow::Result<ExpressionPtr> BindDateAdd(const BindInput& input) {
  if (input.arguments.size() == 3) return BindTimestampAdd(input);
  const ExpressionPtr& start = input.arguments[0];
  if (!expression::CanImplicitCast(start->type(), types::Date())) {
    return UnexpectedInputType(input, 0, QuoteSqlType("DATE"));
  }
  ExpressionPtr date = expression::ImplicitCast(start, types::Date());
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr days, CoerceToDays(input, 1));
  bool nullable = date->nullable() || days->nullable();
  // Spark adds without a check, so dates wrap around.
  auto add = [](const EvalContext&, int32_t from, int32_t by, int32_t* out) {
    auto unsigned_by = static_cast<uint32_t>(by);
    *out = static_cast<int32_t>(static_cast<uint32_t>(from) + (kSign > 0 ? unsigned_by : 0 - unsigned_by));
  };
  return MakeCall(input, {std::move(date), std::move(days)}, types::Date(), nullable,
                  FixedKernel<int32_t, int32_t, int32_t>(arrow::date32(), add));
}

arrow::Result<ExpressionPtr> BindDateDiff(const BindInput& input) {
  if (input.arguments.size() == 3) return BindTimestampDiff(input);
  return BindSimple(input, {types::Date(), types::Date()}, types::Integer(),
                    FixedKernel<int32_t, int32_t, int32_t>(
                        arrow::int32(),
                        [](const EvalContext&, int32_t end, int32_t start, int32_t* out) {
                          *out = static_cast<int32_t>(static_cast<uint32_t>(end) - static_cast<uint32_t>(start));
                        }),
                    {.shown_name = std::string(input.name)});
}

arrow::Status AddMonthsToDate(const EvalContext&, int32_t days, int32_t months, int32_t* out) {
  int64_t result = types::AddMonthsToDays(days, months);
  if (result != static_cast<int32_t>(result)) return arrow::Status::Invalid("integer overflow");
  *out = static_cast<int32_t>(result);
  return arrow::Status::OK();
}

}  // namespace

extern const FunctionDef kDateAdd{.name = "date_add",
                                  .aliases = "dateadd",
                                  .family = "datetime",
                                  .description = "The date so many days later.",
                                  .example = "date_add('2016-07-30', 1)",
                                  .example_result = "2016-07-31",
                                  .min_arguments = 2,
                                  .max_arguments = 3,
                                  .bind = BindDateAdd<1>};

extern const FunctionDef kDateSub{.name = "date_sub",
                                  .family = "datetime",
                                  .description = "The date so many days earlier.",
                                  .example = "date_sub('2016-07-30', 1)",
                                  .example_result = "2016-07-29",
                                  .min_arguments = 2,
                                  .max_arguments = 2,
                                  .bind = BindDateAdd<-1>};

extern const FunctionDef kDateDiff{.name = "datediff",
                                   .aliases = "date_diff",
                                   .family = "datetime",
                                   .description = "Days from the second date to the first.",
                                   .example = "datediff('2009-07-31', '2009-07-30')",
                                   .example_result = "1",
                                   .min_arguments = 2,
                                   .max_arguments = 3,
                                   .bind = BindDateDiff};

extern const FunctionDef kAddMonths{
    .name = "add_months",
    .family = "datetime",
    .description = "The date so many months later; the day is cut to the month's last one.",
    .example = "add_months('2016-08-31', 1)",
    .example_result = "2016-09-30",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) {
      return BindSimple(input, {types::Date(), types::Integer()}, types::Date(),
                        FixedKernel<int32_t, int32_t, int32_t>(arrow::date32(), AddMonthsToDate), {.can_fail = true});
    }};

}  // namespace millrace::function
