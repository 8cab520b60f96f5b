#include "types/interval_text.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "base/ascii.h"
#include "base/error.h"
#include "types/datetime_text.h"

namespace millrace::types {

namespace {

constexpr std::string_view kYearMonthNames[] = {"YEAR", "MONTH"};
constexpr std::string_view kDayTimeNames[] = {"DAY", "HOUR", "MINUTE", "SECOND"};
constexpr int kYearField = static_cast<int>(IntervalField::kYear);
constexpr int kDayField = static_cast<int>(DayTimeField::kDay);
constexpr int kHourField = static_cast<int>(DayTimeField::kHour);
constexpr int kMinuteField = static_cast<int>(DayTimeField::kMinute);
constexpr int kSecondField = static_cast<int>(DayTimeField::kSecond);
constexpr int64_t kMicrosPerField[] = {kMicrosPerDay, kMicrosPerHour, kMicrosPerMinute, kMicrosPerSecond};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f); }
bool IsSign(char c) { return c == '+' || c == '-' || c == '|'; }  // Spark's expression is [+|-]

std::string_view TrimAll(std::string_view text) {
  auto drop = [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; };
  while (!text.empty() && drop(text.front())) text.remove_prefix(1);
  while (!text.empty() && drop(text.back())) text.remove_suffix(1);
  return text;
}

void AppendTwo(uint64_t value, std::string* out) {
  if (value < 10) out->push_back('0');
  out->append(std::to_string(value));
}

// Seconds with up to six digits of fraction, without trailing zeros.
void AppendSeconds(uint64_t micros, bool pad, std::string* out) {
  if (pad && micros < 10 * kMicrosPerSecond) out->push_back('0');
  out->append(std::to_string(micros / kMicrosPerSecond));
  uint64_t fraction = micros % kMicrosPerSecond;
  if (fraction == 0) return;
  out->push_back('.');
  for (uint64_t scale = 100000; fraction > 0; scale /= 10) {
    out->push_back(static_cast<char>('0' + fraction / scale));
    fraction %= scale;
  }
}

void AppendFieldNames(const std::string_view* names, int start, int end, std::string* out) {
  out->append("' ").append(names[start]);
  if (end != start) out->append(" TO ").append(names[end]);
}

// Digits at the front of `text`, which they are taken off.
std::string_view TakeDigits(std::string_view* text) {
  size_t n = 0;
  while (n < text->size() && IsDigit((*text)[n])) ++n;
  std::string_view digits = text->substr(0, n);
  text->remove_prefix(n);
  return digits;
}

bool ToLong(std::string_view digits, int64_t* value) {
  int64_t result = 0;
  for (char c : digits) {
    if (__builtin_mul_overflow(result, 10, &result) || __builtin_add_overflow(result, c - '0', &result)) return false;
  }
  *value = result;
  return true;
}

bool TakeSpaces(std::string_view* text) {
  size_t before = text->size();
  while (!text->empty() && IsSpace(text->front())) text->remove_prefix(1);
  return text->size() < before;
}

bool TakeWord(std::string_view* text, std::string_view word) {
  if (text->size() < word.size() || !EqualsIgnoreCase(text->substr(0, word.size()), word)) return false;
  text->remove_prefix(word.size());
  return true;
}

// Reduces "INTERVAL [+-]'[+-]body' FIELD [TO FIELD]" to its body; any other text is the body itself, after its sign.
// False when it is a literal of other fields.
bool StripLiteral(std::string_view* text, const std::string_view* names, int start, int end, int* sign) {
  *sign = 1;
  auto take_sign = [&] {
    if (text->empty() || !IsSign(text->front())) return;
    if (text->front() == '-') *sign = -*sign;
    text->remove_prefix(1);
  };
  if (!TakeWord(text, "INTERVAL")) {
    take_sign();
    return true;
  }
  if (!TakeSpaces(text)) return false;
  take_sign();
  if (text->empty() || text->front() != '\'') return false;
  text->remove_prefix(1);
  take_sign();
  size_t quote = text->find('\'');
  if (quote == std::string_view::npos) return false;
  std::string_view rest = text->substr(quote + 1);
  *text = text->substr(0, quote);
  if (!TakeSpaces(&rest) || !TakeWord(&rest, names[start])) return false;
  if (end != start &&
      !(TakeSpaces(&rest) && TakeWord(&rest, "TO") && TakeSpaces(&rest) && TakeWord(&rest, names[end]))) {
    return false;
  }
  return rest.empty();
}

// The fraction's digits as µs; what is finer is dropped.
int64_t FractionMicros(std::string_view digits) {
  int64_t micros = 0;
  for (int i = 0; i < 6; ++i) micros = micros * 10 + (i < static_cast<int>(digits.size()) ? digits[i] - '0' : 0);
  return micros;
}

