#include "sql/interval_literal.h"

#include <fmt/format.h>

#include <limits>
#include <string>

#include "base/ascii.h"
#include "base/error.h"
#include "types/data_type.h"
#include "types/interval_text.h"

namespace millrace::sql {

namespace {

constexpr int64_t kMicrosPerSecond = 1000000;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

arrow::Status FormatError(std::string_view kind, std::string_view text, ErrorParameters parameters = {}) {
  parameters["input"] = std::string(text);
  return UserError("INVALID_INTERVAL_FORMAT." + std::string(kind), std::move(parameters));
}

// A sum that remembers whether it ever left its range.
template <typename T>
bool AddScaled(int64_t value, int64_t factor, T* total) {
  int64_t scaled = 0;
  return !__builtin_mul_overflow(value, factor, &scaled) && !__builtin_add_overflow(*total, scaled, total);
}

// Walks "[interval] ([+-] number[.fraction] unit)…".
class UnitsParser {
 public:
  explicit UnitsParser(std::string_view text) : text_(text), rest_(TrimAscii(text)) {}

  arrow::Result<IntervalValue> Run() {
    if (EqualsIgnoreCase(rest_.substr(0, 8), "interval") && (rest_.size() == 8 || !IsWord(rest_[8]))) {
      rest_ = TrimAscii(rest_.substr(8));
    }
    if (rest_.empty()) return FormatError("INPUT_IS_EMPTY", text_);
    while (!rest_.empty()) {
      ARROW_RETURN_NOT_OK(ReadNumber());
      ARROW_RETURN_NOT_OK(ReadUnit());
      rest_ = TrimAscii(rest_);
    }
    return value_;
  }

 private:
  static bool IsWord(char c) { return IsDigit(c) || (ToLowerAscii(c) >= 'a' && ToLowerAscii(c) <= 'z') || c == '_'; }

  std::string_view TakeWord() {
    size_t end = rest_.find_first_of(" \t\r\n");
    std::string_view word = rest_.substr(0, end);
    rest_ = end == std::string_view::npos ? std::string_view() : rest_.substr(end);
    return word;
  }

  arrow::Status ReadNumber() {
    std::string_view start = rest_;
    negative_ = rest_.front() == '-';
    if (rest_.front() == '-' || rest_.front() == '+') rest_ = TrimAscii(rest_.substr(1));
    if (rest_.empty() || !(IsDigit(rest_[0]) || (rest_[0] == '.' && rest_.size() > 1 && IsDigit(rest_[1])))) {
      rest_ = start;
      return FormatError("UNRECOGNIZED_NUMBER", text_, {{"number", std::string(TakeWord())}});
    }
    number_ = 0;
    nanos_ = 0;
    has_fraction_ = false;
    while (!rest_.empty() && IsDigit(rest_[0])) {
      if (__builtin_mul_overflow(number_, int64_t{10}, &number_) ||
          __builtin_add_overflow(number_, int64_t{rest_[0] - '0'}, &number_)) {
        return FormatError("ARITHMETIC_EXCEPTION", text_);
      }
      rest_.remove_prefix(1);
    }
    if (!rest_.empty() && rest_[0] == '.') {
      has_fraction_ = true;
      rest_.remove_prefix(1);
      int digits = 0;
      for (; !rest_.empty() && IsDigit(rest_[0]); rest_.remove_prefix(1), ++digits) {
        if (digits == 9) return FormatError("INVALID_PRECISION", text_, {{"value", std::string(TakeWord())}});
        nanos_ = nanos_ * 10 + (rest_[0] - '0');
      }
      for (; digits < 9; ++digits) nanos_ *= 10;
    }
    if (!rest_.empty() && rest_[0] != ' ' && rest_[0] != '\t') {
      std::string_view word = start;
      rest_ = start;
      return FormatError("INVALID_VALUE", text_, {{"value", std::string(word.substr(0, TakeWord().size()))}});
    }
    rest_ = TrimAscii(rest_);
    if (rest_.empty()) return FormatError("MISSING_UNIT", text_, {{"word", std::string(TrimAscii(start))}});
    return arrow::Status::OK();
  }

  arrow::Status ReadUnit() {
    std::string word = ToLowerAscii(TakeWord());
    std::string unit = word.size() > 1 && word.back() == 's' ? word.substr(0, word.size() - 1) : word;
    int64_t sign = negative_ ? -1 : 1;
    if (has_fraction_ && unit != "second") {
      return FormatError("INVALID_FRACTION", text_, {{"unit", word}});
    }
    bool fits = true;
    if (unit == "year") {
      fits = AddScaled(number_, sign * 12, &value_.months);
    } else if (unit == "month") {
      fits = AddScaled(number_, sign, &value_.months);
    } else if (unit == "week") {
      fits = AddScaled(number_, sign * 7, &value_.days);
    } else if (unit == "day") {
      fits = AddScaled(number_, sign, &value_.days);
    } else if (unit == "hour") {
      fits = AddScaled(number_, sign * 3600 * kMicrosPerSecond, &value_.microseconds);
    } else if (unit == "minute") {
      fits = AddScaled(number_, sign * 60 * kMicrosPerSecond, &value_.microseconds);
    } else if (unit == "second") {
      fits = AddScaled(number_, sign * kMicrosPerSecond, &value_.microseconds) &&
             AddScaled(nanos_ / 1000, sign, &value_.microseconds);
    } else if (unit == "millisecond") {
      fits = AddScaled(number_, sign * 1000, &value_.microseconds);
    } else if (unit == "microsecond") {
      fits = AddScaled(number_, sign, &value_.microseconds);
    } else {
      return FormatError("INVALID_UNIT", text_, {{"unit", word}});
    }
    return fits ? arrow::Status::OK() : FormatError("ARITHMETIC_EXCEPTION", text_);
  }

