#include "function/scalar/math/strict_math.h"

#include <cmath>
#include <limits>

#include "function/scalar/math/double_words.h"

namespace millrace::function {

namespace {

// ln 2 in two parts, the first with zeros behind, so that small multiples of it are exact.
constexpr double kLn2High = 6.93147180369123816490e-01;
constexpr double kLn2Low = 1.90821492927058770002e-10;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

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

double StrictExpm1(double x) {
  constexpr double kQ1 = -3.33333333333331316428e-02, kQ2 = 1.58730158725481460165e-03,
                   kQ3 = -7.93650757867487942473e-05, kQ4 = 4.00821782732936239552e-06,
                   kQ5 = -2.01099218183624371326e-07;
  if (std::isnan(x)) return x;
  if (x > 7.09782712893383973096e+02) return kInfinity;
  int32_t high = HighWord(x) & 0x7fffffff;
  bool negative = std::signbit(x);
  if (high >= 0x4043687a && negative) return -1;  // below -56 ln 2
  double lost = 0;                                // of x, by taking multiples of ln 2 away
  int32_t k = 0;
  if (high > 0x3fd62e42) {  // |x| > ln 2 / 2
    if (high < 0x3ff0a2b2) {
      k = negative ? -1 : 1;
    } else {
      k = static_cast<int32_t>(1.44269504088896338700e+00 * x + (negative ? -0.5 : 0.5));
    }
    double hi = x - k * kLn2High;
    double lo = k * kLn2Low;
    x = hi - lo;
    lost = (hi - x) - lo;
  } else if (high < 0x3c900000) {  // |x| < 2^-54
    return x;
  }
  double half = 0.5 * x;
  double square = x * half;
  double r = 1 + square * (kQ1 + square * (kQ2 + square * (kQ3 + square * (kQ4 + square * kQ5))));
  double t = 3 - r * half;
  double e = square * ((r - t) / (6 - x * t));
  if (k == 0) return x - (x * e - square);
  e = x * (e - lost) - lost;
  e -= square;
  if (k == -1) return 0.5 * (x - e) - 0.5;
  if (k == 1) return x < -0.25 ? -2 * (e - (x + 0.5)) : 1 + 2 * (x - e);
  auto times_two_to_k = [k](double y) { return WithHighWord(y, HighWord(y) + (k << 20)); };
  if (k <= -2 || k > 56) {
    double y = 1 - (e - x);
    return k == 1024 ? y * 2 * 0x1p1023 - 1 : times_two_to_k(y) - 1;
  }
  if (k < 20) return times_two_to_k(FromHighWord(0x3ff00000 - (0x200000 >> k)) - (e - x));
  return times_two_to_k(x - (e + FromHighWord((0x3ff - k) << 20)) + 1);
}

double StrictLog1p(double x) {
  constexpr double kL1 = 6.666666666666735130e-01, kL2 = 3.999999999940941908e-01, kL3 = 2.857142874366239149e-01,
                   kL4 = 2.222219843214978396e-01, kL5 = 1.818357216161805012e-01, kL6 = 1.531383769920937332e-01,
                   kL7 = 1.479819860511658591e-01;
  if (std::isnan(x) || x < -1) return std::numeric_limits<double>::quiet_NaN();
  if (x == -1) return -kInfinity;
  if (std::isinf(x)) return x;
  int32_t high = HighWord(x);
  int32_t magnitude = high & 0x7fffffff;
  if (magnitude < 0x3c900000) return x;                // |x| < 2^-54
  if (magnitude < 0x3e200000) return x - x * x * 0.5;  // |x| < 2^-29
  int32_t k = 0;
  int32_t fraction = 1;
  double f = x;
  double lost = 0;                                                                     // of x, in 1 + x
  if (high >= 0x3fda827a || (high <= 0 && high > static_cast<int32_t>(0xbfd2bec3))) {  // not within -0.2929 to 0.41422
    double u = magnitude < 0x43400000 ? 1 + x : x;
    k = (HighWord(u) >> 20) - 1023;
    if (magnitude < 0x43400000) lost = (k > 0 ? 1 - (u - x) : x - (u - 1)) / u;
    fraction = HighWord(u) & 0x000fffff;
    if (fraction < 0x6a09e) {
      u = WithHighWord(u, fraction | 0x3ff00000);
    } else {
      k += 1;
      u = WithHighWord(u, fraction | 0x3fe00000);
      fraction = (0x00100000 - fraction) >> 2;
    }
    f = u - 1;
  }
  double dk = k;
  double half = 0.5 * f * f;
  if (fraction == 0) {  // |f| < 2^-20
    if (f == 0) return k == 0 ? 0 : dk * kLn2High + (lost + dk * kLn2Low);
    double rest = half * (1 - 0.66666666666666666 * f);
    return k == 0 ? f - rest : dk * kLn2High - ((rest - (dk * kLn2Low + lost)) - f);
  }
  double s = f / (2 + f);
  double z = s * s;
  double rest = z * (kL1 + z * (kL2 + z * (kL3 + z * (kL4 + z * (kL5 + z * (kL6 + z * kL7))))));
  if (k == 0) return f - (half - s * (half + rest));
  return dk * kLn2High - ((half - (s * (half + rest) + (dk * kLn2Low + lost))) - f);
}

namespace {

// exp(|x|) / 2 where the exponential itself may be beyond the largest number.
double HalfExp(double magnitude) {
  if (HighWord(magnitude) < 0x40862e42) return 0.5 * StrictExp(magnitude);
  double root = StrictExp(0.5 * magnitude);
  return 0.5 * root * root;
}

}  // namespace

double StrictSinh(double x) {
  if (!std::isfinite(x)) return x + x;
  double magnitude = std::fabs(x);
  int32_t high = HighWord(magnitude);
  double half = std::signbit(x) ? -0.5 : 0.5;
  if (high < 0x3e300000) return x;  // below 2^-28
  if (high < 0x40360000) {          // below 22
    double t = StrictExpm1(magnitude);
    return high < 0x3ff00000 ? half * (2 * t - t * t / (t + 1)) : half * (t + t / (t + 1));
  }
  return std::copysign(HalfExp(magnitude), x);
}

double StrictCosh(double x) {
  if (!std::isfinite(x)) return x * x;
  double magnitude = std::fabs(x);
  int32_t high = HighWord(magnitude);
  if (high < 0x3fd62e43) {  // below ln 2 / 2
    double t = StrictExpm1(magnitude);
    double w = 1 + t;
    return high < 0x3c800000 ? w : 1 + (t * t) / (w + w);
  }
  if (high < 0x40360000) {  // below 22
    double t = StrictExp(magnitude);
    return 0.5 * t + 0.5 / t;
  }
  return HalfExp(magnitude);
}

double StrictTanh(double x) {
  if (std::isnan(x)) return x;
  double magnitude = std::fabs(x);
  int32_t high = HighWord(magnitude);
  if (high < 0x3c800000) return x * (1 + x);  // below 2^-55
  double z = 1;
  if (high < 0x3ff00000) {
    double t = StrictExpm1(-2 * magnitude);
    z = -t / (t + 2);
  } else if (high < 0x40360000) {  // below 22
    double t = StrictExpm1(2 * magnitude);
    z = 1 - 2 / (t + 2);
  }
  return std::copysign(z, x);
}

double StrictAsinh(double x) {
  constexpr double kLn2 = 6.93147180559945286227e-01;
  double magnitude = std::fabs(x);
  double square = x * x;
  double z = magnitude;
  if (magnitude > 0x1p28 && std::isfinite(x)) {
    z = StrictLog(magnitude) + kLn2;
  } else if (magnitude > 2 && std::isfinite(x)) {
    z = StrictLog(2 * magnitude + 1 / (std::sqrt(square + 1) + magnitude));
  } else if (magnitude >= 0x1p-28 && magnitude <= 2) {
    z = StrictLog1p(magnitude + square / (1 + std::sqrt(1 + square)));
  }
  return std::copysign(z, x);
}

double StrictAcosh(double x) {
  constexpr double kLn2 = 6.93147180559945286227e-01;
  if (std::isnan(x) || x < 1) return std::numeric_limits<double>::quiet_NaN();
  if (std::isinf(x)) return x;
  if (x > 0x1p28) return StrictLog(x) + kLn2;
  if (x > 2) return StrictLog(2 * x - 1 / (x + std::sqrt(x * x - 1)));
  double t = x - 1;
  return StrictLog1p(t + std::sqrt(2 * t + t * t));
}

double StrictAtanh(double x) { return 0.5 * (StrictLog1p(x) - StrictLog1p(-x)); }

}  // namespace millrace::function
