#include <arrow/util/decimal.h>

#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/row_kernel.h"
#include "function/scalar/operator/arithmetic.h"
#include "types/arrow_type.h"

/// Unary minus and plus, and abs.

namespace millrace::function {

using types::TypeId;

namespace {

enum class Unary : uint8_t { kNegate, kAbsolute };

template <typename T>
ScalarKernel UnaryKernel(Unary op, bool raises, const DataTypePtr& type) {
  auto kernel = [&](auto step) { return FixedKernel<T, T>(types::ToArrow(*type), step); };
  if (op == Unary::kAbsolute && std::is_floating_point_v<T>) {
    return kernel([](const EvalContext&, T value, T* out) { *out = std::abs(value); });
  }
  bool absolute = op == Unary::kAbsolute;
  return kernel(
      [raises, absolute, interval = type->is_ansi_interval()](const EvalContext&, T value, T* out) -> arrow::Status {
        if (absolute && !(value < 0)) {
          *out = value;
          return arrow::Status::OK();
        }
        if constexpr (std::is_floating_point_v<T>) {
          *out = -value;
        } else if (__builtin_sub_overflow(T{0}, value, out) && raises) {
          return interval ? UserError("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION")
                          : ArithmeticOverflow("overflow", "");
        }
        return arrow::Status::OK();
      });
}

ScalarKernel DecimalKernel(Unary op, const DataTypePtr& type) {
  bool absolute = op == Unary::kAbsolute;
  return FixedKernel<arrow::Decimal128, arrow::Decimal128>(
      types::ToArrow(*type), [absolute](const EvalContext&, const arrow::Decimal128& value, arrow::Decimal128* out) {
        *out = value;
        if (!absolute || value.high_bits() < 0) out->Negate();
      });
}

ScalarKernel KernelOf(Unary op, bool raises, const DataTypePtr& type) {
  switch (type->id()) {
    case TypeId::kByte:
      return UnaryKernel<int8_t>(op, raises, type);
    case TypeId::kShort:
      return UnaryKernel<int16_t>(op, raises, type);
    case TypeId::kInteger:
    case TypeId::kYearMonthInterval:
      return UnaryKernel<int32_t>(op, raises, type);
    case TypeId::kFloat:
      return UnaryKernel<float>(op, raises, type);
    case TypeId::kDouble:
      return UnaryKernel<double>(op, raises, type);
    case TypeId::kDecimal:
      return DecimalKernel(op, type);
    default:
      return UnaryKernel<int64_t>(op, raises, type);
  }
}

// Strings and NULL count as doubles.
arrow::Result<ExpressionPtr> Operand(const BindInput& input, const std::string& required) {
  const ExpressionPtr& argument = input.arguments[0];
  const DataTypePtr& type = argument->type();
  if (type->id() == TypeId::kString || type->id() == TypeId::kNull) {
    return expression::ImplicitCast(argument, types::Double());
  }
  if (!type->is_numeric() && !type->is_ansi_interval()) return UnexpectedInputType(input, 0, required);
  return argument;
}

constexpr const char* kSigned = R"(("NUMERIC" or "INTERVAL DAY TO SECOND" or "INTERVAL YEAR TO MONTH" or "INTERVAL"))";
constexpr const char* kNumericOrAnsi = R"(("NUMERIC" or "INTERVAL DAY TO SECOND" or "INTERVAL YEAR TO MONTH"))";

arrow::Result<ExpressionPtr> BindUnary(const BindInput& input, Unary op, CallOptions options, const char* required) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr operand, Operand(input, required));
  DataTypePtr type = operand->type();
  // Intervals never wrap.
  bool raises = input.context.ansi || type->is_ansi_interval();
  options.can_fail = raises && (type->is_integral() || type->is_ansi_interval());
  bool nullable = operand->nullable();
  return MakeCall(input, {std::move(operand)}, type, nullable, KernelOf(op, raises, type), options);
}

}  // namespace

arrow::Result<ExpressionPtr> BindNegation(const BindInput& input, std::string_view shown_name) {
  CallOptions options;
  options.style = shown_name.empty() ? CallStyle::kPrefix : CallStyle::kFunction;
  options.shown_name = shown_name.empty() ? "-" : std::string(shown_name);
  return BindUnary(input, Unary::kNegate, options, kSigned);
}

extern const FunctionDef kNegative{.name = "negative",
                                   .family = "math",
                                   .description = "The number or interval with the other sign.",
                                   .example = "negative(1)",
                                   .example_result = "-1",
                                   .min_arguments = 1,
                                   .max_arguments = 1,
                                   .bind = [](const BindInput& input) { return BindNegation(input, "negative"); }};

extern const FunctionDef kPositive{.name = "positive",
                                   .family = "math",
                                   .description = "The number or interval itself.",
                                   .example = "positive(1)",
                                   .example_result = "1",
                                   .min_arguments = 1,
                                   .max_arguments = 1,
                                   .bind = [](const BindInput& input) -> arrow::Result<ExpressionPtr> {
                                     ARROW_ASSIGN_OR_RAISE(ExpressionPtr operand, Operand(input, kSigned));
                                     DataTypePtr type = operand->type();
                                     bool nullable = operand->nullable();
                                     return MakeCall(
                                         input, {std::move(operand)}, std::move(type), nullable,
                                         [](const EvalContext&, const std::vector<arrow::Datum>& arguments,
                                            int64_t) -> arrow::Result<arrow::Datum> { return arguments[0]; },
                                         {.style = CallStyle::kPrefix, .shown_name = "+"});
                                   }};

extern const FunctionDef kAbs{
    .name = "abs",
    .family = "math",
    .description = "The number or interval without its sign.",
    .example = "abs(-1)",
    .example_result = "1",
    .min_arguments = 1,
    .max_arguments = 1,
    .bind = [](const BindInput& input) { return BindUnary(input, Unary::kAbsolute, {}, kNumericOrAnsi); }};

}  // namespace millrace::function
