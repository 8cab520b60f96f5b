#include <arrow/util/decimal.h>

#include <algorithm>

#include "base/error.h"
#include "expression/vector.h"
#include "function/scalar/operator/arithmetic.h"
#include "types/arrow_type.h"

namespace millrace::function {

using arrow::Datum;
using arrow::Decimal128;
using arrow::Decimal256;
using expression::FixedColumn;

namespace {

constexpr int kWideDigits = 76;

Decimal256 PowerOfTen(int exponent) { return Decimal256(Decimal256::GetScaleMultiplier(exponent)); }

// What one operation knows of its types.
struct Shape {
  Arithmetic op;
  int left_scale;
  int right_scale;
  int precision;
  int scale;
  /// Operands and result fit 128 bits with plain arithmetic.
  bool narrow;
};

enum class Outcome : uint8_t { kOk, kZeroDivisor, kOutOfRange };

// A value at `from_scale` brought to the result's; `exact` keeps the value for the message.
Outcome Fit(const Decimal256& value, int from_scale, const Shape& shape, Decimal128* out) {
  Decimal256 scaled = value;
  if (from_scale > shape.scale) {
    scaled = Decimal256(value.ReduceScaleBy(from_scale - shape.scale, /*round=*/true));
  } else if (from_scale < shape.scale) {
    if (!value.FitsInPrecision(kWideDigits - (shape.scale - from_scale))) return Outcome::kOutOfRange;
    scaled = Decimal256(value.IncreaseScaleBy(shape.scale - from_scale));
  }
  if (!scaled.FitsInPrecision(shape.precision)) return Outcome::kOutOfRange;
  *out = Decimal128(static_cast<int64_t>(scaled.little_endian_array()[1]), scaled.little_endian_array()[0]);
  return Outcome::kOk;
}

Decimal256 Absolute(const Decimal256& value) { return Decimal256(Decimal256::Abs(value)); }

// Half up, away from zero.
bool Quotient(const Decimal256& dividend, const Decimal256& divisor, Decimal256* quotient) {
  auto divided = dividend.Divide(divisor);
  if (!divided.ok()) return false;
  Decimal256 rest = Absolute(divided->second);
  *quotient = divided->first;
  if (Absolute(divisor) <= Decimal256(rest + rest)) {
    bool negative = dividend.IsNegative() != divisor.IsNegative();
    *quotient += Decimal256(negative ? -1 : 1);
  }
  return true;
}

Outcome DivideWide(const Shape& shape, const Decimal256& left, const Decimal256& right, Decimal128* out) {
  int shift = shape.scale + shape.right_scale - shape.left_scale;
  Decimal256 dividend = left;
  Decimal256 divisor = right;
  if (shift > 0) {
    // A dividend of 76 digits over a divisor of 38 at most cannot give a result of 38.
    if (shift > kWideDigits || !left.FitsInPrecision(kWideDigits - shift)) return Outcome::kOutOfRange;
    dividend = left * PowerOfTen(shift);
  } else if (shift < 0) {
    divisor = right * PowerOfTen(-shift);
  }
  Decimal256 quotient;
  if (!Quotient(dividend, divisor, &quotient)) return Outcome::kZeroDivisor;
  return Fit(quotient, shape.scale, shape, out);
}

Outcome RemainderWide(const Shape& shape, const Decimal256& left, const Decimal256& right, Decimal128* out) {
  int scale = std::max(shape.left_scale, shape.right_scale);
  Decimal256 dividend = left * PowerOfTen(scale - shape.left_scale);
  Decimal256 divisor = right * PowerOfTen(scale - shape.right_scale);
  auto divided = dividend.Divide(divisor);
  if (!divided.ok()) return Outcome::kZeroDivisor;
  Decimal256 rest = divided->second;
  if (shape.op == Arithmetic::kPmod && rest.IsNegative()) {
    auto again = Decimal256(rest + divisor).Divide(divisor);
    if (again.ok()) rest = again->second;
  }
  return Fit(rest, scale, shape, out);
}

// Sums and products at their natural scale.
Decimal256 Exact(const Shape& shape, const Decimal256& left, const Decimal256& right, int* scale) {
  if (shape.op == Arithmetic::kMultiply) {
    *scale = shape.left_scale + shape.right_scale;
    return left * right;
  }
  *scale = std::max(shape.left_scale, shape.right_scale);
  Decimal256 l = left * PowerOfTen(*scale - shape.left_scale);
  Decimal256 r = right * PowerOfTen(*scale - shape.right_scale);
  return shape.op == Arithmetic::kAdd ? Decimal256(l + r) : Decimal256(l + Decimal256(r).Negate());
}

Outcome Compute(const Shape& shape, const Decimal128& left, const Decimal128& right, Decimal128* out) {
  bool divides = shape.op >= Arithmetic::kDivide;
  if (divides && right == 0) return Outcome::kZeroDivisor;
  if (shape.narrow) {
    if (shape.op == Arithmetic::kMultiply) return *out = left * right, Outcome::kOk;
    Decimal128 l(left.IncreaseScaleBy(shape.scale - shape.left_scale));
    Decimal128 r(right.IncreaseScaleBy(shape.scale - shape.right_scale));
    *out = shape.op == Arithmetic::kAdd ? l + r : l - r;
    return Outcome::kOk;
  }
  Decimal256 l(left);
  Decimal256 r(right);
  if (shape.op == Arithmetic::kDivide) return DivideWide(shape, l, r, out);
  if (divides) return RemainderWide(shape, l, r, out);
  int scale = 0;
  Decimal256 exact = Exact(shape, l, r, &scale);
  return Fit(exact, scale, shape, out);
}

arrow::Status OutOfRange(const Shape& shape, const Decimal128& left, const Decimal128& right) {
  std::string text = "value";
  if (shape.op < Arithmetic::kDivide) {
    int scale = 0;
    Decimal256 exact = Exact(shape, Decimal256(left), Decimal256(right), &scale);
    text = exact.ToString(scale);
  } else {
    text = Decimal128(left).ToString(shape.left_scale) + " / " + Decimal128(right).ToString(shape.right_scale);
  }
  return UserError("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", {{"value", text},
                                                                  {"precision", std::to_string(shape.precision)},
                                                                  {"scale", std::to_string(shape.scale)},
                                                                  {"config", QuoteConf("spark.sql.ansi.enabled")}});
}

arrow::Result<Datum> Run(const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows,
                         const Shape& shape, OnOverflow on_overflow, const std::shared_ptr<arrow::DataType>& type) {
  FixedColumn<Decimal128> left(arguments[0]);
  FixedColumn<Decimal128> right(arguments[1]);
  arrow::Decimal128Builder builder(type, context.memory_pool);
  auto append = [&](int64_t i) -> arrow::Status {
    Decimal128 value;
    Outcome outcome = Compute(shape, left[i], right[i], &value);
    if (outcome == Outcome::kOk) return builder.Append(value);
    if (on_overflow != OnOverflow::kRaise) return builder.AppendNull();
    return outcome == Outcome::kZeroDivisor ? DivideByZero(shape.op) : OutOfRange(shape, left[i], right[i]);
  };
  return expression::MapBuilt(builder, num_rows, append, left, right);
}

// The quotient of `div`: whole, as BIGINT.
arrow::Result<Datum> RunIntegral(const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows,
                                 const Shape& shape, OnOverflow on_overflow) {
  FixedColumn<Decimal128> left(arguments[0]);
  FixedColumn<Decimal128> right(arguments[1]);
  arrow::Int64Builder builder(context.memory_pool);
  int scale = std::max(shape.left_scale, shape.right_scale);
  Decimal256 left_factor = PowerOfTen(scale - shape.left_scale);
  Decimal256 right_factor = PowerOfTen(scale - shape.right_scale);
  auto append = [&](int64_t i) -> arrow::Status {
    auto divided = Decimal256(Decimal256(left[i]) * left_factor).Divide(Decimal256(right[i]) * right_factor);
    bool raises = on_overflow == OnOverflow::kRaise;
    if (!divided.ok()) return raises ? DivideByZero(shape.op) : builder.AppendNull();
    auto low = static_cast<int64_t>(divided->first.little_endian_array()[0]);
    if (divided->first == Decimal256(low)) return builder.Append(low);
    return raises ? ArithmeticOverflow("Overflow in integral divide", "try_divide") : builder.AppendNull();
  };
  return expression::MapBuilt(builder, num_rows, append, left, right);
}

}  // namespace

ScalarKernel DecimalArithmetic(Arithmetic op, OnOverflow on_overflow, const DataTypePtr& left, const DataTypePtr& right,
                               const DataTypePtr& result) {
  Shape shape{op, left->scale(), right->scale(), result->precision(), result->scale(), false};
  bool keeps_scale = result->scale() == (op == Arithmetic::kMultiply ? left->scale() + right->scale()
                                                                     : std::max(left->scale(), right->scale()));
  int digits =
      op == Arithmetic::kMultiply
          ? left->precision() + right->precision() + 1
          : std::max(left->precision() - left->scale(), right->precision() - right->scale()) + result->scale() + 1;
  shape.narrow = op < Arithmetic::kDivide && keeps_scale && digits <= types::kMaxDecimalPrecision;
  std::shared_ptr<arrow::DataType> type = types::ToArrow(*result);
  return
      [=](const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows) -> arrow::Result<Datum> {
        if (expression::AnyNullScalar(arguments)) return Datum(arrow::MakeNullScalar(type));
        return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) {
          if (op == Arithmetic::kIntegralDivide) return RunIntegral(context, arguments, rows, shape, on_overflow);
          return Run(context, arguments, rows, shape, on_overflow, type);
        });
      };
}

}  // namespace millrace::function
