#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "function/scalar/math/double_words.h"
#include "function/scalar/math/strict_math.h"

namespace millrace::function {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// A number in two parts, the first with half the digits.
struct Parts {
  double high;
  double low;
};

// log2 of a positive finite number that is near 1.
Parts Log2NearOne(double x) {
  constexpr double kInvLn2 = 1.44269504088896338700e+00, kInvLn2High = 1.44269502162933349609e+00,
                   kInvLn2Low = 1.92596299112661746887e-08;
  double t = x - 1;
  double w = (t * t) * (0.5 - t * (0.3333333333333333333333 - t * 0.25));
  double u = kInvLn2High * t;
  double v = t * kInvLn2Low - w * kInvLn2;
  double high = WithoutLowWord(u + v);
  return {high, v - (high - u)};
}

// log2 of a positive finite number.
Parts Log2(double x) {
  constexpr double kL1 = 5.99999999999994648725e-01, kL2 = 4.28571428578550184252e-01, kL3 = 3.33333329818377432918e-01,
                   kL4 = 2.72728123808534006489e-01, kL5 = 2.30660745775561754067e-01, kL6 = 2.06975017800338417784e-01;
  constexpr double kCp = 9.61796693925975554329e-01, kCpHigh = 9.61796700954437255859e-01,  // 2 / (3 ln 2)
      kCpLow = -7.02846165095275826516e-09;
  constexpr double kBase[] = {1, 1.5};
  constexpr double kLog2BaseHigh[] = {0, 5.84962487220764160156e-01};
  constexpr double kLog2BaseLow[] = {0, 1.35003920212974897128e-08};
  int32_t n = 0;
  if (HighWord(x) < 0x00100000) {
    x *= 0x1p53;
    n -= 53;
  }
  n += (HighWord(x) >> 20) - 0x3ff;
  int32_t fraction = HighWord(x) & 0x000fffff;
  int32_t high = fraction | 0x3ff00000;
  int k = 0;
  if (fraction > 0x3988e && fraction < 0xbb67a) {
    k = 1;
  } else if (fraction >= 0xbb67a) {
    n += 1;
    high -= 0x00100000;
  }
  x = WithHighWord(x, high);
  double u = x - kBase[k];
  double v = 1 / (x + kBase[k]);
  double s = u * v;
  double s_high = WithoutLowWord(s);
  double t_high = FromHighWord(((high >> 1) | 0x20000000) + 0x00080000 + (k << 18));
  double t_low = x - (t_high - kBase[k]);
  double s_low = v * ((u - s_high * t_high) - s_high * t_low);
  double s2 = s * s;
  double r = s2 * s2 * (kL1 + s2 * (kL2 + s2 * (kL3 + s2 * (kL4 + s2 * (kL5 + s2 * kL6)))));
  r += s_low * (s_high + s);
  s2 = s_high * s_high;
  t_high = WithoutLowWord(3 + s2 + r);
  t_low = r - ((t_high - 3) - s2);
  u = s_high * t_high;
  v = s_low * t_high + t_low * s;
  double p_high = WithoutLowWord(u + v);
  double p_low = v - (p_high - u);
  double z_high = kCpHigh * p_high;
  double z_low = kCpLow * p_high + p_low * kCp + kLog2BaseLow[k];
  double dn = n;
  double t1 = WithoutLowWord(((z_high + z_low) + kLog2BaseHigh[k]) + dn);
  return {t1, z_low - (((t1 - dn) - kLog2BaseHigh[k]) - z_high)};
}

// 2 to the power of high + low.
double Exp2(double high, double low) {
  constexpr double kP1 = 1.66666666666666019037e-01, kP2 = -2.77777777770155933842e-03,
                   kP3 = 6.61375632143793436117e-05, kP4 = -1.65339022054652515390e-06,
                   kP5 = 4.13813679705723846039e-08;
  constexpr double kLn2 = 6.93147180559945286227e-01, kLn2High = 6.93147182464599609375e-01,
                   kLn2Low = -1.90465429995776804525e-09;
  constexpr double kBeforeOverflow = 8.0085662595372944372e-0017;
  double z = low + high;
  if (z >= 1024) {
    if (z > 1024 || low + kBeforeOverflow > z - high) return kInfinity;
  } else if (z <= -1075) {
    if (z < -1075 || low <= z - high) return 0;
  }
  int32_t word = HighWord(z);
  int32_t n = 0;
  if ((word & 0x7fffffff) > 0x3fe00000) {  // more than a half: the whole part goes to the exponent
    int32_t k = ((word & 0x7fffffff) >> 20) - 0x3ff;
    n = word + (0x00100000 >> (k + 1));
    k = ((n & 0x7fffffff) >> 20) - 0x3ff;
    high -= FromHighWord(n & ~(0x000fffff >> k));
    n = ((n & 0x000fffff) | 0x00100000) >> (20 - k);
    if (word < 0) n = -n;
  }
  double t = WithoutLowWord(low + high);
  double u = t * kLn2High;
  double v = (low - (t - high)) * kLn2 + t * kLn2Low;
  z = u + v;
  double w = v - (z - u);
  t = z * z;
  double t1 = z - t * (kP1 + t * (kP2 + t * (kP3 + t * (kP4 + t * kP5))));
  double r = (z * t1) / (t1 - 2) - (w + z * w);
  return std::ldexp(1 - (r - z), n);
}

// What needs no logarithm.
std::optional<double> PlainPow(double x, double y) {
  if (y == 0) return 1;
  if (std::isnan(x) || std::isnan(y)) return kNaN;
  if (y == 2) return x * x;
  if (y == 1) return x;
  if (y == -1) return 1 / x;
  if (y == 0.5 && x != -kInfinity) return std::sqrt(x + 0.0);
  double magnitude = std::fabs(x);
  if (std::isinf(y)) {
    if (magnitude == 1) return kNaN;
    return (magnitude > 1) == (y > 0) ? kInfinity : 0.0;
  }
  bool whole = std::trunc(y) == y;
  if (magnitude == 0 || magnitude == 1 || std::isinf(x)) {
    double z = y < 0 ? 1 / magnitude : magnitude;
    if (!std::signbit(x)) return z;
    if (magnitude == 1 && !whole) return kNaN;
    return whole && std::fmod(y, 2) != 0 ? -z : z;
  }
  if (x < 0 && !whole) return kNaN;
  return std::nullopt;
}

}  // namespace

