#include <cmath>

#include "base/ascii.h"
#include "expression/type_coercion.h"
#include "function/row_kernel.h"
#include "function/scalar/math/strict_math.h"

/// Functions of doubles: trigonometry, exponentials, roots.

namespace millrace::function {

namespace {

using Unary = double (*)(double);
using Binary = double (*)(double, double);

// Shown in capitals; under an alias as the user wrote it.
std::string ShownName(const BindInput& input) {
  return input.name == input.def.name ? ToUpperAscii(input.name) : std::string(input.name);
}

template <Unary kFunction>
arrow::Result<ExpressionPtr> BindUnary(const BindInput& input) {
  return BindSimple(input, {types::Double()}, types::Double(),
                    FixedKernel<double, double>(arrow::float64(),
                                                [](const EvalContext&, double x, double* out) { *out = kFunction(x); }),
                    {.may_null = true, .shown_name = ShownName(input)});
}

template <Binary kFunction>
arrow::Result<ExpressionPtr> BindBinary(const BindInput& input) {
  return BindSimple(input, {types::Double(), types::Double()}, types::Double(),
                    FixedKernel<double, double, double>(arrow::float64(), [](const EvalContext&, double x, double y,
                                                                             double* out) { *out = kFunction(x, y); }),
                    {.shown_name = ShownName(input)});
}

// Logarithms are NULL at and below their pole.
template <Unary kFunction, int kPole>
arrow::Result<ExpressionPtr> BindLogarithm(const BindInput& input) {
  return BindSimple(input, {types::Double()}, types::Double(),
                    BuiltKernel<arrow::DoubleBuilder, double>(
                        arrow::float64(),
                        [](const EvalContext&, double x, arrow::DoubleBuilder& builder) {
                          return x <= kPole ? builder.AppendNull() : builder.Append(kFunction(x));
                        }),
                    {.may_null = true, .shown_name = input.name == "ln" ? "ln" : ShownName(input)});
}

arrow::Result<ExpressionPtr> BindLog(const BindInput& input) {
  if (input.arguments.size() == 1) {
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr base, BindCall("e", {}, input.context));
    return BindCall("log", {std::move(base), input.arguments[0]}, input.context);
  }
  return BindSimple(input, {types::Double(), types::Double()}, types::Double(),
                    BuiltKernel<arrow::DoubleBuilder, double, double>(
                        arrow::float64(),
                        [](const EvalContext&, double base, double x, arrow::DoubleBuilder& builder) {
                          if (base <= 0 || x <= 0) return builder.AppendNull();
                          return builder.Append(StrictLog(x) / StrictLog(base));
                        }),
                    {.may_null = true, .shown_name = "LOG"});
}

double StrictLog2(double x) { return StrictLog(x) / StrictLog(2); }
double Cot(double x) { return 1 / std::tan(x); }
double Sec(double x) { return 1 / std::cos(x); }
double Csc(double x) { return 1 / std::sin(x); }
double Degrees(double x) { return x * (180.0 / M_PI); }
double Radians(double x) { return x * (M_PI / 180.0); }
// Java adds zero first, which turns -0.0 into 0.0.
double Atan2(double y, double x) { return StrictAtan2(y + 0.0, x + 0.0); }

template <double (*kValue)()>
arrow::Result<ExpressionPtr> BindConstant(const BindInput& input) {
  return MakeCall(input, {}, types::Double(), false,
                  [](const EvalContext&, const std::vector<arrow::Datum>&, int64_t) -> arrow::Result<arrow::Datum> {
                    return arrow::Datum(kValue());
                  },
                  {.shown_name = ToUpperAscii(input.name)});
}

double Pi() { return M_PI; }
double E() { return M_E; }

template <Unary kFunction>
constexpr FunctionDef UnaryDef(std::string_view name, std::string_view description, std::string_view example,
                               std::string_view result) {
  return {.name = name,
          .family = "math",
          .description = description,
          .example = example,
          .example_result = result,
          .min_arguments = 1,
          .max_arguments = 1,
          .bind = BindUnary<kFunction>};
}

}  // namespace