struct DayTimeText {
  std::string_view fields[4];
  std::string_view fraction;
};

// "d h:m:s.f" from `start` to `end`.
bool SplitDayTime(std::string_view text, int start, int end, DayTimeText* out) {
  for (int field = start; field <= end; ++field) {
    if (field > start) {
      char separator = field == kHourField ? ' ' : ':';
      if (text.empty() || text.front() != separator) return false;
      text.remove_prefix(1);
    }
    out->fields[field] = TakeDigits(&text);
    if (out->fields[field].empty()) return false;
  }
  if (end == kSecondField && !text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    out->fraction = TakeDigits(&text);
    if (out->fraction.empty() || out->fraction.size() > 9) return false;
  }
  return text.empty();
}

std::string FormOf(const DataType& type) {
  if (type.id() == TypeId::kYearMonthInterval) {
    if (type.start_field() != type.end_field()) return "y-m";
    return type.start_field() == kYearField ? "y" : "m";
  }
  std::string form;
  constexpr std::string_view kLetters[] = {"d", "h", "m", "s.n"};
  for (int field = type.start_field(); field <= type.end_field(); ++field) {
    if (field > type.start_field()) form += field == kHourField ? " " : ":";
    form += kLetters[field];
  }
  return form;
}

// One pass over a legacy interval's text, word by word.
class CalendarScanner {
 public:
  explicit CalendarScanner(std::string_view text) : text_(text) {}

  bool Scan(CalendarIntervalValue* value) {
    std::string lower = ToLowerAscii(TrimAll(text_));
    text_ = lower;
    if (text_.starts_with("interval")) {
      text_.remove_prefix(8);
      if (!TakeSpaces(&text_)) return false;
    }
    if (text_.empty()) return false;
    while (!text_.empty()) {
      if (!ScanTerm(value)) return false;
      TakeSpaces(&text_);
    }
    return true;
  }

 private:
  // [+-] number unit
  bool ScanTerm(CalendarIntervalValue* value) {
    bool negative = false;
    if (text_.front() == '-' || text_.front() == '+') {
      negative = text_.front() == '-';
      text_.remove_prefix(1);
      TakeSpaces(&text_);
      // After a sign a bare fraction is not a number.
      if (text_.empty() || !IsDigit(text_.front())) return false;
    }
    std::string_view digits = TakeDigits(&text_);
    int64_t number = 0, fraction = 0;
    bool has_fraction = false;
    if (!ToLong(digits, &number)) return false;
    if (!text_.empty() && text_.front() == '.') {
      text_.remove_prefix(1);
      std::string_view decimals = TakeDigits(&text_);
      if (decimals.size() > 9 || (decimals.empty() && digits.empty())) return false;
      fraction = FractionMicros(decimals);
      has_fraction = true;
    } else if (digits.empty()) {
      return false;
    }
    if (!TakeSpaces(&text_)) return false;
    if (negative) {
      number = -number;
      fraction = -fraction;
    }
    return AddUnit(number, fraction, has_fraction, value);
  }

  bool AddUnit(int64_t number, int64_t fraction, bool has_fraction, CalendarIntervalValue* value) {
    size_t length = 0;
    while (length < text_.size() && !IsSpace(text_[length])) ++length;
    std::string_view unit = text_.substr(0, length);
    text_.remove_prefix(length);
    if (unit.ends_with('s')) unit.remove_suffix(1);
    if (has_fraction && unit != "second") return false;
    if (unit == "year") return AddInt(number, 12, &value->months);
    if (unit == "month") return AddInt(number, 1, &value->months);
    if (unit == "week") return AddInt(number, 7, &value->days);
    if (unit == "day") return AddInt(number, 1, &value->days);
    int64_t scale = unit == "hour"          ? kMicrosPerHour
                    : unit == "minute"      ? kMicrosPerMinute
                    : unit == "second"      ? kMicrosPerSecond
                    : unit == "millisecond" ? kMicrosPerMilli
                    : unit == "microsecond" ? 1
                                            : 0;
    int64_t micros = 0;
    return scale != 0 && !__builtin_mul_overflow(number, scale, &micros) &&
           !__builtin_add_overflow(micros, fraction, &micros) &&
           !__builtin_add_overflow(value->micros, micros, &value->micros);
  }

  static bool AddInt(int64_t number, int32_t scale, int32_t* field) {
    int32_t product = 0;
    return !__builtin_mul_overflow(number, scale, &product) && !__builtin_add_overflow(*field, product, field);
  }

  std::string_view text_;
};

void AppendUnit(int64_t value, std::string_view unit, std::string* out) {
  if (value == 0) return;
  out->append(std::to_string(value)).append(" ").append(unit).append(" ");
}

}  // namespace