double StrictPow(double x, double y) {
  if (auto plain = PlainPow(x, y)) return *plain;
  double sign = x < 0 && std::fmod(y, 2) != 0 ? -1 : 1;
  double magnitude = std::fabs(x);
  int32_t high = HighWord(magnitude);
  Parts log{};
  if ((HighWord(y) & 0x7fffffff) > 0x41e00000) {  // |y| > 2^31: only what is near 1 has a power within bounds
    if (high < 0x3fefffff) return sign * (y < 0 ? kInfinity : 0);
    if (high > 0x3ff00000) return sign * (y > 0 ? kInfinity : 0);
    if ((HighWord(y) & 0x7fffffff) > 0x43f00000) return (high <= 0x3fefffff) == (y < 0) ? kInfinity : 0;
    log = Log2NearOne(magnitude);
  } else {
    log = Log2(magnitude);
  }
  double y_high = WithoutLowWord(y);
  double low = (y - y_high) * log.high + y * log.low;
  return sign * Exp2(y_high * log.high, low);
}

double StrictCbrt(double x) {
  constexpr double kC = 5.42857142857142815906e-01, kD = -7.05306122448979611050e-01, kE = 1.41428571428571436819e+00,
                   kF = 1.60714285714285720630e+00, kG = 3.57142857142857150787e-01;
  if (x == 0 || !std::isfinite(x)) return x;
  double magnitude = std::fabs(x);
  double t = 0;
  if (HighWord(magnitude) < 0x00100000) {
    t = FromHighWord(HighWord(0x1p54 * magnitude) / 3 + 696219795);
  } else {
    t = FromHighWord(HighWord(magnitude) / 3 + 715094163);
  }
  double r = t * t / magnitude;  // to 23 bits
  double s = kC + r * t;
  t *= kG + kF / (s + kE + kD / s);
  t = FromHighWord(HighWord(t) + 1);  // to 20 bits, above the root
  s = t * t;
  r = magnitude / s;
  double w = t + t;
  r = (r - t) / (w + r);
  return std::copysign(t + t * r, x);
}

double StrictHypot(double x, double y) {
  double a = std::fabs(x);
  double b = std::fabs(y);
  if (std::isinf(a) || std::isinf(b)) return kInfinity;
  if (std::isnan(a) || std::isnan(b)) return kNaN;
  if (HighWord(b) > HighWord(a)) std::swap(a, b);
  if (HighWord(a) - HighWord(b) > 0x3c00000) return a + b;  // a / b > 2^60
  int k = 0;
  if (HighWord(a) > 0x5f300000) {  // above 2^500
    a *= 0x1p-600;
    b *= 0x1p-600;
    k = 600;
  }
  if (HighWord(b) < 0x20b00000) {  // below 2^-500
    if (b == 0) return a;
    int up = HighWord(b) <= 0x000fffff ? 1022 : 600;
    a = std::ldexp(a, up);
    b = std::ldexp(b, up);
    k -= up;
  }
  double w = a - b;
  if (w > b) {
    double t1 = FromHighWord(HighWord(a));
    double t2 = a - t1;
    w = std::sqrt(t1 * t1 - (b * (-b) - t2 * (a + t1)));
  } else {
    double y1 = FromHighWord(HighWord(b));
    double y2 = b - y1;
    double t1 = FromHighWord(HighWord(a) + 0x00100000);
    double t2 = (a + a) - t1;
    w = std::sqrt(t1 * y1 - (w * (-w) - (t1 * y2 + t2 * b)));
  }
  return std::ldexp(w, k);
}

}  // namespace millrace::function
