#include <cmath>
#include <limits>

#include "function/scalar/math/double_words.h"
#include "function/scalar/math/strict_math.h"

namespace millrace::function {

namespace {

constexpr double kPi = 3.14159265358979311600e+00;
constexpr double kPiLow = 1.2246467991473531772e-16;
constexpr double kHalfPi = 1.57079632679489655800e+00;
constexpr double kHalfPiLow = 6.12323399573676603587e-17;
constexpr double kQuarterPi = 7.85398163397448278999e-01;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// (asin(x) - x) / x for t = x * x, |x| <= 0.5.
double AsinRest(double t) {
  double p = t * (1.66666666666666657415e-01 +
                  t * (-3.25565818622400915405e-01 +
                       t * (2.01212532134862925881e-01 +
                            t * (-4.00555345006794114027e-02 +
                                 t * (7.91534994289814532176e-04 + t * 3.47933107596021167570e-05)))));
  double q =
      1 + t * (-2.40339491173441421878e+00 +
               t * (2.02094576023350569471e+00 + t * (-6.88283971605453293030e-01 + t * 7.70381505559019352791e-02)));
  return p / q;
}

}  // namespace

double StrictAsin(double x) {
  double magnitude = std::fabs(x);
  if (!(magnitude <= 1)) return kNaN;
  if (magnitude == 1) return x * kHalfPi + x * kHalfPiLow;
  int32_t high = HighWord(magnitude);
  if (high < 0x3e400000) return x;  // below 2^-27
  if (high < 0x3fe00000) return x + x * AsinRest(x * x);
  double t = (1 - magnitude) * 0.5;
  double rest = AsinRest(t);
  double s = std::sqrt(t);
  if (high >= 0x3fef3333) {  // above 0.975
    t = kHalfPi - (2 * (s + s * rest) - kHalfPiLow);
  } else {
    double w = WithoutLowWord(s);
    double c = (t - w * w) / (s + w);
    double p = 2 * s * rest - (kHalfPiLow - 2 * c);
    double q = kQuarterPi - 2 * w;
    t = kQuarterPi - (p - q);
  }
  return std::copysign(t, x);
}

double StrictAcos(double x) {
  double magnitude = std::fabs(x);
  if (!(magnitude <= 1)) return kNaN;
  if (magnitude == 1) return x > 0 ? 0 : kPi + 2 * kHalfPiLow;
  int32_t high = HighWord(magnitude);
  if (high <= 0x3c600000) return kHalfPi + kHalfPiLow;
  if (high < 0x3fe00000) return kHalfPi - (x - (kHalfPiLow - x * AsinRest(x * x)));
  double z = (1 - magnitude) * 0.5;
  double s = std::sqrt(z);
  double rest = AsinRest(z);
  if (x < 0) return kPi - 2 * (s + (rest * s - kHalfPiLow));
  double df = WithoutLowWord(s);
  double c = (z - df * df) / (s + df);
  return 2 * (df + (rest * s + c));
}

double StrictAtan(double x) {
  // Of 0.5, 1, 1.5 and infinity, each with what its double leaves out.
  constexpr double kHigh[] = {4.63647609000806093515e-01, 7.85398163397448278999e-01, 9.82793723247329054082e-01,
                              1.57079632679489655800e+00};
  constexpr double kLow[] = {2.26987774529616870924e-17, 3.06161699786838301793e-17, 1.39033110312309984516e-17,
                             6.12323399573676603587e-17};
  constexpr double kT[] = {3.33333333333329318027e-01,  -1.99999999998764832476e-01, 1.42857142725034663711e-01,
                           -1.11111104054623557880e-01, 9.09088713343650656196e-02,  -7.69187620504482999495e-02,
                           6.66107313738753120669e-02,  -5.83357013379057348645e-02, 4.97687799461593236017e-02,
                           -3.65315727442169155270e-02, 1.62858201153657823623e-02};
  if (std::isnan(x)) return x;
  double sign = x;
  int32_t high = HighWord(x) & 0x7fffffff;
  if (high >= 0x44100000) return std::copysign(kHigh[3] + kLow[3], x);  // from 2^66
  if (high < 0x3e200000) return x;                                      // below 2^-29
  int near = -1;
  if (high >= 0x3fdc0000) {  // 0.4375
    x = std::fabs(x);
    if (high < 0x3fe60000) {  // 11/16
      near = 0;
      x = (2 * x - 1) / (2 + x);
    } else if (high < 0x3ff30000) {  // 19/16
      near = 1;
      x = (x - 1) / (x + 1);
    } else if (high < 0x40038000) {  // 39/16
      near = 2;
      x = (x - 1.5) / (1 + 1.5 * x);
    } else {
      near = 3;
      x = -1 / x;
    }
  }
  double z = x * x;
  double w = z * z;
  double odd = z * (kT[0] + w * (kT[2] + w * (kT[4] + w * (kT[6] + w * (kT[8] + w * kT[10])))));
  double even = w * (kT[1] + w * (kT[3] + w * (kT[5] + w * (kT[7] + w * kT[9]))));
  if (near < 0) return x - x * (odd + even);
  return std::copysign(kHigh[near] - ((x * (odd + even) - kLow[near]) - x), sign);
}

double StrictAtan2(double y, double x) {
  if (std::isnan(x) || std::isnan(y)) return kNaN;
  if (x == 1) return StrictAtan(y);
  bool left = std::signbit(x);
  if (y == 0) return left ? std::copysign(kPi, y) : y;
  if (x == 0) return std::copysign(kHalfPi, y);
  if (std::isinf(x) && std::isinf(y)) return std::copysign(left ? 3 * kQuarterPi : kQuarterPi, y);
  if (std::isinf(x)) return std::copysign(left ? kPi : 0.0, y);
  if (std::isinf(y)) return std::copysign(kHalfPi, y);
  int32_t k = ((HighWord(y) & 0x7fffffff) - (HighWord(x) & 0x7fffffff)) >> 20;
  double z = 0;
  if (k > 60) {
    z = kHalfPi + 0.5 * kPiLow;
  } else if (!left || k >= -60) {
    z = StrictAtan(std::fabs(y / x));
  }
  if (!left) return std::copysign(z, y);
  return std::signbit(y) ? (z - kPiLow) - kPi : kPi - (z - kPiLow);
}

}  // namespace millrace::function
