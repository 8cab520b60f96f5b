#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "types/number_text.h"

namespace millrace::types {

namespace {

using Wide = unsigned __int128;

Wide PowerOfTen(int exponent) {
  static const std::array<Wide, 39> powers = [] {
    std::array<Wide, 39> made{};
    made[0] = 1;
    for (size_t i = 1; i < made.size(); ++i) made[i] = made[i - 1] * 10;
    return made;
  }();
  return powers[static_cast<size_t>(exponent)];
}

Wide Magnitude(const arrow::Decimal128& value) {
  arrow::Decimal128 positive = value;
  positive.Abs();
  return (static_cast<Wide>(static_cast<uint64_t>(positive.high_bits())) << 64) | positive.low_bits();
}

arrow::Decimal128 Signed(bool negative, Wide magnitude) {
  arrow::Decimal128 value(static_cast<int64_t>(static_cast<uint64_t>(magnitude >> 64)),
                          static_cast<uint64_t>(magnitude));
  if (negative) value.Negate();
  return value;
}

struct DigitText {
  std::array<char, 40> text;
  size_t begin = 40;
  std::string_view view() const { return {text.data() + begin, text.size() - begin}; }
};

DigitText Unscaled(Wide magnitude) {
  DigitText digits;
  do {
    digits.text[--digits.begin] = static_cast<char>('0' + static_cast<int>(magnitude % 10));
    magnitude /= 10;
  } while (magnitude != 0);
  return digits;
}

void AppendFixedPoint(std::string_view digits, int scale, std::string* out) {
  auto fraction = static_cast<size_t>(scale);
  if (digits.size() > fraction) {
    out->append(digits.substr(0, digits.size() - fraction));
  } else {
    *out += '0';
  }
  if (fraction == 0) return;
  *out += '.';
  if (digits.size() < fraction) out->append(fraction - digits.size(), '0');
  out->append(digits.substr(digits.size() - std::min(digits.size(), fraction)));
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

struct ScannedNumber {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  int64_t exponent = 0;
};

bool Scan(std::string_view text, ScannedNumber* number) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    number->negative = text[0] == '-';
    text.remove_prefix(1);
  }
  size_t i = 0;
  while (i < text.size() && IsDigit(text[i])) ++i;
  number->whole = text.substr(0, i);
  if (i < text.size() && text[i] == '.') {
    size_t first = ++i;
    while (i < text.size() && IsDigit(text[i])) ++i;
    number->fraction = text.substr(first, i - first);
  }
  if (number->whole.empty() && number->fraction.empty()) return false;
  if (i == text.size()) return true;
  if (text[i] != 'e' && text[i] != 'E') return false;
  ++i;
  if (i + 1 < text.size() && text[i] == '+' && IsDigit(text[i + 1])) ++i;
  int32_t exponent = 0;
  auto [end, error] = std::from_chars(text.data() + i, text.data() + text.size(), exponent);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  number->exponent = exponent;
  return true;
}

}  // namespace

DecimalParse ParseDecimal(std::string_view text, int precision, int scale, arrow::Decimal128* value) {
  ScannedNumber number;
  if (!Scan(text, &number)) return DecimalParse::kMalformed;
  // Digit k of whole+fraction stands for 10^(weight - k).
  int64_t weight = static_cast<int64_t>(number.whole.size()) - 1 + number.exponent;
  Wide magnitude = 0;
  bool seen = false;
  bool round_up = false;
  int64_t lowest = weight + 1;  // weight of the last digit taken
  auto take = [&](char c) -> DecimalParse {
    int64_t w = weight--;
    auto digit = static_cast<unsigned>(c - '0');
    if (!seen && digit == 0) return DecimalParse::kOk;
    if (!seen && w >= 38) return DecimalParse::kTooManyDigits;
    seen = true;
    if (w < -scale) {
      if (w == -scale - 1) round_up = digit >= 5;
      return DecimalParse::kOk;
    }
    if (magnitude >= PowerOfTen(37)) return DecimalParse::kOutOfRange;
    magnitude = magnitude * 10 + digit;
    lowest = w;
    return DecimalParse::kOk;
  };
  for (std::string_view part : {number.whole, number.fraction}) {
    for (char c : part) {
      DecimalParse outcome = take(c);
      if (outcome != DecimalParse::kOk) return outcome;
    }
  }
  if (magnitude != 0) {
    int64_t missing = lowest + scale;
    if (missing > 0) {
      if (missing > 38 || magnitude > PowerOfTen(38) / PowerOfTen(static_cast<int>(missing))) {
        return DecimalParse::kOutOfRange;
      }
      magnitude *= PowerOfTen(static_cast<int>(missing));
    }
  }
  if (round_up) ++magnitude;
  if (magnitude >= PowerOfTen(precision)) return DecimalParse::kOutOfRange;
  *value = Signed(number.negative, magnitude);
  return DecimalParse::kOk;
}

void AppendDecimalPlain(const arrow::Decimal128& value, int scale, std::string* out) {
  if (value.high_bits() < 0) *out += '-';
  DigitText digits = Unscaled(Magnitude(value));
  AppendFixedPoint(digits.view(), scale, out);
}

void AppendDecimal(const arrow::Decimal128& value, int scale, std::string* out) {
  DigitText digits = Unscaled(Magnitude(value));
  std::string_view text = digits.view();
  int exponent = static_cast<int>(text.size()) - 1 - scale;
  if (exponent >= -6) return AppendDecimalPlain(value, scale, out);
  if (value.high_bits() < 0) *out += '-';
  *out += text[0];
  if (text.size() > 1) {
    *out += '.';
    out->append(text.substr(1));
  }
  *out += "E" + std::to_string(exponent);
}

double DecimalToDouble(const arrow::Decimal128& value, int scale) {
  Wide magnitude = Magnitude(value);
  // Both exact in a double: one division rounds once.
  if (magnitude <= (Wide{1} << 53) && scale <= 22) {
    double result = static_cast<double>(static_cast<uint64_t>(magnitude)) / static_cast<double>(PowerOfTen(scale));
    return value.high_bits() < 0 ? -result : result;
  }
  std::string text;
  AppendDecimalPlain(value, scale, &text);
  return std::strtod(text.c_str(), nullptr);
}

float DecimalToFloat(const arrow::Decimal128& value, int scale) {
  std::string text;
  AppendDecimalPlain(value, scale, &text);
  return std::strtof(text.c_str(), nullptr);
}

bool RescaleDecimal(const arrow::Decimal128& value, int from_scale, int precision, int scale, arrow::Decimal128* out) {
  Wide magnitude = Magnitude(value);
  if (scale > from_scale) {
    int shift = scale - from_scale;
    if (shift > 38 || (magnitude != 0 && magnitude > PowerOfTen(38) / PowerOfTen(shift))) return false;
    magnitude *= PowerOfTen(shift);
  } else if (scale < from_scale) {
    Wide divisor = PowerOfTen(from_scale - scale);
    Wide rest = magnitude % divisor;
    magnitude = magnitude / divisor + (rest >= divisor / 2 ? 1 : 0);
  }
  if (magnitude >= PowerOfTen(precision)) return false;
  *out = Signed(value.high_bits() < 0, magnitude);
  return true;
}

}  // namespace millrace::types
