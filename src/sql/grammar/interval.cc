#include <algorithm>

#include "base/ascii.h"
#include "base/error.h"
#include "sql/expression_tree.h"
#include "sql/grammar/grammar.h"
#include "sql/string_literal.h"

namespace millrace::sql {

namespace {

// One of YEAR … NANOSECONDS.
bool IsUnit(Keyword keyword) {
  switch (keyword) {
    case Keyword::kYear:
    case Keyword::kYears:
    case Keyword::kMonth:
    case Keyword::kMonths:
    case Keyword::kWeek:
    case Keyword::kWeeks:
    case Keyword::kDay:
    case Keyword::kDays:
    case Keyword::kHour:
    case Keyword::kHours:
    case Keyword::kMinute:
    case Keyword::kMinutes:
    case Keyword::kSecond:
    case Keyword::kSeconds:
    case Keyword::kMillisecond:
    case Keyword::kMilliseconds:
    case Keyword::kMicrosecond:
    case Keyword::kMicroseconds:
    case Keyword::kNanosecond:
    case Keyword::kNanoseconds:
      return true;
    default:
      return false;
  }
}

std::optional<IntervalUnit> FieldOf(Keyword keyword) {
  switch (keyword) {
    case Keyword::kYear:
      return IntervalUnit::kYear;
    case Keyword::kMonth:
      return IntervalUnit::kMonth;
    case Keyword::kDay:
      return IntervalUnit::kDay;
    case Keyword::kHour:
      return IntervalUnit::kHour;
    case Keyword::kMinute:
      return IntervalUnit::kMinute;
    case Keyword::kSecond:
      return IntervalUnit::kSecond;
    default:
      return std::nullopt;
  }
}

// The field of the interval type that a unit of the text counts in.
std::optional<IntervalUnit> FieldOfUnit(std::string_view unit) {
  if (unit.ends_with('s')) unit.remove_suffix(1);
  if (unit == "year") return IntervalUnit::kYear;
  if (unit == "month") return IntervalUnit::kMonth;
  if (unit == "week" || unit == "day") return IntervalUnit::kDay;
  if (unit == "hour") return IntervalUnit::kHour;
  if (unit == "minute") return IntervalUnit::kMinute;
  if (unit == "second" || unit == "millisecond" || unit == "microsecond" || unit == "nanosecond") {
    return IntervalUnit::kSecond;
  }
  return std::nullopt;
}

void SetYearMonth(int32_t months, IntervalUnit from, IntervalUnit to, Expression* out) {
  out->mutable_literal()->set_year_month_interval(months);
  auto* type = out->mutable_literal()->mutable_data_type()->mutable_year_month_interval();
  type->set_start_field(static_cast<int>(from));
  type->set_end_field(static_cast<int>(to));
}

// Day is field 0 of the day-time type.
void SetDayTime(int64_t micros, IntervalUnit from, IntervalUnit to, Expression* out) {
  out->mutable_literal()->set_day_time_interval(micros);
  auto* type = out->mutable_literal()->mutable_data_type()->mutable_day_time_interval();
  type->set_start_field(static_cast<int>(from) - static_cast<int>(IntervalUnit::kDay));
  type->set_end_field(static_cast<int>(to) - static_cast<int>(IntervalUnit::kDay));
}

}  // namespace

// At INTERVAL: a literal when a value and a unit follow; `interval - 5` is arithmetic on a column.
bool Grammar::AtIntervalLiteral() const {
  size_t value = Peek(1).Is(Symbol::kMinus) || Peek(1).Is(Symbol::kPlus) ? 2 : 1;
  TokenKind kind = Peek(value).kind;
  if (kind == TokenKind::kString) {
    while (Peek(value + 1).kind == TokenKind::kString) ++value;
  } else if (kind != TokenKind::kInteger && kind != TokenKind::kDecimal) {
    return false;
  }
  return IsUnit(Peek(value + 1).keyword);
}

arrow::Status Grammar::ParseIntervalLiteral(Expression* out) {
  size_t first = position_;
  Take();
  std::string text;  // " 1 day -2 hours"
  std::vector<std::string> units;
  while (true) {
    // The next pair, or the end of the literal.
    size_t value = At(Symbol::kMinus) || At(Symbol::kPlus) ? 1 : 0;
    TokenKind kind = Peek(value).kind;
    bool is_value = kind == TokenKind::kString || kind == TokenKind::kInteger || kind == TokenKind::kDecimal;
    size_t unit = value + 1;
    while (kind == TokenKind::kString && Peek(unit).kind == TokenKind::kString) ++unit;
    if (!is_value || !IsUnit(Peek(unit).keyword)) break;

    bool negative = At(Symbol::kMinus);
    if (value == 1) Take();
    std::string number;
    if (kind == TokenKind::kString) {
      ARROW_ASSIGN_OR_RAISE(number, StringValue());
    } else {
      number = Take().text;
    }
    if (FieldOf(Peek().keyword) && Peek(1).Is(Keyword::kTo) && FieldOf(Peek(2).keyword)) {
      if (!units.empty()) return ErrorAt(first, "_LEGACY_ERROR_TEMP_0024");
      if (kind != TokenKind::kString) return ErrorAt(first, "_LEGACY_ERROR_TEMP_0027");
      return ParseUnitToUnit(first, negative, number, out);
    }
    // '-1' after a minus counts up again.
    std::string_view magnitude = TrimAscii(number);
    if (negative && magnitude.starts_with('-')) {
      magnitude.remove_prefix(1);
      negative = false;
    } else if (magnitude.starts_with('+')) {
      magnitude.remove_prefix(1);
    }
    if (magnitude.empty() || magnitude.find_first_not_of("0123456789.-") != std::string_view::npos) {
      return ErrorAt(first, "_LEGACY_ERROR_TEMP_0026", {{"value", number}});
    }
    units.push_back(ToLowerAscii(Take().text));
    text += std::string(" ") + (negative ? "-" : "") + std::string(magnitude) + " " + units.back();
  }
  arrow::Result<IntervalValue> value = ParseIntervalUnits(text);
  if (!value.ok()) return value.status();
  return SetInterval(*value, units, first, out);
}

arrow::Status Grammar::SetInterval(const IntervalValue& value, const std::vector<std::string>& units,
                                   size_t first_token, Expression* out) {
  IntervalUnit low = IntervalUnit::kSecond;
  IntervalUnit high = IntervalUnit::kYear;
  for (const std::string& unit : units) {
    std::optional<IntervalUnit> field = FieldOfUnit(unit);
    if (!field) continue;
    low = std::min(low, *field);
    high = std::max(high, *field);
  }
  bool has_months = low <= IntervalUnit::kMonth;
  bool has_time = high >= IntervalUnit::kDay;
  if (has_months && has_time) {
    size_t begin = tokens_[first_token].offset;
    const Token& last = tokens_[position_ - 1];
    return ErrorAt(first_token, "_LEGACY_ERROR_TEMP_0029",
                   {{"literal", std::string(text_.substr(begin, last.offset + last.text.size() - begin))}});
  }
  if (has_months) {
    SetYearMonth(value.months, low, high, out);
    return Status::OK();
  }
  int64_t micros = 0;
  if (__builtin_mul_overflow(int64_t{value.days}, int64_t{86400} * 1000000, &micros) ||
      __builtin_add_overflow(micros, value.microseconds, &micros)) {
    return UserError("INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION");
  }
  SetDayTime(micros, low, high, out);
  return Status::OK();
}

arrow::Status Grammar::ParseIntervalString(std::string_view text, size_t first_token, Expression* out) {
  arrow::Result<IntervalValue> value = ParseIntervalUnits(text);
  if (!value.ok()) {
    return ErrorAt(first_token, "INVALID_TYPED_LITERAL",
                   {{"valueType", "\"INTERVAL\""}, {"value", QuoteStringLiteral(text)}});
  }
  std::vector<std::string> units;
  std::string word;
  for (char c : std::string(text) + " ") {
    char lower = ToLowerAscii(c);
    if (lower >= 'a' && lower <= 'z') {
      word += lower;
    } else if (!word.empty()) {
      units.push_back(std::move(word));
      word.clear();
    }
  }
  return SetInterval(*value, units, first_token, out);
}

// At the first unit of '…' DAY TO SECOND.
arrow::Status Grammar::ParseUnitToUnit(size_t first_token, bool negative, std::string_view text, Expression* out) {
  IntervalUnit from = *FieldOf(Take().keyword);
  std::string from_text = ToLowerAscii(tokens_[position_ - 1].text);
  Take();
  std::string to_text = ToLowerAscii(Peek().text);
  IntervalUnit to = *FieldOf(Take().keyword);
  if (AtIntervalLiteral()) return ErrorAt(first_token, "_LEGACY_ERROR_TEMP_0024");
  if (from == IntervalUnit::kYear && to == IntervalUnit::kMonth) {
    ARROW_ASSIGN_OR_RAISE(int32_t months, ParseYearMonth(text));
    SetYearMonth(negative ? -months : months, from, to, out);
    return Status::OK();
  }
  if (from < IntervalUnit::kDay || to <= from) {
    return ErrorAt(first_token, "INVALID_INTERVAL_FORMAT.UNSUPPORTED_FROM_TO_EXPRESSION",
                   {{"input", std::string(text)}, {"from", from_text}, {"to", to_text}});
  }
  ARROW_ASSIGN_OR_RAISE(int64_t micros, ParseDayTime(text, from, to));
  SetDayTime(negative ? -micros : micros, from, to, out);
  return Status::OK();
}

}  // namespace millrace::sql