void AppendYearMonthInterval(int32_t months, int start_field, int end_field, std::string* out) {
  out->append("INTERVAL '");
  int64_t absolute = months < 0 ? -int64_t{months} : months;
  if (months < 0) out->push_back('-');
  if (start_field != end_field) {
    out->append(std::to_string(absolute / 12)).append("-").append(std::to_string(absolute % 12));
  } else {
    out->append(std::to_string(start_field == kYearField ? absolute / 12 : absolute));
  }
  AppendFieldNames(kYearMonthNames, start_field, end_field, out);
}

void AppendDayTimeInterval(int64_t micros, int start_field, int end_field, std::string* out) {
  out->append("INTERVAL '");
  if (micros < 0) out->push_back('-');
  uint64_t rest = micros < 0 ? 0 - static_cast<uint64_t>(micros) : static_cast<uint64_t>(micros);
  for (int field = start_field; field <= end_field; ++field) {
    if (field > start_field) out->push_back(field == kHourField ? ' ' : ':');
    if (field == kSecondField) {
      AppendSeconds(rest, true, out);
    } else {
      uint64_t value = rest / kMicrosPerField[field];
      rest %= kMicrosPerField[field];
      if (field == kDayField) {
        out->append(std::to_string(value));
      } else {
        AppendTwo(value, out);
      }
    }
  }
  AppendFieldNames(kDayTimeNames, start_field, end_field, out);
}

void AppendCalendarInterval(const CalendarIntervalValue& value, std::string* out) {
  if (value.months == 0 && value.days == 0 && value.micros == 0) {
    out->append("0 seconds");
    return;
  }
  AppendUnit(value.months / 12, "years", out);
  AppendUnit(value.months % 12, "months", out);
  AppendUnit(value.days, "days", out);
  AppendUnit(value.micros / kMicrosPerHour, "hours", out);
  AppendUnit(value.micros % kMicrosPerHour / kMicrosPerMinute, "minutes", out);
  if (int64_t rest = value.micros % kMicrosPerMinute; rest != 0) {
    if (rest < 0) out->push_back('-');
    AppendSeconds(static_cast<uint64_t>(rest < 0 ? -rest : rest), false, out);
    out->append(" seconds ");
  }
  out->pop_back();
}

IntervalParse ParseYearMonthInterval(std::string_view text, int start_field, int end_field, int32_t* months) {
  text = TrimAll(text);
  int sign = 1;
  if (!StripLiteral(&text, kYearMonthNames, start_field, end_field, &sign)) return IntervalParse::kUnmatched;
  std::string_view first = TakeDigits(&text);
  if (first.empty()) return IntervalParse::kUnmatched;
  int64_t years = 0, rest = 0;
  if (start_field != end_field) {
    if (text.empty() || text.front() != '-') return IntervalParse::kUnmatched;
    text.remove_prefix(1);
    std::string_view second = TakeDigits(&text);
    if (second.empty() || !text.empty()) return IntervalParse::kUnmatched;
    if (!ToLong(first, &years) || !ToLong(second, &rest) || rest > 11) return IntervalParse::kOutOfRange;
  } else {
    if (!text.empty()) return IntervalParse::kUnmatched;
    if (!ToLong(first, start_field == kYearField ? &years : &rest)) return IntervalParse::kOutOfRange;
  }
  int64_t total = 0;
  if (__builtin_mul_overflow(years, int64_t{12}, &total) || __builtin_add_overflow(total, rest, &total)) {
    return IntervalParse::kOutOfRange;
  }
  total *= sign;
  if (total > std::numeric_limits<int32_t>::max() || total < std::numeric_limits<int32_t>::min()) {
    return IntervalParse::kOutOfRange;
  }
  *months = static_cast<int32_t>(total);
  return IntervalParse::kOk;
}