extern const FunctionDef kSin = UnaryDef<std::sin>("sin", "Sine.", "sin(0)", "0.0");
extern const FunctionDef kCos = UnaryDef<std::cos>("cos", "Cosine.", "cos(0)", "1.0");
extern const FunctionDef kTan = UnaryDef<std::tan>("tan", "Tangent.", "tan(0)", "0.0");
extern const FunctionDef kCot = UnaryDef<Cot>("cot", "Cotangent.", "cot(1)", "0.6420926159343306");
extern const FunctionDef kSec = UnaryDef<Sec>("sec", "Secant.", "sec(0)", "1.0");
extern const FunctionDef kCsc = UnaryDef<Csc>("csc", "Cosecant.", "csc(1)", "1.1883951057781212");
extern const FunctionDef kAsin = UnaryDef<StrictAsin>("asin", "Inverse sine.", "asin(0)", "0.0");
extern const FunctionDef kAcos = UnaryDef<StrictAcos>("acos", "Inverse cosine.", "acos(1)", "0.0");
extern const FunctionDef kAtan = UnaryDef<StrictAtan>("atan", "Inverse tangent.", "atan(0)", "0.0");
extern const FunctionDef kSinh = UnaryDef<StrictSinh>("sinh", "Hyperbolic sine.", "sinh(0)", "0.0");
extern const FunctionDef kCosh = UnaryDef<StrictCosh>("cosh", "Hyperbolic cosine.", "cosh(0)", "1.0");
extern const FunctionDef kTanh = UnaryDef<StrictTanh>("tanh", "Hyperbolic tangent.", "tanh(0)", "0.0");
extern const FunctionDef kAsinh = UnaryDef<StrictAsinh>("asinh", "Inverse hyperbolic sine.", "asinh(0)", "0.0");
extern const FunctionDef kAcosh = UnaryDef<StrictAcosh>("acosh", "Inverse hyperbolic cosine.", "acosh(1)", "0.0");
extern const FunctionDef kAtanh = UnaryDef<StrictAtanh>("atanh", "Inverse hyperbolic tangent.", "atanh(0)", "0.0");
extern const FunctionDef kExp = UnaryDef<StrictExp>("exp", "e to the power of the number.", "exp(0)", "1.0");
extern const FunctionDef kExpm1 = UnaryDef<StrictExpm1>("expm1", "exp(x) - 1, exact near zero.", "expm1(0)", "0.0");
extern const FunctionDef kSqrt = UnaryDef<std::sqrt>("sqrt", "Square root.", "sqrt(4)", "2.0");
extern const FunctionDef kCbrt = UnaryDef<StrictCbrt>("cbrt", "Cube root.", "cbrt(27.0)", "3.0");
extern const FunctionDef kDegrees =
    UnaryDef<Degrees>("degrees", "Radians to degrees.", "degrees(3.141592653589793)", "180.0");
extern const FunctionDef kRadians =
    UnaryDef<Radians>("radians", "Degrees to radians.", "radians(180)", "3.141592653589793");

extern const FunctionDef kRint{
    .name = "rint",
    .family = "math",
    .description = "The nearest whole number, the even one of two, as a double.",
    .example = "rint(12.3456)",
    .example_result = "12.0",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) {
      return BindSimple(input, {types::Double()}, types::Double(),
                        FixedKernel<double, double>(
                            arrow::float64(), [](const EvalContext&, double x, double* out) { *out = std::rint(x); }),
                        {.may_null = true});
    }};

extern const FunctionDef kAtan2{.name = "atan2",
                                .family = "math",
                                .description = "Angle of the point (x, y) as atan2(y, x).",
                                .example = "atan2(0, 0)",
                                .example_result = "0.0",
                                .min_arguments = 2,
                                .max_arguments = 2,
                                .bind = BindBinary<Atan2>};

extern const FunctionDef kHypot{.name = "hypot",
                                .family = "math",
                                .description = "Square root of the sum of squares.",
                                .example = "hypot(3, 4)",
                                .example_result = "5.0",
                                .min_arguments = 2,
                                .max_arguments = 2,
                                .bind = BindBinary<StrictHypot>};

extern const FunctionDef kPower{.name = "power",
                                .aliases = "pow",
                                .family = "math",
                                .description = "The first number to the power of the second.",
                                .example = "power(2, 3)",
                                .example_result = "8.0",
                                .min_arguments = 2,
                                .max_arguments = 2,
                                .bind = BindBinary<StrictPow>};

extern const FunctionDef kLn{.name = "ln",
                             .family = "math",
                             .description = "Natural logarithm; NULL for numbers that are not positive.",
                             .example = "ln(1)",
                             .example_result = "0.0",
                             .min_arguments = 1,
                             .max_arguments = 1,
                             .bind = BindLogarithm<StrictLog, 0>};

extern const FunctionDef kLog10{.name = "log10",
                                .family = "math",
                                .description = "Logarithm of base 10.",
                                .example = "log10(10)",
                                .example_result = "1.0",
                                .min_arguments = 1,
                                .max_arguments = 1,
                                .bind = BindLogarithm<StrictLog10, 0>};

extern const FunctionDef kLog2{.name = "log2",
                               .family = "math",
                               .description = "Logarithm of base 2.",
                               .example = "log2(2)",
                               .example_result = "1.0",
                               .min_arguments = 1,
                               .max_arguments = 1,
                               .bind = BindLogarithm<StrictLog2, 0>};

extern const FunctionDef kLog1p{.name = "log1p",
                                .family = "math",
                                .description = "ln(1 + x), exact near zero.",
                                .example = "log1p(0)",
                                .example_result = "0.0",
                                .min_arguments = 1,
                                .max_arguments = 1,
                                .bind = BindLogarithm<StrictLog1p, -1>};

extern const FunctionDef kLog{
    .name = "log",
    .family = "math",
    .description = "Logarithm of the second number for the base given first; of base e alone.",
    .example = "log(10, 100)",
    .example_result = "2.0",
    .min_arguments = 1,
    .max_arguments = 2,
    .bind = BindLog};

extern const FunctionDef kPi{.name = "pi",
                             .family = "math",
                             .description = "The number pi.",
                             .example = "pi()",
                             .example_result = "3.141592653589793",
                             .bind = BindConstant<Pi>};

extern const FunctionDef kE{.name = "e",
                            .family = "math",
                            .description = "Euler's number.",
                            .example = "e()",
                            .example_result = "2.718281828459045",
                            .bind = BindConstant<E>};

}  // namespace millrace::function
