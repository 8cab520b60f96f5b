#include "function/scalar/operator/arithmetic.h"

/// * / div % and their function forms.

namespace millrace::function {

extern const FunctionDef kMultiply{
    .name = "*",
    .family = "math",
    .description = "Product of numbers, or of an interval and a number.",
    .example = "2 * 3",
    .example_result = "6",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) { return BindArithmetic(input, Arithmetic::kMultiply, false); }};

extern const FunctionDef kDivide{
    .name = "/",
    .family = "math",
    .description = "Quotient, always fractional: a double, or a decimal of decimals.",
    .example = "3 / 2",
    .example_result = "1.5",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) { return BindArithmetic(input, Arithmetic::kDivide, false); }};

extern const FunctionDef kIntegralDivide{
    .name = "div",
    .family = "math",
    .description = "Quotient without its fraction, as BIGINT.",
    .example = "3 div 2",
    .example_result = "1",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) { return BindArithmetic(input, Arithmetic::kIntegralDivide, false); }};

extern const FunctionDef kRemainder{
    .name = "%",
    .family = "math",
    .description = "Remainder with the sign of the dividend.",
    .example = "-7 % 3",
    .example_result = "-1",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) { return BindArithmetic(input, Arithmetic::kRemainder, false); }};

extern const FunctionDef kMod{
    .name = "mod",
    .family = "math",
    .description = "Remainder with the sign of the dividend.",
    .example = "mod(-7, 3)",
    .example_result = "-1",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) { return BindArithmetic(input, Arithmetic::kRemainder, false, "mod"); }};

extern const FunctionDef kPmod{
    .name = "pmod",
    .family = "math",
    .description = "Remainder with the sign of the divisor.",
    .example = "pmod(-7, 3)",
    .example_result = "2",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) { return BindArithmetic(input, Arithmetic::kPmod, false, "pmod"); }};

extern const FunctionDef kTryMultiply{
    .name = "try_multiply",
    .family = "math",
    .description = "Product, or NULL on overflow.",
    .example = "try_multiply(-2147483648, 10)",
    .example_result = "NULL",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) { return BindArithmetic(input, Arithmetic::kMultiply, true, "try_multiply"); }};

extern const FunctionDef kTryDivide{
    .name = "try_divide",
    .family = "math",
    .description = "Quotient, or NULL when the divisor is zero.",
    .example = "try_divide(1, 0)",
    .example_result = "NULL",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) { return BindArithmetic(input, Arithmetic::kDivide, true, "try_divide"); }};

extern const FunctionDef kTryMod{
    .name = "try_mod",
    .family = "math",
    .description = "Remainder, or NULL when the divisor is zero.",
    .example = "try_mod(7, 0)",
    .example_result = "NULL",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) { return BindArithmetic(input, Arithmetic::kRemainder, true, "try_mod"); }};

}  // namespace millrace::function
