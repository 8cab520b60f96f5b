#include "function/scalar/math/strict_math.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace millrace::function {

namespace {

// ln 2 in two parts, the first with zeros behind, so that small multiples of it are exact.
constexpr double kLn2High = 6.93147180369123816490e-01;
constexpr double kLn2Low = 1.90821492927058770002e-10;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

int32_t HighWord(double x) { return static_cast<int32_t>(std::bit_cast<uint64_t>(x) >> 32); }

double WithHighWord(double x, int32_t high) {
  uint64_t low = std::bit_cast<uint64_t>(x) & 0xffffffffU;
  return std::bit_cast<double>(static_cast<uint64_t>(static_cast<uint32_t>(high)) << 32 | low);
}

// A positive finite number as 2^exponent times what is left in `x`, whose high word loses its exponent's bits.
int32_t TakeExponent(double* x) {
  int32_t exponent = 0;
  if (HighWord(*x) < 0x00100000) {  // subnormal
    exponent = -54;
    *x *= 0x1p54;
  }
  return exponent + (HighWord(*x) >> 20) - 1023;
}

}  // namespace

double StrictExp(double x) {
  constexpr double kP1 = 1.66666666666666019037e-01, kP2 = -2.77777777770155933842e-03,
                   kP3 = 6.61375632143793436117e-05, kP4 = -1.65339022054652515390e-06,
                   kP5 = 4.13813679705723846039e-08;
  if (std::isnan(x)) return x;
  if (x > 7.09782712893383973096e+02) return kInfinity;
  if (x < -7.45133219101941108420e+02) return 0;
  int32_t high = HighWord(x) & 0x7fffffff;
  bool negative = std::signbit(x);
  double hi = 0, lo = 0;
  int32_t k = 0;
  if (high > 0x3fd62e42) {  // |x| > ln 2 / 2: x = k ln 2 + hi - lo
    if (high < 0x3ff0a2b2) {
      k = negative ? -1 : 1;
    } else {
      k = static_cast<int32_t>(1.44269504088896338700e+00 * x + (negative ? -0.5 : 0.5));
    }
    hi = x - k * kLn2High;
    lo = k * kLn2Low;
    x = hi - lo;
  } else if (high < 0x3e300000) {  // |x| < 2^-28
    return 1 + x;
  }
  double t = x * x;
  double c = x - t * (kP1 + t * (kP2 + t * (kP3 + t * (kP4 + t * kP5))));
  if (k == 0) return 1 - ((x * c) / (c - 2) - x);
  double y = 1 - ((lo - (x * c) / (2 - c)) - hi);
  if (k >= -1021) return WithHighWord(y, HighWord(y) + (k << 20));
  return WithHighWord(y, HighWord(y) + ((k + 1000) << 20)) * 0x1p-1000;
}

double StrictLog(double x) {
  constexpr double kL1 = 6.666666666666735130e-01, kL2 = 3.999999999940941908e-01, kL3 = 2.857142874366239149e-01,
                   kL4 = 2.222219843214978396e-01, kL5 = 1.818357216161805012e-01, kL6 = 1.531383769920937332e-01,
                   kL7 = 1.479819860511658591e-01;
  if (x == 0) return -kInfinity;
  if (std::isnan(x) || x < 0) return std::numeric_limits<double>::quiet_NaN();
  if (std::isinf(x)) return x;
  int32_t k = TakeExponent(&x);
  int32_t fraction = HighWord(x) & 0x000fffff;
  // Between sqrt(2)/2 and sqrt(2).
  int32_t carry = (fraction + 0x95f64) & 0x100000;
  x = WithHighWord(x, fraction | (carry ^ 0x3ff00000));
  k += carry >> 20;
  double f = x - 1;
  double dk = k;
  if ((0x000fffff & (2 + fraction)) < 3) {  // |f| < 2^-20
    if (f == 0) return k == 0 ? 0 : dk * kLn2High + dk * kLn2Low;
    double rest = f * f * (0.5 - 0.33333333333333333 * f);
    return k == 0 ? f - rest : dk * kLn2High - ((rest - dk * kLn2Low) - f);
  }
  double s = f / (2 + f);
  double z = s * s;
  double w = z * z;
  double odd = w * (kL2 + w * (kL4 + w * kL6));
  double even = z * (kL1 + w * (kL3 + w * (kL5 + w * kL7)));
  double rest = even + odd;
  bool far_from_one = ((fraction - 0x6147a) | (0x6b851 - fraction)) > 0;
  if (far_from_one) {
    double half = 0.5 * f * f;
    if (k == 0) return f - (half - s * (half + rest));
    return dk * kLn2High - ((half - (s * (half + rest) + dk * kLn2Low)) - f);
  }
  if (k == 0) return f - s * (f - rest);
  return dk * kLn2High - ((s * (f - rest) - dk * kLn2Low) - f);
}

double StrictLog10(double x) {
  if (x == 0) return -kInfinity;
  if (std::isnan(x) || x < 0) return std::numeric_limits<double>::quiet_NaN();
  if (std::isinf(x)) return x;
  int32_t k = TakeExponent(&x);
  int32_t below_one = k < 0 ? 1 : 0;
  x = WithHighWord(x, (HighWord(x) & 0x000fffff) | ((0x3ff - below_one) << 20));
  double y = k + below_one;
  double z = y * 3.69423907715893078616e-13 + 4.34294481903251816668e-01 * StrictLog(x);
  return z + y * 3.01029995663611771306e-01;
}

}  // namespace millrace::function