IntervalParse ParseDayTimeInterval(std::string_view text, int start_field, int end_field, int64_t* micros) {
  text = TrimAll(text);
  int sign = 1;
  DayTimeText parts;
  if (!StripLiteral(&text, kDayTimeNames, start_field, end_field, &sign) ||
      !SplitDayTime(text, start_field, end_field, &parts)) {
    return IntervalParse::kUnmatched;
  }
  if (start_field == end_field && start_field != kSecondField) {
    // Spark matches a limited number of digits and multiplies without a check.
    constexpr size_t kMaxDigits[] = {9, 10, 12};
    int64_t value = 0;
    if (parts.fields[start_field].size() > kMaxDigits[start_field]) return IntervalParse::kUnmatched;
    ToLong(parts.fields[start_field], &value);
    auto product = static_cast<uint64_t>(value) * static_cast<uint64_t>(kMicrosPerField[start_field]);
    *micros = static_cast<int64_t>(sign < 0 ? 0 - product : product);
    return IntervalParse::kOk;
  }
  __int128 total = 0;
  for (int field = start_field; field <= end_field; ++field) {
    int64_t value = 0;
    int64_t limit = field == start_field  ? std::numeric_limits<int64_t>::max() / kMicrosPerField[field]
                    : field == kHourField ? 23
                                          : 59;
    if (!ToLong(parts.fields[field], &value) || value > limit) {
      return start_field == kSecondField ? IntervalParse::kUnmatched : IntervalParse::kOutOfRange;
    }
    total += static_cast<__int128>(value) * kMicrosPerField[field];
  }
  __int128 fraction = FractionMicros(parts.fraction);
  if (start_field == kSecondField) {
    // Spark signs the seconds and gives the fraction their sign: "-0.5" loses it.
    total = total == 0 ? fraction : (total + fraction) * sign;
  } else {
    total = (total + fraction) * sign;
  }
  if (total > std::numeric_limits<int64_t>::max() || total < std::numeric_limits<int64_t>::min()) {
    return IntervalParse::kOutOfRange;
  }
  *micros = static_cast<int64_t>(total);
  return IntervalParse::kOk;
}

bool ParseCalendarInterval(std::string_view text, CalendarIntervalValue* value) {
  CalendarIntervalValue result;
  if (!CalendarScanner(text).Scan(&result)) return false;
  *value = result;
  return true;
}

namespace {

// "INTERVAL '1 2:3' DAY TO MINUTE" and the like; false for all that has not two fields.
bool ParseRangeLiteral(std::string text, CalendarIntervalValue* value) {
  std::replace(text.begin(), text.end(), '"', '\'');
  if (ParseYearMonthInterval(text, kYearField, kYearField + 1, &value->months) == IntervalParse::kOk) return true;
  for (int start = kDayField; start < kSecondField; ++start) {
    for (int end = start + 1; end <= kSecondField; ++end) {
      if (ParseDayTimeInterval(text, start, end, &value->micros) == IntervalParse::kOk) return true;
    }
  }
  return false;
}

// The text without the quotes around its numbers; empty when a quote has no other end.
std::string WithoutQuotes(std::string_view text) {
  std::string plain;
  char open = 0;
  for (char c : text) {
    bool quote = c == '\'' || c == '"';
    if (quote && (open == 0 || open == c)) {
      open = open == 0 ? c : 0;
      plain += ' ';
    } else {
      plain += c;
    }
  }
  return open == 0 ? plain : std::string();
}

}  // namespace

bool ParseDuration(std::string_view text, CalendarIntervalValue* value) {
  constexpr std::string_view kLiteral = "interval";
  text = TrimAll(text);
  if (!EqualsIgnoreCase(text.substr(0, kLiteral.size()), kLiteral)) return ParseCalendarInterval(text, value);
  CalendarIntervalValue literal;
  if (!ParseCalendarInterval(WithoutQuotes(text), &literal) && !ParseRangeLiteral(std::string(text), &literal))
    return false;
  if (literal.months != 0 && (literal.days != 0 || literal.micros != 0)) return false;
  // Days of a literal are 24 hours.
  int64_t days = 0;
  if (__builtin_mul_overflow(int64_t{literal.days}, kMicrosPerDay, &days) ||
      __builtin_add_overflow(literal.micros, days, &literal.micros)) {
    return false;
  }
  literal.days = 0;
  *value = literal;
  return true;
}

arrow::Status IntervalCastError(std::string_view text, const DataType& type, IntervalParse outcome) {
  bool year_month = type.id() == TypeId::kYearMonthInterval;
  std::string input(text);
  if (outcome == IntervalParse::kOutOfRange) {
    return UserError("INVALID_INTERVAL_FORMAT.INTERVAL_PARSING",
                     {{"input", input}, {"interval", year_month ? "year-month" : "day-time"}});
  }
  const std::string_view* names = year_month ? kYearMonthNames : kDayTimeNames;
  std::string fields(names[type.start_field()]);
  if (type.end_field() != type.start_field()) fields.append(" TO ").append(names[type.end_field()]);
  std::string form = FormOf(type);
  return UserError(year_month ? "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING"
                              : "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING_WITH_NOTICE",
                   {{"input", input},
                    {"intervalStr", year_month ? "year-month" : "day-time"},
                    {"supportedFormat", "`[+|-]" + form + "`, `INTERVAL [+|-]'[+|-]" + form + "' " + fields + "`"},
                    {"typeName", "interval " + ToLowerAscii(fields)}});
}

}  // namespace millrace::types
