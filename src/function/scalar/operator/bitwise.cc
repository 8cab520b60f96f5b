#include "base/error.h"
#include "expression/type_coercion.h"
#include "function/row_kernel.h"
#include "function/scalar/operator/arithmetic.h"
#include "types/arrow_type.h"

/// & | ^ ~ and the shifts.

namespace millrace::function {

using types::TypeId;

namespace {

enum class Bitwise : uint8_t { kAnd, kOr, kXor };

template <typename T>
ScalarKernel BitwiseKernel(Bitwise op, const DataTypePtr& type) {
  std::shared_ptr<arrow::DataType> arrow_type = types::ToArrow(*type);
  switch (op) {
    case Bitwise::kAnd:
      return FixedKernel<T, T, T>(arrow_type, [](const EvalContext&, T l, T r, T* out) { *out = l & r; });
    case Bitwise::kOr:
      return FixedKernel<T, T, T>(arrow_type, [](const EvalContext&, T l, T r, T* out) { *out = l | r; });
    case Bitwise::kXor:
      return FixedKernel<T, T, T>(arrow_type, [](const EvalContext&, T l, T r, T* out) { *out = l ^ r; });
  }
  return {};
}

template <typename Visit>
auto VisitWhole(TypeId id, Visit&& visit) {
  switch (id) {
    case TypeId::kByte:
      return visit(int8_t{});
    case TypeId::kShort:
      return visit(int16_t{});
    case TypeId::kInteger:
      return visit(int32_t{});
    default:
      return visit(int64_t{});
  }
}

arrow::Result<ExpressionPtr> BindBitwise(const BindInput& input, Bitwise op) {
  ExpressionPtr left = input.arguments[0];
  ExpressionPtr right = input.arguments[1];
  auto common = expression::WiderTypeOfString(left->type(), right->type());
  if (!common) common = expression::TightestCommonType(left->type(), right->type());
  if (common && (*common)->id() == TypeId::kNull) common = types::Integer();
  if (common) {
    left = expression::ImplicitCast(left, *common);
    right = expression::ImplicitCast(right, *common);
  }
  std::string sql = "(" + left->Sql(true) + " " + std::string(input.def.name) + " " + right->Sql(true) + ")";
  if (!left->type()->Equals(*right->type())) return BinaryOpDiffTypes(sql, left, right);
  DataTypePtr type = left->type();
  if (!type->is_integral()) return BinaryOpWrongType(sql, R"("INTEGRAL")", type);
  ScalarKernel kernel = VisitWhole(type->id(), [&](auto zero) { return BitwiseKernel<decltype(zero)>(op, type); });
  bool nullable = left->nullable() || right->nullable();
  return MakeCall(input, {left, right}, type, nullable, std::move(kernel), {.style = CallStyle::kInfix});
}

arrow::Result<ExpressionPtr> BindBitwiseNot(const BindInput& input) {
  ExpressionPtr argument = input.arguments[0];
  if (argument->type()->id() == TypeId::kNull) argument = expression::ImplicitCast(argument, types::Integer());
  DataTypePtr type = argument->type();
  if (!type->is_integral()) return UnexpectedInputType(input, 0, QuoteSqlType("INTEGRAL"));
  auto info = std::make_shared<CallInfo>();
  info->name = "~";
  info->style = CallStyle::kCustom;
  info->render = [](const std::vector<std::string>& texts) { return "~" + texts[0]; };
  info->kernel = VisitWhole(type->id(), [&](auto zero) -> ScalarKernel {
    using T = decltype(zero);
    return FixedKernel<T, T>(types::ToArrow(*type),
                             [](const EvalContext&, T value, T* out) { *out = static_cast<T>(~value); });
  });
  bool nullable = argument->nullable();
  return std::make_shared<Call>(std::move(info), std::move(type), nullable, ExpressionVector{std::move(argument)});
}

enum class Shift : uint8_t { kLeft, kRight, kRightUnsigned };

// The distance counts modulo the width, as in Java.
template <typename T>
ScalarKernel ShiftKernel(Shift shift) {
  using Unsigned = std::make_unsigned_t<T>;
  constexpr int32_t kMask = sizeof(T) * 8 - 1;
  return FixedKernel<T, T, int32_t>(arrow::CTypeTraits<T>::type_singleton(),
                                    [shift](const EvalContext&, T value, int32_t by, T* out) {
                                      int32_t distance = by & kMask;
                                      auto bits = static_cast<Unsigned>(value);
                                      switch (shift) {
                                        case Shift::kLeft:
                                          *out = static_cast<T>(bits << distance);
                                          return;
                                        case Shift::kRight:
                                          *out = static_cast<T>(value >> distance);
                                          return;
                                        case Shift::kRightUnsigned:
                                          *out = static_cast<T>(bits >> distance);
                                          return;
                                      }
                                    });
}

arrow::Result<ExpressionPtr> BindShift(const BindInput& input, Shift shift, CallOptions options) {
  const DataTypePtr& from = input.arguments[0]->type();
  DataTypePtr type = from->id() == TypeId::kLong ? types::Long() : types::Integer();
  if (from->is_fractional() || !expression::CanImplicitCast(from, type)) {
    return UnexpectedInputType(input, 0, R"(("INT" or "BIGINT"))");
  }
  ScalarKernel kernel = type->id() == TypeId::kLong ? ShiftKernel<int64_t>(shift) : ShiftKernel<int32_t>(shift);
  return BindSimple(input, {type, types::Integer()}, type, std::move(kernel), std::move(options));
}

}  // namespace

extern const FunctionDef kBitwiseAnd{.name = "&",
                                     .family = "bitwise",
                                     .description = "The bits set in both numbers.",
                                     .example = "3 & 5",
                                     .example_result = "1",
                                     .min_arguments = 2,
                                     .max_arguments = 2,
                                     .bind = [](const BindInput& input) { return BindBitwise(input, Bitwise::kAnd); }};

extern const FunctionDef kBitwiseOr{.name = "|",
                                    .family = "bitwise",
                                    .description = "The bits set in one of two numbers.",
                                    .example = "3 | 5",
                                    .example_result = "7",
                                    .min_arguments = 2,
                                    .max_arguments = 2,
                                    .bind = [](const BindInput& input) { return BindBitwise(input, Bitwise::kOr); }};

extern const FunctionDef kBitwiseXor{.name = "^",
                                     .family = "bitwise",
                                     .description = "The bits set in exactly one of two numbers.",
                                     .example = "3 ^ 5",
                                     .example_result = "6",
                                     .min_arguments = 2,
                                     .max_arguments = 2,
                                     .bind = [](const BindInput& input) { return BindBitwise(input, Bitwise::kXor); }};

extern const FunctionDef kBitwiseNot{.name = "~",
                                     .family = "bitwise",
                                     .description = "The number with every bit inverted.",
                                     .example = "~0",
                                     .example_result = "-1",
                                     .min_arguments = 1,
                                     .max_arguments = 1,
                                     .bind = BindBitwiseNot};

namespace {

// Operators are shown infix, functions by name.
CallOptions ShiftOptions(const BindInput& input, std::string symbol) {
  bool infix = input.name == symbol;
  return {.style = infix ? CallStyle::kInfix : CallStyle::kFunction,
          .shown_name = infix ? std::move(symbol) : std::string(input.name)};
}

}  // namespace

extern const FunctionDef kShiftLeft{
    .name = "shiftleft",
    .aliases = "<<",
    .family = "bitwise",
    .description = "The number shifted left by so many bits.",
    .example = "shiftleft(2, 1)",
    .example_result = "4",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) { return BindShift(input, Shift::kLeft, ShiftOptions(input, "<<")); }};

extern const FunctionDef kShiftRight{
    .name = "shiftright",
    .aliases = ">>",
    .family = "bitwise",
    .description = "The number shifted right by so many bits, keeping its sign.",
    .example = "shiftright(4, 1)",
    .example_result = "2",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) { return BindShift(input, Shift::kRight, ShiftOptions(input, ">>")); }};

extern const FunctionDef kShiftRightUnsigned{
    .name = "shiftrightunsigned",
    .aliases = ">>>",
    .family = "bitwise",
    .description = "The number shifted right by so many bits, filling with zeros.",
    .example = "shiftrightunsigned(4, 1)",
    .example_result = "2",
    .min_arguments = 2,
    .max_arguments = 2,
    .bind = [](const BindInput& input) { return BindShift(input, Shift::kRightUnsigned, ShiftOptions(input, ">>>")); }};

}  // namespace millrace::function
