#include "base/error.h"
#include "function/bind.h"

/// grouping and grouping_id. The analyzer replaces them where there are grouping sets; elsewhere they mean nothing.

namespace millrace::function {

namespace {

arrow::Result<ExpressionPtr> BindGrouping(const BindInput& input, DataTypePtr type) {
  return MakeCall(input, input.arguments, std::move(type), false,
                  [](const EvalContext&, const std::vector<arrow::Datum>&, int64_t) -> arrow::Result<arrow::Datum> {
                    return UserError("UNSUPPORTED_GROUPING_EXPRESSION");
                  },
                  {.can_fail = true, .foldable = false});
}

}  // namespace

extern const FunctionDef kGrouping{.name = "grouping",
                                   .family = "misc",
                                   .description = "1 where a column is left out of the row's grouping set, else 0.",
                                   .example = "grouping(name)",
                                   .example_result = "",
                                   .min_arguments = 1,
                                   .max_arguments = 1,
                                   .bind = [](const BindInput& input) { return BindGrouping(input, types::Byte()); }};

extern const FunctionDef kGroupingId{.name = "grouping_id",
                                     .family = "misc",
                                     .description = "The row's grouping set as a number, a bit a column.",
                                     .example = "grouping_id()",
                                     .example_result = "",
                                     .min_arguments = 0,
                                     .max_arguments = -1,
                                     .bind = [](const BindInput& input) { return BindGrouping(input, types::Long()); }};

}  // namespace millrace::function
