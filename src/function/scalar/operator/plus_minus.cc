#include "function/scalar/operator/arithmetic.h"

/// + and -, and their try_ variants.

namespace millrace::function {

extern const FunctionDef kAdd{.name = "+",
                              .family = "math",
                              .description = "Sum of numbers or intervals; a date or timestamp moved by an interval.",
                              .example = "1 + 2",
                              .example_result = "3",
                              .min_arguments = 1,
                              .max_arguments = 2,
                              .bind = [](const BindInput& input) -> arrow::Result<ExpressionPtr> {
                                if (input.arguments.size() == 1) {
                                  return BindCall("positive", input.arguments, input.context);
                                }
                                return BindArithmetic(input, Arithmetic::kAdd, false);
                              }};

extern const FunctionDef kSubtract{.name = "-",
                                   .family = "math",
                                   .description = "Difference of numbers, intervals or points in time.",
                                   .example = "2 - 1",
                                   .example_result = "1",
                                   .min_arguments = 1,
                                   .max_arguments = 2,
                                   .bind = [](const BindInput& input) -> arrow::Result<ExpressionPtr> {
                                     if (input.arguments.size() == 1) return BindNegation(input, {});
                                     return BindArithmetic(input, Arithmetic::kSubtract, false);
                                   }};

extern const FunctionDef kTryAdd{
    .name = "try_add",
    .family = "math",
    .description = "Sum, or NULL on overflow.",
    .example = "try_add(2147483647, 1)",
    .example_result = "NULL",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) { return BindArithmetic(input, Arithmetic::kAdd, true, "try_add"); }};

extern const FunctionDef kTrySubtract{
    .name = "try_subtract",
    .family = "math",
    .description = "Difference, or NULL on overflow.",
    .example = "try_subtract(-2147483648, 1)",
    .example_result = "NULL",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) { return BindArithmetic(input, Arithmetic::kSubtract, true, "try_subtract"); }};

}  // namespace millrace::function