  std::string_view text_;
  std::string_view rest_;
  IntervalValue value_;
  bool negative_ = false;
  bool has_fraction_ = false;
  int64_t number_ = 0;
  int64_t nanos_ = 0;
};

// Digits at the front of `rest`, at most `max_digits`; -1 when there are none or too many.
int64_t TakeDigits(std::string_view* rest, size_t max_digits) {
  size_t count = 0;
  int64_t value = 0;
  while (count < rest->size() && IsDigit((*rest)[count])) {
    if (count == max_digits) return -1;
    value = value * 10 + ((*rest)[count++] - '0');
  }
  rest->remove_prefix(count);
  return count == 0 ? -1 : value;
}

bool TakeSign(std::string_view* rest) {
  bool negative = rest->starts_with('-');
  if (negative || rest->starts_with('+')) rest->remove_prefix(1);
  return negative;
}

// Digits that surely fit 64 bits.
constexpr size_t kMaxLeadingDigits = 15;

}  // namespace

arrow::Result<IntervalValue> ParseIntervalUnits(std::string_view text) { return UnitsParser(text).Run(); }

arrow::Result<int32_t> ParseYearMonth(std::string_view text) {
  std::string_view rest = TrimAscii(text);
  bool negative = TakeSign(&rest);
  int64_t years = TakeDigits(&rest, 9);
  bool dash = rest.starts_with('-');
  if (dash) rest.remove_prefix(1);
  int64_t months = TakeDigits(&rest, 2);
  int64_t total = years * 12 + months;
  if (years < 0 || !dash || months < 0 || !rest.empty()) {
    return types::IntervalCastError(text, *types::YearMonthInterval(), types::IntervalParse::kUnmatched);
  }
  // The smallest interval has no positive counterpart.
  int64_t limit = int64_t{std::numeric_limits<int32_t>::max()} + (negative ? 1 : 0);
  if (months > 11 || total > limit) {
    return FormatError("INTERVAL_PARSING", text, {{"interval", "year-month"}});
  }
  return static_cast<int32_t>(negative ? -total : total);
}

arrow::Result<int64_t> ParseDayTime(std::string_view text, IntervalUnit from, IntervalUnit to) {
  constexpr int64_t kSecondsOf[] = {0, 0, 86400, 3600, 60, 1};
  constexpr int64_t kLimit[] = {0, 0, 0, 24, 60, 60};
  std::string_view rest = TrimAscii(text);
  bool negative = TakeSign(&rest);
  auto error = [&](std::string message) {
    return FormatError("DAY_TIME_PARSING", text, {{"msg", std::move(message)}});
  };
  auto unmatched = [&] {
    auto field = [](IntervalUnit unit) {
      return static_cast<types::DayTimeField>(static_cast<int>(unit) - static_cast<int>(IntervalUnit::kDay));
    };
    return types::IntervalCastError(text, *types::DayTimeInterval(field(from), field(to)),
                                    types::IntervalParse::kUnmatched);
  };
  int64_t micros = 0;
  const int64_t sign = negative ? -1 : 1;
  for (int unit = static_cast<int>(from); unit <= static_cast<int>(to); ++unit) {
    bool first = unit == static_cast<int>(from);
    if (!first) {
      // A blank after the days, colons between the rest.
      char separator = unit == static_cast<int>(IntervalUnit::kHour) ? ' ' : ':';
      if (!rest.starts_with(separator)) return unmatched();
      rest.remove_prefix(1);
    }
    int64_t value = TakeDigits(&rest, first ? kMaxLeadingDigits : 2);
    if (value < 0) return unmatched();
    if (!first && value >= kLimit[unit]) {
      return error(fmt::format("{} outside range [0, {}]", value, kLimit[unit] - 1));
    }
    if (!AddScaled(value, sign * kSecondsOf[unit] * kMicrosPerSecond, &micros))
      return error("the value is out of range");
  }
  if (to == IntervalUnit::kSecond && rest.starts_with('.')) {
    rest.remove_prefix(1);
    size_t digits = rest.size();
    int64_t fraction = TakeDigits(&rest, 9);
    if (fraction < 0) return unmatched();
    for (; digits < 9; ++digits) fraction *= 10;
    if (!AddScaled(fraction / 1000, sign, &micros)) return error("the value is out of range");
  }
  if (!rest.empty()) return unmatched();
  return micros;
}

}  // namespace millrace::sql
