#include "function/scalar/math/rounding.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string>

namespace millrace::function {

double RoundDouble(double value, int32_t scale, Rounding rounding) {
  if (!std::isfinite(value) || value == 0) return value;
  bool negative = value < 0;
  std::array<char, 40> buffer;
  char* end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::fabs(value), std::chars_format::scientific).ptr;
  std::string digits;
  const char* p = buffer.data();
  for (; p != end && *p != 'e'; ++p) {
    if (*p != '.') digits += *p;
  }
  int exponent = 0;
  ++p;
  if (*p == '+') ++p;
  std::from_chars(p, end, exponent);
  // Digit k stands for 10^(exponent - k); kept are those down to 10^-scale.
  int64_t kept = int64_t{exponent} + 1 + scale;
  if (kept >= static_cast<int64_t>(digits.size())) return value;
  char next = kept >= 0 ? digits[static_cast<size_t>(kept)] : '0';
  bool rest = kept < 0 || digits.find_first_not_of('0', static_cast<size_t>(kept) + 1) != std::string::npos;
  bool any = rest || next != '0';
  digits.resize(kept > 0 ? static_cast<size_t>(kept) : 0);
  bool odd = !digits.empty() && (digits.back() & 1) != 0;
  bool up = false;
  switch (rounding) {
    case Rounding::kHalfUp:
      up = next >= '5';
      break;
    case Rounding::kHalfEven:
      up = next > '5' || (next == '5' && (rest || odd));
      break;
    case Rounding::kCeiling:
      up = any && !negative;
      break;
    case Rounding::kFloor:
      up = any && negative;
      break;
  }
  if (up) {
    size_t i = digits.size();
    while (i > 0 && digits[i - 1] == '9') digits[--i] = '0';
    if (i > 0) {
      ++digits[i - 1];
    } else {
      digits.insert(digits.begin(), '1');
    }
  }
  if (digits.empty()) return negative ? -0.0 : 0.0;
  digits += "e" + std::to_string(-scale);
  double result = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), result);
  return negative ? -result : result;
}

}  // namespace millrace::function
