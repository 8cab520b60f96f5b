#include "millrace/functions/math.h"

#include "api/functions/arguments.h"

namespace millrace::functions {

using api::Arguments;
using api::Optional;

Column Abs(const Column& value) { return Call("abs", {value}); }
Column Acos(const Column& value) { return Call("acos", {value}); }
Column Acosh(const Column& value) { return Call("acosh", {value}); }
Column Asin(const Column& value) { return Call("asin", {value}); }
Column Asinh(const Column& value) { return Call("asinh", {value}); }
Column Atan2(const Column& first, const Column& second) { return Call("atan2", {first, second}); }
Column Atan(const Column& value) { return Call("atan", {value}); }
Column Atanh(const Column& value) { return Call("atanh", {value}); }
Column Bin(const Column& value) { return Call("bin", {value}); }
Column BitCount(const Column& value) { return Call("bit_count", {value}); }
Column BitGet(const Column& value, const Column& position) { return Call("bit_get", {value, position}); }
Column BitmapBitPosition(const Column& value) { return Call("bitmap_bit_position", {value}); }
Column BitmapBucketNumber(const Column& value) { return Call("bitmap_bucket_number", {value}); }
Column BitmapCount(const Column& value) { return Call("bitmap_count", {value}); }
Column BitwiseNot(const Column& value) { return Call("~", {value}); }
Column BRound(const Column& value, const std::optional<ColumnOrNumber>& scale) {
  return Call("bround", Arguments({value}, Optional(scale)));
}
Column Cbrt(const Column& value) { return Call("cbrt", {value}); }
Column Ceil(const Column& value, const std::optional<ColumnOrNumber>& scale) {
  return Call("ceil", Arguments({value}, Optional(scale)));
}
Column Conv(const Column& value, int32_t from_base, int32_t to_base) {
  return Call("conv", {value, Lit(from_base), Lit(to_base)});
}
Column Cos(const Column& value) { return Call("cos", {value}); }
Column Cosh(const Column& value) { return Call("cosh", {value}); }
Column Cot(const Column& value) { return Call("cot", {value}); }
Column Csc(const Column& value) { return Call("csc", {value}); }
Column Degrees(const Column& value) { return Call("degrees", {value}); }
Column E() { return Call("e", {}); }
Column Exp(const Column& value) { return Call("exp", {value}); }
Column ExpM1(const Column& value) { return Call("expm1", {value}); }
Column Factorial(const Column& value) { return Call("factorial", {value}); }
Column Floor(const Column& value, const std::optional<ColumnOrNumber>& scale) {
  return Call("floor", Arguments({value}, Optional(scale)));
}
Column Greatest(const std::vector<Column>& values) { return Call("greatest", values); }
Column Hex(const Column& value) { return Call("hex", {value}); }
Column Hypot(const Column& first, const Column& second) { return Call("hypot", {first, second}); }
Column Least(const std::vector<Column>& values) { return Call("least", values); }
Column Ln(const Column& value) { return Call("ln", {value}); }
Column Log10(const Column& value) { return Call("log10", {value}); }
Column Log1P(const Column& value) { return Call("log1p", {value}); }
Column Log2(const Column& value) { return Call("log2", {value}); }
Column Log(const Column& value) { return Call("ln", {value}); }
Column Log(double base, const Column& value) { return Call("log", {Lit(base), value}); }
Column Negative(const Column& value) { return Call("negative", {value}); }
Column Pi() { return Call("pi", {}); }
Column Pmod(const Column& dividend, const Column& divisor) { return Call("pmod", {dividend, divisor}); }
Column Positive(const Column& value) { return Call("positive", {value}); }
Column Power(const Column& first, const Column& second) { return Call("power", {first, second}); }
Column Pow(const Column& first, const Column& second) { return Call("pow", {first, second}); }
Column Radians(const Column& value) { return Call("radians", {value}); }
Column Randn(std::optional<int64_t> seed) { return Call("randn", Arguments({}, Optional(seed))); }
Column Rand(std::optional<int64_t> seed) { return Call("rand", Arguments({}, Optional(seed))); }
Column Rint(const Column& value) { return Call("rint", {value}); }
Column Round(const Column& value, const std::optional<ColumnOrNumber>& scale) {
  return Call("round", Arguments({value}, Optional(scale)));
}
Column Sec(const Column& value) { return Call("sec", {value}); }
Column ShiftLeft(const Column& value, int32_t num_bits) { return Call("shiftleft", {value, Lit(num_bits)}); }
Column ShiftRight(const Column& value, int32_t num_bits) { return Call("shiftright", {value, Lit(num_bits)}); }
Column ShiftRightUnsigned(const Column& value, int32_t num_bits) {
  return Call("shiftrightunsigned", {value, Lit(num_bits)});
}
Column Signum(const Column& value) { return Call("signum", {value}); }
Column Sinh(const Column& value) { return Call("sinh", {value}); }
Column Sin(const Column& value) { return Call("sin", {value}); }
Column Sqrt(const Column& value) { return Call("sqrt", {value}); }
Column Tanh(const Column& value) { return Call("tanh", {value}); }
Column Tan(const Column& value) { return Call("tan", {value}); }
Column TryAdd(const Column& left, const Column& right) { return Call("try_add", {left, right}); }
Column TryDivide(const Column& left, const Column& right) { return Call("try_divide", {left, right}); }
Column TryMod(const Column& left, const Column& right) { return Call("try_mod", {left, right}); }
Column TryMultiply(const Column& left, const Column& right) { return Call("try_multiply", {left, right}); }
Column TrySubtract(const Column& left, const Column& right) { return Call("try_subtract", {left, right}); }
Column Unhex(const Column& value) { return Call("unhex", {value}); }
Column Uniform(const ColumnOrNumber& min, const ColumnOrNumber& max, const std::optional<ColumnOrNumber>& seed) {
  return Call("uniform", Arguments({min.column(), max.column()}, Optional(seed)));
}
Column WidthBucket(const Column& value, const Column& min, const Column& max, const ColumnOrNumber& num_bucket) {
  return Call("width_bucket", {value, min, max, num_bucket.column()});
}

}  // namespace millrace::functions
