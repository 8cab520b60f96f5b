#include <arrow/util/decimal.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/ascii.h"
#include "base/error.h"
#include "expression/cast.h"
#include "expression/type_coercion.h"
#include "function/row_kernel.h"
#include "function/scalar/math/rounding.h"
#include "function/scalar/operator/arithmetic.h"
#include "types/arrow_type.h"

/// round, bround, ceil, floor.

namespace millrace::function {

using arrow::Decimal128;
using arrow::Decimal256;
using types::TypeId;

namespace {

// At another scale; false when it has more digits than `precision`.
bool RoundDecimal(const Decimal128& value, int from_scale, int scale, int precision, Rounding rounding,
                  Decimal128* out) {
  Decimal256 wide(value);
  scale = std::max(scale, -76);  // nothing is left of a value long before
  int target = std::max(scale, 0);
  if (scale < from_scale) {
    Decimal256 unit(Decimal256::GetScaleMultiplier(std::min(from_scale - scale, 76)));
    auto divided = wide.Divide(unit);
    if (!divided.ok()) return false;
    Decimal256 quotient = divided->first;
    Decimal256 rest(Decimal256::Abs(divided->second));
    bool negative = wide.IsNegative();
    Decimal256 twice(rest + rest);
    bool above = twice > unit;
    bool tie = twice == unit;
    bool odd = (quotient.little_endian_array()[0] & 1) != 0;
    bool any = rest != Decimal256(0);
    bool away = false;
    switch (rounding) {
      case Rounding::kHalfUp:
        away = above || tie;
        break;
      case Rounding::kHalfEven:
        away = above || (tie && odd);
        break;
      case Rounding::kCeiling:
        away = any && !negative;
        break;
      case Rounding::kFloor:
        away = any && negative;
        break;
    }
    if (away) quotient += Decimal256(negative ? -1 : 1);
    wide = quotient;
    if (scale < 0) wide = Decimal256(wide.IncreaseScaleBy(std::min(-scale, 38)));
  } else if (target > from_scale) {
    wide = Decimal256(wide.IncreaseScaleBy(target - from_scale));
  }
  if (!wide.FitsInPrecision(precision)) return false;
  *out = Decimal128(static_cast<int64_t>(wide.little_endian_array()[1]), wide.little_endian_array()[0]);
  return true;
}

ScalarKernel DecimalKernel(const DataTypePtr& from, const DataTypePtr& to, int32_t scale, Rounding rounding) {
  int from_scale = from->scale();
  int precision = to->precision();
  return BuiltKernel<arrow::Decimal128Builder, Decimal128>(
      types::ToArrow(*to), [=](const EvalContext& context, const Decimal128& value, arrow::Decimal128Builder& builder) {
        Decimal128 rounded;
        if (RoundDecimal(value, from_scale, scale, precision, rounding, &rounded)) return builder.Append(rounded);
        return context.ansi ? ArithmeticOverflow("Overflow", "") : builder.AppendNull();
      });
}

template <typename T>
ScalarKernel WholeKernel(const DataTypePtr& type, int32_t scale, Rounding rounding) {
  return FixedKernel<T, T>(types::ToArrow(*type), [=](const EvalContext& context, T value, T* out) -> arrow::Status {
    Decimal128 rounded;
    RoundDecimal(Decimal128(static_cast<int64_t>(value)), 0, scale, 38, rounding, &rounded);
    auto low = static_cast<int64_t>(rounded.low_bits());
    *out = static_cast<T>(low);
    bool fits = rounded.high_bits() == (low < 0 ? -1 : 0) && static_cast<int64_t>(*out) == low;
    return fits || !context.ansi ? arrow::Status::OK() : ArithmeticOverflow("Overflow", "");
  });
}

DataTypePtr RoundedDecimal(const types::DataType& from, int32_t scale) {
  int whole = from.precision() - from.scale() + 1;
  if (scale < 0) return types::Decimal(std::min(std::max(whole, 1 - std::max(scale, -38)), 38), 0);
  int kept = std::min(from.scale(), scale);
  return types::Decimal(std::min(whole + kept, 38), kept);
}

arrow::Result<std::optional<int32_t>> ScaleOf(const BindInput& input, bool own_condition) {
  if (input.arguments.size() == 1) return 0;
  const ExpressionPtr& scale = input.arguments[1];
  auto no_constant = [&] {
    return UserError("NON_FOLDABLE_ARGUMENT", {{"funcName", QuoteIdentifier(input.name)},
                                               {"paramName", QuoteIdentifier("scale")},
                                               {"paramType", QuoteSqlType("INT")}});
  };
  if (own_condition && (!scale->foldable() || scale->type()->id() != TypeId::kInteger)) return no_constant();
  if (!scale->foldable()) {
    return NonFoldableInput(input, 1, "scale", types::Integer());
  }
  if (!expression::CanImplicitCast(scale->type(), types::Integer())) {
    return UnexpectedInputType(input, 1, QuoteSqlType("INT"));
  }
  ARROW_ASSIGN_OR_RAISE(
      auto value, expression::EvaluateFoldable(*expression::ImplicitCast(scale, types::Integer()), input.context));
  if (!value->is_valid && own_condition) return no_constant();
  if (!value->is_valid) return std::nullopt;
  return static_cast<const arrow::Int32Scalar&>(*value).value;
}

arrow::Result<ExpressionPtr> BindRound(const BindInput& original, Rounding rounding) {
  ExpressionVector arguments = original.arguments;
  if (arguments.size() == 1) arguments.push_back(expression::Literal::Integer(0));
  BindInput input{original.def, original.name, std::move(arguments), original.context};
  ARROW_ASSIGN_OR_RAISE(auto scale, ScaleOf(input, false));
  ExpressionPtr value = input.arguments[0];
  if (value->type()->id() == TypeId::kString || value->type()->id() == TypeId::kNull) {
    value = expression::ImplicitCast(value, types::Double());
  }
  DataTypePtr type = value->type();
  if (!type->is_numeric()) return UnexpectedInputType(input, 0, QuoteSqlType("NUMERIC"));
  int32_t places = std::max(scale.value_or(0), -1000);  // no number has as many digits
  DataTypePtr result = type->id() == TypeId::kDecimal ? RoundedDecimal(*type, places) : type;
  // More places than there are change nothing.
  if (type->id() == TypeId::kDecimal) places = std::min(places, type->scale());
  if (type->is_integral()) places = std::min(places, 0);
  ScalarKernel kernel;
  switch (type->id()) {
    case TypeId::kByte:
      kernel = WholeKernel<int8_t>(type, places, rounding);
      break;
    case TypeId::kShort:
      kernel = WholeKernel<int16_t>(type, places, rounding);
      break;
    case TypeId::kInteger:
      kernel = WholeKernel<int32_t>(type, places, rounding);
      break;
    case TypeId::kLong:
      kernel = WholeKernel<int64_t>(type, places, rounding);
      break;
    case TypeId::kDecimal:
      kernel = DecimalKernel(type, result, places, rounding);
      break;
    case TypeId::kFloat:
      kernel = FixedKernel<float, float>(arrow::float32(), [=](const EvalContext&, float x, float* out) {
        *out = static_cast<float>(RoundDouble(x, places, rounding));
      });
      break;
    default:
      kernel = FixedKernel<double, double>(arrow::float64(), [=](const EvalContext&, double x, double* out) {
        *out = RoundDouble(x, places, rounding);
        if (*out == 0) *out = 0;  // BigDecimal has no negative zero
      });
  }
  if (!scale) {
    kernel = [null = types::ToArrow(*result)](const EvalContext&, const std::vector<arrow::Datum>&,
                                              int64_t) -> arrow::Result<arrow::Datum> {
      return arrow::Datum(arrow::MakeNullScalar(null));
    };
  }
  bool fails = !(type->id() == TypeId::kFloat || type->id() == TypeId::kDouble);
  return MakeCall(input, {value, input.arguments[1]}, result, true, std::move(kernel), {.can_fail = fails});
}

template <double (*kFunction)(double)>
void ToLong(const EvalContext&, double x, int64_t* out) {
  double whole = kFunction(x);
  if (std::isnan(whole))
    *out = 0;
  else if (whole >= 9223372036854775808.0)
    *out = std::numeric_limits<int64_t>::max();
  else if (whole <= -9223372036854775808.0)
    *out = std::numeric_limits<int64_t>::min();
  else
    *out = static_cast<int64_t>(whole);
}

arrow::Result<ExpressionPtr> BindCeilFloor(const BindInput& input, bool ceil) {
  ARROW_ASSIGN_OR_RAISE(auto scale, ScaleOf(input, true));
  ExpressionPtr value = input.arguments[0];
  Rounding rounding = ceil ? Rounding::kCeiling : Rounding::kFloor;
  TypeId id = value->type()->id();
  if (input.arguments.size() == 2) {
    DataTypePtr decimal = value->type();
    if (value->type()->is_integral())
      decimal = types::DecimalForIntegral(id);
    else if (id == TypeId::kFloat)
      decimal = types::Decimal(14, 7);
    else if (id == TypeId::kString || id == TypeId::kNull)
      decimal = types::Decimal(types::kMaxDecimalPrecision, 18);
    else if (id != TypeId::kDecimal)
      decimal = types::Decimal(30, 15);
    if (!expression::CanImplicitCast(value->type(), decimal)) {
      return UnexpectedInputType(input, 0, QuoteSqlType("DECIMAL"));
    }
    value = expression::ImplicitCast(value, decimal);
    // More places than there are change nothing, fewer than any number has leave nothing.
    int32_t places = std::clamp(scale.value_or(0), -2 * types::kMaxDecimalPrecision, decimal->scale());
    DataTypePtr result = RoundedDecimal(*decimal, places);
    return MakeCall(input, {value, input.arguments[1]}, result, true, DecimalKernel(decimal, result, places, rounding),
                    {.can_fail = true, .shown_name = std::string(input.name)});
  }
  std::string shown = input.name == input.def.name ? ToUpperAscii(input.name) : std::string(input.name);
  if (id == TypeId::kDecimal) {
    DataTypePtr result = types::Decimal(
        std::min(value->type()->precision() - value->type()->scale() + (value->type()->scale() > 0 ? 1 : 0), 38), 0);
    if (result->precision() == 0) result = types::Decimal(1, 0);
    return MakeCall(input, {value}, result, true, DecimalKernel(value->type(), result, 0, rounding),
                    {.can_fail = true, .shown_name = shown});
  }
  if (value->type()->is_integral()) {
    return MakeCall(
        input, {expression::ImplicitCast(value, types::Long())}, types::Long(), true,
        FixedKernel<int64_t, int64_t>(arrow::int64(), [](const EvalContext&, int64_t x, int64_t* out) { *out = x; }),
        {.shown_name = shown});
  }
  if (!expression::CanImplicitCast(value->type(), types::Double())) {
    return UnexpectedInputType(input, 0, R"(("DOUBLE" or "DECIMAL" or "BIGINT"))");
  }
  return BindSimple(input, {types::Double()}, types::Long(),
                    FixedKernel<int64_t, double>(arrow::int64(), ceil ? ToLong<std::ceil> : ToLong<std::floor>),
                    {.may_null = true, .shown_name = shown});
}

}  // namespace

extern const FunctionDef kRound{.name = "round",
                                .family = "math",
                                .description = "The number at so many decimal places, halves away from zero.",
                                .example = "round(2.5, 0)",
                                .example_result = "3",
                                .min_arguments = 1,
                                .max_arguments = 2,
                                .bind = [](const BindInput& input) { return BindRound(input, Rounding::kHalfUp); }};

extern const FunctionDef kBround{.name = "bround",
                                 .family = "math",
                                 .description = "The number at so many decimal places, halves to the even digit.",
                                 .example = "bround(2.5, 0)",
                                 .example_result = "2",
                                 .min_arguments = 1,
                                 .max_arguments = 2,
                                 .bind = [](const BindInput& input) { return BindRound(input, Rounding::kHalfEven); }};

extern const FunctionDef kCeil{.name = "ceil",
                               .aliases = "ceiling",
                               .family = "math",
                               .description = "The smallest whole number that is not less.",
                               .example = "ceil(5.4)",
                               .example_result = "6",
                               .min_arguments = 1,
                               .max_arguments = 2,
                               .bind = [](const BindInput& input) { return BindCeilFloor(input, true); }};

extern const FunctionDef kFloor{.name = "floor",
                                .family = "math",
                                .description = "The largest whole number that is not greater.",
                                .example = "floor(5.9)",
                                .example_result = "5",
                                .min_arguments = 1,
                                .max_arguments = 2,
                                .bind = [](const BindInput& input) { return BindCeilFloor(input, false); }};

}  // namespace millrace::function
