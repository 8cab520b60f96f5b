#include "types/number_text.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <vector>

#include "base/ascii.h"

namespace millrace::types {

namespace {

// Decimal digits d1 d2 … dn standing for 0.d1d2…dn × 10^point.
struct Digits {
  std::array<char, 32> text;
  int count = 0;
  int point = 0;
};

void StripTrailingZeros(Digits* digits) {
  while (digits->count > 1 && digits->text[static_cast<size_t>(digits->count - 1)] == '0') --digits->count;
}

// A natural number for the few values whose digits need exact arithmetic.
class Natural {
 public:
  explicit Natural(uint64_t value) {
    for (; value != 0; value >>= 32) words_.push_back(static_cast<uint32_t>(value));
  }
  void Multiply(uint32_t factor) {
    uint64_t carry = 0;
    for (uint32_t& word : words_) {
      carry += uint64_t{word} * factor;
      word = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
    if (carry != 0) words_.push_back(static_cast<uint32_t>(carry));
  }
  void MultiplyPower(uint32_t base, int exponent) {
    for (int i = 0; i < exponent; ++i) Multiply(base);
  }
  void ShiftLeft(int bits) {
    for (; bits >= 31; bits -= 31) Multiply(uint32_t{1} << 31);
    Multiply(uint32_t{1} << bits);
  }
  int Compare(const Natural& other) const {
    if (words_.size() != other.words_.size()) return words_.size() < other.words_.size() ? -1 : 1;
    for (size_t i = words_.size(); i-- > 0;) {
      if (words_[i] != other.words_[i]) return words_[i] < other.words_[i] ? -1 : 1;
    }
    return 0;
  }
  void Add(const Natural& other) {
    uint64_t carry = 0;
    for (size_t i = 0; i < other.words_.size() || carry != 0; ++i) {
      if (i == words_.size()) words_.push_back(0);
      carry += uint64_t{words_[i]} + (i < other.words_.size() ? other.words_[i] : 0);
      words_[i] = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
  }
  // REQUIRES: other <= *this.
  void Subtract(const Natural& other) {
    int64_t borrow = 0;
    for (size_t i = 0; i < words_.size(); ++i) {
      int64_t difference = int64_t{words_[i]} - borrow - (i < other.words_.size() ? other.words_[i] : 0);
      borrow = difference < 0 ? 1 : 0;
      words_[i] = static_cast<uint32_t>(difference);
    }
    while (!words_.empty() && words_.back() == 0) words_.pop_back();
  }
  // Quotient below ten; *this becomes the remainder.
  int DivideSmall(const Natural& divisor) {
    int quotient = 0;
    while (Compare(divisor) >= 0) {
      Subtract(divisor);
      ++quotient;
    }
    return quotient;
  }

 private:
  std::vector<uint32_t> words_;
};

void RoundUp(Digits* digits) {
  int i = digits->count - 1;
  while (i >= 0 && digits->text[static_cast<size_t>(i)] == '9') digits->text[static_cast<size_t>(i--)] = '0';
  if (i >= 0) {
    ++digits->text[static_cast<size_t>(i)];
    return;
  }
  digits->text[0] = '1';
  ++digits->point;
}

// Digits of mantissa × 2^exponent until the rest is within `margin_halvings` halvings of the mantissa's last bit: exact
// free-format output (Steele and White) with one margin on both sides, the way Java 17 does it.
Digits ExactDigits(uint64_t mantissa, int exponent, bool power_of_two) {
  double magnitude = std::log10(static_cast<double>(mantissa)) + exponent * 0.30102999566398120;
  int decimal_exponent = static_cast<int>(std::floor(magnitude + 1e-9)) + 1;  // may be one too large: a leading zero
  int halvings = power_of_two ? 2 : 1;
  Natural value(mantissa);
  Natural scale(1);
  Natural margin(1);
  value.ShiftLeft(std::max(0, exponent) + halvings);
  margin.ShiftLeft(std::max(0, exponent));
  scale.ShiftLeft(std::max(0, -exponent) + halvings);
  int shown_exponent = decimal_exponent - 1;
  if (shown_exponent >= 0) {
    scale.MultiplyPower(10, shown_exponent);
  } else {
    value.MultiplyPower(10, -shown_exponent);
    margin.MultiplyPower(10, -shown_exponent);
  }
  Natural ten_scale = scale;
  ten_scale.Multiply(10);
  Digits digits;
  digits.point = decimal_exponent;
  bool low = false;
  bool high = false;
  auto next = [&] {
    int digit = value.DivideSmall(scale);
    value.Multiply(10);
    margin.Multiply(10);
    low = value.Compare(margin) < 0;
    Natural sum = value;
    sum.Add(margin);
    high = sum.Compare(ten_scale) >= 0;
    return static_cast<char>('0' + digit);
  };
  char first = next();
  if (first == '0' && !high) {
    --digits.point;
  } else {
    digits.text[static_cast<size_t>(digits.count++)] = first;
  }
  if (digits.point < -2 || digits.point >= 9) low = high = false;  // scientific notation shows two digits at least
  while (!low && !high && digits.count < 24) digits.text[static_cast<size_t>(digits.count++)] = next();
  if (high) {
    bool up = true;
    if (low) {
      value.Multiply(2);
      int difference = value.Compare(ten_scale);
      bool odd = (digits.text[static_cast<size_t>(digits.count - 1)] & 1) != 0;
      up = difference > 0 || (difference == 0 && odd);
    }
    if (up) RoundUp(&digits);
  }
  StripTrailingZeros(&digits);
  return digits;
}

// Whole numbers below 2^63: Java 17 writes the digits out and drops those below the precision of the type.
Digits WholeDigits(uint64_t value, int insignificant) {
  int point = insignificant;
  if (insignificant > 0) {
    uint64_t power = 1;
    for (int i = 0; i < insignificant; ++i) power *= 10;
    uint64_t rest = value % power;
    value = value / power + (rest >= power / 2 ? 1 : 0);
  }
  Digits digits;
  auto end = std::to_chars(digits.text.data(), digits.text.data() + digits.text.size(), value).ptr;
  digits.count = static_cast<int>(end - digits.text.data());
  digits.point = digits.count + point;
  StripTrailingZeros(&digits);
  return digits;
}

template <typename T>
Digits FromScientific(const char* begin, const char* end) {
  Digits digits;
  const char* p = begin;
  for (; p != end && *p != 'e'; ++p) {
    if (*p != '.') digits.text[static_cast<size_t>(digits.count++)] = *p;
  }
  int exponent = 0;
  const char* first = p + 1;
  if (*first == '+') ++first;
  std::from_chars(first, end, exponent);
  digits.point = exponent + 1;
  return digits;
}

template <typename T>
Digits ShortestDigits(T value) {
  std::array<char, 40> buffer;
  char* begin = buffer.data();
  char* end = std::to_chars(begin, begin + buffer.size(), value, std::chars_format::scientific).ptr;
  Digits digits = FromScientific<T>(begin, end);
  if (digits.count == 1 && (digits.point < -2 || digits.point > 7)) {
    end = std::to_chars(begin, begin + buffer.size(), value, std::chars_format::scientific, 1).ptr;
    digits = FromScientific<T>(begin, end);
    StripTrailingZeros(&digits);
  }
  return digits;
}

template <typename T>
Digits JavaDigits(T value) {
  constexpr int kBits = std::numeric_limits<T>::digits;  // 53 or 24
  if (value < static_cast<T>(9223372036854775808.0) && value == std::floor(value)) {
    auto whole = static_cast<uint64_t>(value);
    int binary_exponent = std::bit_width(whole) - 1;
    int spare_bits = binary_exponent - kBits - 1;
    // 10^insignificant is the largest power of ten below 2^spare_bits.
    int insignificant = spare_bits > 1 ? static_cast<int>(spare_bits * 0.30103) : 0;
    return WholeDigits(whole, insignificant);
  }
  int exponent = 0;
  T fraction = std::frexp(value, &exponent);
  bool power_of_two = fraction == static_cast<T>(0.5);
  bool subnormal = value < std::numeric_limits<T>::min();
  if (subnormal || (!power_of_two && value < static_cast<T>(9223372036854775808.0))) return ShortestDigits(value);
  auto mantissa = static_cast<uint64_t>(std::ldexp(fraction, kBits));
  return ExactDigits(mantissa, exponent - kBits, power_of_two);
}

template <typename T>
void AppendFloating(T value, std::string* out) {
  if (std::isnan(value)) {
    *out += "NaN";
    return;
  }
  if (std::signbit(value)) *out += '-';
  value = std::fabs(value);
  if (std::isinf(value)) {
    *out += "Infinity";
    return;
  }
  if (value == 0) {
    *out += "0.0";
    return;
  }
  Digits digits = JavaDigits(value);
  const char* text = digits.text.data();
  auto count = static_cast<size_t>(digits.count);
  if (digits.point > 0 && digits.point < 8) {
    auto whole = static_cast<size_t>(digits.point);
    out->append(text, std::min(count, whole));
    if (count < whole) out->append(whole - count, '0');
    *out += '.';
    if (count > whole) {
      out->append(text + whole, count - whole);
    } else {
      *out += '0';
    }
  } else if (digits.point <= 0 && digits.point > -3) {
    *out += "0.";
    out->append(static_cast<size_t>(-digits.point), '0');
    out->append(text, count);
  } else {
    *out += text[0];
    *out += '.';
    if (count > 1) {
      out->append(text + 1, count - 1);
    } else {
      *out += '0';
    }
    *out += 'E';
    *out += std::to_string(digits.point - 1);
  }
}

std::string_view TrimJava(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Length of [digits][.digits][e[+-]digits] at the start of `text`, 0 when there is none.
size_t MatchNumber(std::string_view text) {
  size_t i = 0;
  size_t digits = 0;
  for (; i < text.size() && IsDigit(text[i]); ++i) ++digits;
  if (i < text.size() && text[i] == '.') {
    for (++i; i < text.size() && IsDigit(text[i]); ++i) ++digits;
  }
  if (digits == 0) return 0;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    size_t j = i + 1;
    if (j < text.size() && (text[j] == '+' || text[j] == '-')) ++j;
    size_t first = j;
    while (j < text.size() && IsDigit(text[j])) ++j;
    if (j == first) return 0;
    i = j;
  }
  return i;
}

bool IsHexFloat(std::string_view text) {
  if (text.size() < 4 || text[0] != '0' || (text[1] != 'x' && text[1] != 'X')) return false;
  return text.find_first_of("pP") != std::string_view::npos &&
         text.find_first_not_of("0123456789abcdefABCDEF.pP+-xX") == std::string_view::npos;
}

template <typename T>
T StringTo(const std::string& text) {
  if constexpr (std::is_same_v<T, float>) return std::strtof(text.c_str(), nullptr);
  return static_cast<T>(std::strtod(text.c_str(), nullptr));
}

template <typename T>
bool ParseFloating(std::string_view text, T* value) {
  text = TrimJava(text);
  if (text.empty()) return false;
  std::string_view whole = text;
  bool negative = text[0] == '-';
  if (negative || text[0] == '+') text.remove_prefix(1);
  if (text.empty()) return false;
  if (!IsDigit(text[0]) && text[0] != '.') {
    if (EqualsIgnoreCase(text, "infinity") || EqualsIgnoreCase(text, "inf")) {
      *value = negative ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
      return true;
    }
    if (text == "NaN" || EqualsIgnoreCase(whole, "nan")) {
      *value = std::numeric_limits<T>::quiet_NaN();
      return true;
    }
    return false;
  }
  auto suffix = [](char c) { return c == 'd' || c == 'D' || c == 'f' || c == 'F'; };
  if (text.size() > 2 && (text[1] == 'x' || text[1] == 'X')) {
    if (text.find_first_of("pP") != std::string_view::npos && suffix(text.back())) text.remove_suffix(1);
    if (!IsHexFloat(text)) return false;
    std::string copy(text);
    char* end = nullptr;
    double parsed = std::strtod(copy.c_str(), &end);
    if (end != copy.c_str() + copy.size()) return false;
    *value = static_cast<T>(negative ? -parsed : parsed);
    return true;
  }
  if (suffix(text.back())) text.remove_suffix(1);
  size_t length = MatchNumber(text);
  if (length == 0 || length != text.size()) return false;
  T parsed{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
  if (error == std::errc::result_out_of_range) {
    parsed = StringTo<T>(std::string(text));  // infinity or zero, as Java
  } else if (error != std::errc()) {
    return false;
  }
  *value = negative ? -parsed : parsed;
  return true;
}

}  // namespace

void AppendDouble(double value, std::string* out) { AppendFloating(value, out); }
void AppendFloat(float value, std::string* out) { AppendFloating(value, out); }

std::string DoubleText(double value) {
  std::string text;
  AppendDouble(value, &text);
  return text;
}

std::string FloatText(float value) {
  std::string text;
  AppendFloat(value, &text);
  return text;
}

bool ParseDouble(std::string_view text, double* value) { return ParseFloating(text, value); }
bool ParseFloat(std::string_view text, float* value) { return ParseFloating(text, value); }

bool ParseLong(std::string_view text, bool allow_fraction, int64_t* value) {
  auto blank = [](char c) { return (c >= 0 && c <= ' ') || c == 127; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  if (text.empty()) return false;
  bool negative = text[0] == '-';
  if (negative || text[0] == '+') {
    text.remove_prefix(1);
    if (text.empty()) return false;
  }
  size_t i = 0;
  uint64_t result = 0;
  for (; i < text.size() && IsDigit(text[i]); ++i) {
    auto digit = static_cast<uint64_t>(text[i] - '0');
    if (result > (std::numeric_limits<uint64_t>::max() - digit) / 10) return false;
    result = result * 10 + digit;
  }
  if (i < text.size()) {
    if (text[i] != '.' || !allow_fraction) return false;
    for (++i; i < text.size(); ++i) {
      if (!IsDigit(text[i])) return false;
    }
  }
  constexpr auto kLimit = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (result > kLimit + (negative ? 1 : 0)) return false;
  *value = static_cast<int64_t>(negative ? 0 - result : result);
  return true;
}

}  // namespace millrace::types
