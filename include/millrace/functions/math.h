#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "millrace/column.h"

/// Numbers and their bits.
/// Arguments that are `Column` take a column's name too. NULL in gives NULL out unless said otherwise. Source: Spark's
/// functions.
namespace millrace::functions {

/// The number or interval without its sign.
Column Abs(const Column& value);
/// Inverse cosine.
Column Acos(const Column& value);
/// Inverse hyperbolic cosine.
Column Acosh(const Column& value);
/// Inverse sine.
Column Asin(const Column& value);
/// Inverse hyperbolic sine.
Column Asinh(const Column& value);
/// Angle of the point (x, y) as atan2(y, x).
Column Atan2(const Column& first, const Column& second);
/// Inverse tangent.
Column Atan(const Column& value);
/// Inverse hyperbolic tangent.
Column Atanh(const Column& value);
/// The binary digits of a whole number.
Column Bin(const Column& value);
/// Number of bits set.
Column BitCount(const Column& value);
/// The bit at a position, from 0 at the right.
Column BitGet(const Column& value, const Column& position);
/// Position of a number's bit in its bitmap.
Column BitmapBitPosition(const Column& value);
/// Number of the bitmap that holds a number's bit.
Column BitmapBucketNumber(const Column& value);
/// Number of bits set in a bitmap.
Column BitmapCount(const Column& value);
/// The bits turned over.
Column BitwiseNot(const Column& value);
/// The number at so many decimal places, halves to the even digit.
Column BRound(const Column& value, const std::optional<ColumnOrNumber>& scale = {});
/// Cube root.
Column Cbrt(const Column& value);
/// The smallest whole number that is not less.
Column Ceil(const Column& value, const std::optional<ColumnOrNumber>& scale = {});
/// A number's digits in another base.
Column Conv(const Column& value, int32_t from_base, int32_t to_base);
/// Cosine.
Column Cos(const Column& value);
/// Hyperbolic cosine.
Column Cosh(const Column& value);
/// Cotangent.
Column Cot(const Column& value);
/// Cosecant.
Column Csc(const Column& value);
/// Radians to degrees.
Column Degrees(const Column& value);
/// Euler's number.
Column E();
/// e to the power of the number.
Column Exp(const Column& value);
/// exp(x) - 1, exact near zero.
Column ExpM1(const Column& value);
/// Factorial of 0 … 20, else NULL.
Column Factorial(const Column& value);
/// The largest whole number that is not greater.
Column Floor(const Column& value, const std::optional<ColumnOrNumber>& scale = {});
/// The greatest of the values that are not NULL.
Column Greatest(const std::vector<Column>& values);
/// A number or the bytes in hexadecimal.
Column Hex(const Column& value);
/// Square root of the sum of squares.
Column Hypot(const Column& first, const Column& second);
/// The least of the values that are not NULL.
Column Least(const std::vector<Column>& values);
/// Natural logarithm; NULL for numbers that are not positive.
Column Ln(const Column& value);
/// Logarithm of base 10.
Column Log10(const Column& value);
/// ln(1 + x), exact near zero.
Column Log1P(const Column& value);
/// Logarithm of base 2.
Column Log2(const Column& value);
/// Natural logarithm.
Column Log(const Column& value);
/// Logarithm to a base.
Column Log(double base, const Column& value);
/// The number or interval with the other sign.
Column Negative(const Column& value);
/// The number pi.
Column Pi();
/// Remainder with the sign of the divisor.
Column Pmod(const Column& dividend, const Column& divisor);
/// The number or interval itself.
Column Positive(const Column& value);
/// The first number to the power of the second.
Column Power(const Column& first, const Column& second);
/// As Power.
Column Pow(const Column& first, const Column& second);
/// Degrees to radians.
Column Radians(const Column& value);
/// A random number of the standard normal distribution for each row.
Column Randn(std::optional<int64_t> seed = {});
/// A random number in [0, 1) for each row.
Column Rand(std::optional<int64_t> seed = {});
/// The nearest whole number, the even one of two, as a double.
Column Rint(const Column& value);
/// The number at so many decimal places, halves away from zero.
Column Round(const Column& value, const std::optional<ColumnOrNumber>& scale = {});
/// Secant.
Column Sec(const Column& value);
/// The number shifted left by so many bits.
Column ShiftLeft(const Column& value, int32_t num_bits);
/// The number shifted right by so many bits, keeping its sign.
Column ShiftRight(const Column& value, int32_t num_bits);
/// The number shifted right by so many bits, filling with zeros.
Column ShiftRightUnsigned(const Column& value, int32_t num_bits);
/// -1.0, 0.0 or 1.0, as the number or interval is negative, zero or positive.
Column Signum(const Column& value);
/// Hyperbolic sine.
Column Sinh(const Column& value);
/// Sine.
Column Sin(const Column& value);
/// Square root.
Column Sqrt(const Column& value);
/// Hyperbolic tangent.
Column Tanh(const Column& value);
/// Tangent.
Column Tan(const Column& value);
/// Sum, or NULL on overflow.
Column TryAdd(const Column& left, const Column& right);
/// Quotient, or NULL when the divisor is zero.
Column TryDivide(const Column& left, const Column& right);
/// Remainder, or NULL when the divisor is zero.
Column TryMod(const Column& left, const Column& right);
/// Product, or NULL on overflow.
Column TryMultiply(const Column& left, const Column& right);
/// Difference, or NULL on overflow.
Column TrySubtract(const Column& left, const Column& right);
/// The bytes of a hexadecimal text; NULL when it is none.
Column Unhex(const Column& value);
/// A random number between two numbers for each row.
Column Uniform(const ColumnOrNumber& min, const ColumnOrNumber& max, const std::optional<ColumnOrNumber>& seed = {});
/// Number of the bucket of equal width that holds a value.
Column WidthBucket(const Column& value, const Column& min, const Column& max, const ColumnOrNumber& num_bucket);

}  // namespace millrace::functions
