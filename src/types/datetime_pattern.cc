#include "types/datetime_pattern.h"

#include <array>
#include <optional>

#include "base/error.h"
#include "types/datetime_text.h"
#include "types/pattern_text.h"
#include "types/zone_name.h"

namespace millrace::types {

using Field = DateTimePattern::Field;
using Op = DateTimePattern::Op;
using OpKind = DateTimePattern::OpKind;
using Purpose = DateTimePattern::Purpose;
using Sign = DateTimePattern::Sign;

namespace {

constexpr std::string_view kDocRoot = "https://spark.apache.org/docs/latest";

bool IsLetter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

// Whether java.text.SimpleDateFormat takes the pattern: Spark then says that the pattern has changed its meaning
// since version 2, and otherwise that it never had one.
bool LegacyAccepts(std::string_view pattern) {
  constexpr std::string_view kLetters = "GyMdkHmsSEDFwWahKzZYuXL";
  bool quoted = false;
  size_t i = 0;
  while (i < pattern.size()) {
    char c = pattern[i];
    if (c == '\'') {
      quoted = !quoted;
      ++i;
    } else if (!quoted && IsLetter(c)) {
      if (kLetters.find(c) == std::string_view::npos) return false;
      size_t begin = i;
      while (i < pattern.size() && pattern[i] == c) ++i;
      if (c == 'X' && i - begin > 3) return false;
    } else {
      ++i;
    }
  }
  return !quoted;
}

// The error of a pattern, where it depends on what version 2 made of it.
arrow::Status PatternError(std::string_view pattern, arrow::Status otherwise) {
  if (!LegacyAccepts(pattern)) return otherwise;
  return UserError("INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION",
                   {{"pattern", QuoteStringLiteral(pattern)},
                    {"config", QuoteConf("spark.sql.legacy.timeParserPolicy")},
                    {"docroot", std::string(kDocRoot)}});
}

arrow::Status Unrecognized(std::string_view pattern) {
  return PatternError(pattern,
                      UserError("INVALID_DATETIME_PATTERN.WITH_SUGGESTION",
                                {{"pattern", QuoteStringLiteral(pattern)}, {"docroot", std::string(kDocRoot)}}));
}

// Letters and lengths that Java knows and Spark refuses.
arrow::Status CheckLetters(std::string_view pattern, Purpose purpose) {
  constexpr std::string_view kWeekBased = "YWwuec", kIllegal = "ABnNp", kOnlyFormat = "EFqQ", kNoNarrow = "GMLEQq";
  bool quoted = false;
  size_t run = 0;
  for (size_t i = 0; i < pattern.size(); ++i) {
    char c = pattern[i];
    run = i > 0 && pattern[i - 1] == c ? run + 1 : 1;
    if (c == '\'') quoted = !quoted;
    if (quoted) continue;
    if (kWeekBased.find(c) != std::string_view::npos) {
      return PatternError(pattern, UserError("INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN",
                                             {{"c", std::string(1, c)}}));
    }
    if (kIllegal.find(c) != std::string_view::npos ||
        (purpose != Purpose::kFormat && kOnlyFormat.find(c) != std::string_view::npos)) {
      return PatternError(pattern, UserError("INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER",
                                             {{"pattern", std::string(pattern)}, {"c", std::string(1, c)}}));
    }
    if ((run == 5 && kNoNarrow.find(c) != std::string_view::npos) || (run == 7 && c == 'y')) {
      return PatternError(pattern, UserError("INVALID_DATETIME_PATTERN.LENGTH", {{"pattern", std::string(pattern)}}));
    }
  }
  return arrow::Status::OK();
}

}  // namespace

// Turns the pattern's text into steps. One use.
class PatternCompiler {
 public:
  PatternCompiler(std::string_view pattern, Purpose purpose) : pattern_(pattern), purpose_(purpose) {}

  arrow::Result<std::shared_ptr<const DateTimePattern>> Compile() {
    ARROW_RETURN_NOT_OK(CheckLetters(pattern_, purpose_));
    has_era_ = HasEra();
    sections_.emplace_back();
    size_t i = 0;
    while (i < pattern_.size()) {
      char c = pattern_[i];
      if (IsLetter(c)) {
        size_t begin = i;
        while (i < pattern_.size() && pattern_[i] == c) ++i;
        if (!AddLetters(c, static_cast<int32_t>(i - begin))) return Unrecognized(pattern_);
      } else if (c == '\'') {
        if (!AddQuoted(&i)) return Unrecognized(pattern_);
      } else if (c == '[') {
        sections_.emplace_back();
        value_at_ = kNoValue;
        ++i;
      } else if (c == ']') {
        if (sections_.size() == 1) return Unrecognized(pattern_);
        CloseSection();
        ++i;
      } else if (c == '{' || c == '}' || c == '#') {
        return Unrecognized(pattern_);
      } else {
        AddLiteral(pattern_.substr(i, 1));
        ++i;
      }
    }
    while (sections_.size() > 1) CloseSection();
    std::shared_ptr<DateTimePattern> result(new DateTimePattern);
    result->text_ = pattern_;
    result->ops_ = std::move(sections_[0]);
    result->writes_zone_ = writes_zone_;
    result->writes_zone_name_ = writes_zone_name_;
    result->writes_full_zone_name_ = writes_full_zone_name_;
    result->is_iso_timestamp_ = pattern_ == DateTimePattern::kIsoTimestamp;
    return std::shared_ptr<const DateTimePattern>(std::move(result));
  }

 private:
  static constexpr size_t kNoValue = SIZE_MAX;

  bool HasEra() const {
    bool quoted = false;
    for (char c : pattern_) {
      if (c == '\'') quoted = !quoted;
      if (c == 'G' && !quoted) return true;
    }
    return false;
  }

  void Append(Op op) {
    sections_.back().push_back(std::move(op));
    value_at_ = kNoValue;
  }

  // Numbers side by side share their digits: the first may be wide, the fixed ones after it take theirs from the end.
  void AppendValue(Op op) {
    std::vector<Op>& ops = sections_.back();
    bool fixed = op.min_width == op.max_width && op.sign == Sign::kNever;
    if (value_at_ != kNoValue && fixed) {
      ops[value_at_].subsequent_width += op.max_width;
      size_t first = value_at_;
      ops.push_back(std::move(op));
      value_at_ = first;
    } else {
      ops.push_back(std::move(op));
      value_at_ = ops.size() - 1;
    }
  }

  void AddLiteral(std::string_view text) {
    std::vector<Op>& ops = sections_.back();
    if (!ops.empty() && ops.back().kind == OpKind::kLiteral) {
      ops.back().text.append(text);
      value_at_ = kNoValue;
    } else {
      Append(Op{.kind = OpKind::kLiteral, .text = std::string(text)});
    }
  }

  bool AddQuoted(size_t* i) {
    std::string literal;
    size_t at = *i + 1;
    for (;; ++at) {
      if (at >= pattern_.size()) return false;
      if (pattern_[at] != '\'') {
        literal.push_back(pattern_[at]);
      } else if (at + 1 < pattern_.size() && pattern_[at + 1] == '\'') {
        literal.push_back('\'');
        ++at;
      } else {
        break;
      }
    }
    AddLiteral(at == *i + 1 ? "'" : std::string_view(literal));
    *i = at + 1;
    return true;
  }

  void CloseSection() {
    std::vector<Op> section = std::move(sections_.back());
    sections_.pop_back();
    Append(Op{.kind = OpKind::kOptional, .section = std::move(section)});
  }

  bool AddNumber(Field field, int32_t count, int32_t max_count) {
    if (count > max_count) return false;
    if (count == 1) {
      AppendValue(Op{.kind = OpKind::kNumber, .field = field});
    } else {
      AppendValue(
          Op{.kind = OpKind::kNumber, .field = field, .sign = Sign::kNever, .min_width = count, .max_width = count});
    }
    return true;
  }

  bool AddNumberOrText(Field field, int32_t count) {
    if (count <= 2) return AddNumber(field, count, 2);
    Append(Op{.kind = count == 3 ? OpKind::kShortText : OpKind::kFullText, .field = field});
    return true;
  }

  bool AddText(Field field, int32_t count) {
    Append(Op{.kind = count <= 3 ? OpKind::kShortText : OpKind::kFullText, .field = field});
    return true;
  }

  bool AddOffset(int32_t form, std::string_view none) {
    writes_zone_ = true;
    Append(Op{.kind = OpKind::kOffset, .min_width = form, .text = std::string(none)});
    return true;
  }

  bool AddLetters(char c, int32_t count) {
    switch (c) {
      case 'y':
        return AddYear(has_era_ ? Field::kYearOfEra : Field::kYear, count);
      case 'G':
        return AddText(Field::kEra, count);
      case 'M':
      case 'L':
        return AddNumberOrText(Field::kMonth, count);
      case 'Q':
      case 'q':
        return AddNumberOrText(Field::kQuarter, count);
      case 'E':
        return AddText(Field::kDayOfWeek, count);
      case 'd':
        return AddNumber(Field::kDay, count, 2);
      case 'H':
        return AddNumber(Field::kHourOfDay, count, 2);
      case 'k':
        return AddNumber(Field::kClockHourOfDay, count, 2);
      case 'K':
        return AddNumber(Field::kHourOfAmPm, count, 2);
      case 'h':
        return AddNumber(Field::kClockHourOfAmPm, count, 2);
      case 'm':
        return AddNumber(Field::kMinute, count, 2);
      case 's':
        return AddNumber(Field::kSecond, count, 2);
      case 'F':
        return AddNumber(Field::kAlignedDayOfWeek, count, 1);
      case 'a':
        return count == 1 && AddText(Field::kAmPm, count);
      case 'g':
        AppendValue(Op{.kind = OpKind::kNumber, .field = Field::kModifiedJulianDay, .min_width = count});
        return count <= 19;
      case 'D':
        if (count == 1) return AddNumber(Field::kDayOfYear, 1, 1);
        AppendValue(Op{.kind = OpKind::kNumber,
                       .field = Field::kDayOfYear,
                       .sign = Sign::kNever,
                       .min_width = count,
                       .max_width = 3});
        return count <= 3;
      case 'S':
        return AddFraction(count);
      case 'X':
        return AddIsoOffset(count, "Z");
      case 'x':
        return AddIsoOffset(count, count == 1 ? "+00" : count == 2 || count == 4 ? "+0000" : "+00:00");
      case 'Z':
        if (count == 4) return AddLocalizedOffset(4);
        return count <= 3 ? AddOffset(2, "+0000") : count == 5 && AddOffset(5, "Z");
      case 'O':
        return (count == 1 || count == 4) && AddLocalizedOffset(count);
      case 'V':
        writes_zone_ = true;
        Append(Op{.kind = OpKind::kZoneId});
        return count == 2;
      case 'z':
        writes_zone_ = writes_zone_name_ = true;
        writes_full_zone_name_ = writes_full_zone_name_ || count == 4;
        Append(Op{.kind = OpKind::kZoneName, .min_width = count});
        return count <= 4;
      default:
        return false;
    }
  }

  bool AddYear(Field field, int32_t count) {
    if (count == 2) {
      AppendValue(
          Op{.kind = OpKind::kReducedYear, .field = field, .sign = Sign::kNever, .min_width = 2, .max_width = 2});
    } else {
      Sign sign = count < 4 ? Sign::kNormal : Sign::kExceedsPad;
      AppendValue(Op{.kind = OpKind::kNumber, .field = field, .sign = sign, .min_width = count});
    }
    return true;
  }

  bool AddFraction(int32_t count) {
    if (count > 9) return false;
    Op op{
        .kind = OpKind::kFraction, .field = Field::kNano, .sign = Sign::kNever, .min_width = count, .max_width = count};
    if (purpose_ == Purpose::kParseTimestamp) op.min_width = 1;
    if (op.min_width == op.max_width) {
      AppendValue(std::move(op));
    } else {
      Append(std::move(op));
    }
    return true;
  }

  bool AddIsoOffset(int32_t count, std::string_view none) { return count <= 5 && AddOffset(count, none); }

  bool AddLocalizedOffset(int32_t count) {
    writes_zone_ = true;
    Append(Op{.kind = OpKind::kLocalizedOffset, .min_width = count});
    return true;
  }

  std::string_view pattern_;
  Purpose purpose_;
  bool has_era_ = false;
  bool writes_zone_ = false;
  bool writes_zone_name_ = false;
  bool writes_full_zone_name_ = false;
  std::vector<std::vector<Op>> sections_;
  // In the innermost section: the number that numbers right after it extend.
  size_t value_at_ = kNoValue;
};

namespace {

// One instant, taken apart.
struct Moment {
  int64_t local_seconds = 0;
  int32_t micros = 0;
  CivilDate date{};
  int32_t second_of_day = 0;
  int32_t offset_seconds = 0;
  int64_t utc_us = 0;
  /// Null for wall clock readings.
  const TimeZone* zone = nullptr;
};

Moment Split(int64_t local_seconds, int32_t micros) {
  Moment moment;
  moment.local_seconds = local_seconds;
  moment.micros = micros;
  moment.date = CivilFromDays(FloorDiv(local_seconds, 86400));
  moment.second_of_day = static_cast<int32_t>(FloorMod(local_seconds, 86400));
  return moment;
}

int64_t FieldValue(const Moment& m, Field field) {
  int32_t hour = m.second_of_day / 3600;
  switch (field) {
    case Field::kEra:
      return m.date.year > 0 ? 1 : 0;
    case Field::kYear:
      return m.date.year;
    case Field::kYearOfEra:
      return m.date.year > 0 ? m.date.year : 1 - m.date.year;
    case Field::kMonth:
      return m.date.month;
    case Field::kDay:
      return m.date.day;
    case Field::kDayOfYear:
      return DayOfYear(m.date);
    case Field::kQuarter:
      return (m.date.month + 2) / 3;
    case Field::kDayOfWeek:
      return IsoDayOfWeek(FloorDiv(m.local_seconds, 86400));
    case Field::kAlignedDayOfWeek:
      return (m.date.day - 1) % 7 + 1;
    case Field::kModifiedJulianDay:
      return FloorDiv(m.local_seconds, 86400) + 40587;
    case Field::kAmPm:
      return hour / 12;
    case Field::kHourOfDay:
      return hour;
    case Field::kClockHourOfDay:
      return hour == 0 ? 24 : hour;
    case Field::kHourOfAmPm:
      return hour % 12;
    case Field::kClockHourOfAmPm:
      return hour % 12 == 0 ? 12 : hour % 12;
    case Field::kMinute:
      return m.second_of_day / 60 % 60;
    case Field::kSecond:
      return m.second_of_day % 60;
    case Field::kNano:
      return int64_t{m.micros} * 1000;
    case Field::kNumFields:
      break;
  }
  return 0;
}

void AppendPadded(uint64_t value, int32_t width, std::string* out) {
  char digits[24];
  int count = 0;
  do {
    digits[count++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value > 0);
  while (count < width && count < 24) digits[count++] = '0';
  while (count > 0) out->push_back(digits[--count]);
}

void AppendNumber(const Op& op, int64_t value, std::string* out) {
  uint64_t absolute = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  if (value < 0) {
    out->push_back('-');
  } else if (op.sign == Sign::kExceedsPad) {
    uint64_t limit = 1;
    for (int32_t i = 0; i < op.min_width && limit < 1000000000000000000u; ++i) limit *= 10;
    if (absolute >= limit) out->push_back('+');
  }
  AppendPadded(absolute, op.min_width, out);
}

// Forms 1 +HHmm · 2 +HHMM · 3 +HH:MM · 4 +HHMMss · 5 +HH:MM:ss (lower case: only when not zero).
void AppendOffset(const Op& op, int32_t offset_seconds, std::string* out) {
  int32_t absolute = offset_seconds < 0 ? -offset_seconds : offset_seconds;
  int32_t hours = absolute / 3600, minutes = absolute / 60 % 60, seconds = absolute % 60;
  int32_t form = op.min_width;
  bool with_seconds = form >= 4 && seconds != 0;
  if (hours == 0 && minutes == 0 && !with_seconds) {
    out->append(op.text);
    return;
  }
  bool colons = form == 3 || form == 5;
  out->push_back(offset_seconds < 0 ? '-' : '+');
  AppendPadded(hours, 2, out);
  if (form > 1 || minutes != 0) {
    if (colons) out->push_back(':');
    AppendPadded(minutes, 2, out);
  }
  if (with_seconds) {
    if (colons) out->push_back(':');
    AppendPadded(seconds, 2, out);
  }
}

void AppendLocalizedOffset(bool full, int32_t offset_seconds, std::string* out) {
  out->append("GMT");
  if (offset_seconds == 0) return;
  int32_t absolute = offset_seconds < 0 ? -offset_seconds : offset_seconds;
  int32_t minutes = absolute / 60 % 60, seconds = absolute % 60;
  out->push_back(offset_seconds < 0 ? '-' : '+');
  AppendPadded(absolute / 3600, full ? 2 : 1, out);
  if (full || minutes != 0 || seconds != 0) {
    out->push_back(':');
    AppendPadded(minutes, 2, out);
  }
  if (seconds != 0) {
    out->push_back(':');
    AppendPadded(seconds, 2, out);
  }
}

bool NeedsZone(const std::vector<Op>& ops) {
  for (const Op& op : ops) {
    if (op.kind == OpKind::kOffset || op.kind == OpKind::kLocalizedOffset || op.kind == OpKind::kZoneId ||
        op.kind == OpKind::kZoneName) {
      return true;
    }
  }
  return false;
}

void AppendOps(const std::vector<Op>& ops, const Moment& m, std::string* out) {
  for (const Op& op : ops) {
    switch (op.kind) {
      case OpKind::kLiteral:
        out->append(op.text);
        break;
      case OpKind::kNumber:
        AppendNumber(op, FieldValue(m, op.field), out);
        break;
      case OpKind::kReducedYear:
        AppendPadded(std::abs(FieldValue(m, op.field)) % 100, 2, out);
        break;
      case OpKind::kFraction: {
        int64_t nanos = int64_t{m.micros} * 1000;
        for (int32_t i = op.max_width; i < 9; ++i) nanos /= 10;
        AppendPadded(nanos, op.max_width, out);
        break;
      }
      case OpKind::kShortText:
        out->append(FieldText(op.field, FieldValue(m, op.field), false));
        break;
      case OpKind::kFullText:
        out->append(FieldText(op.field, FieldValue(m, op.field), true));
        break;
      case OpKind::kOffset:
        AppendOffset(op, m.offset_seconds, out);
        break;
      case OpKind::kLocalizedOffset:
        AppendLocalizedOffset(op.min_width == 4, m.offset_seconds, out);
        break;
      case OpKind::kZoneId:
        out->append(m.zone->id());
        break;
      case OpKind::kZoneName:
        out->append(ZoneName(*m.zone, m.utc_us, op.min_width == 4).value_or(m.zone->id()));
        break;
      case OpKind::kOptional:
        if (m.zone != nullptr || !NeedsZone(op.section)) AppendOps(op.section, m, out);
        break;
    }
  }
}

char* PutTwo(char* p, int32_t value) {
  *p++ = static_cast<char>('0' + value / 10);
  *p++ = static_cast<char>('0' + value % 10);
  return p;
}

// yyyy-MM-dd'T'HH:mm:ss.SSSXXX for years of four digits and offsets of whole minutes.
void AppendIso(const Moment& m, std::string* out) {
  char buffer[32];
  char* p = PutTwo(buffer, static_cast<int32_t>(m.date.year / 100));
  p = PutTwo(p, static_cast<int32_t>(m.date.year % 100));
  *p++ = '-';
  p = PutTwo(p, m.date.month);
  *p++ = '-';
  p = PutTwo(p, m.date.day);
  *p++ = 'T';
  p = PutTwo(p, m.second_of_day / 3600);
  *p++ = ':';
  p = PutTwo(p, m.second_of_day / 60 % 60);
  *p++ = ':';
  p = PutTwo(p, m.second_of_day % 60);
  *p++ = '.';
  int32_t millis = m.micros / 1000;
  *p++ = static_cast<char>('0' + millis / 100);
  p = PutTwo(p, millis % 100);
  if (m.offset_seconds == 0) {
    *p++ = 'Z';
  } else {
    int32_t minutes = (m.offset_seconds < 0 ? -m.offset_seconds : m.offset_seconds) / 60;
    *p++ = m.offset_seconds < 0 ? '-' : '+';
    p = PutTwo(p, minutes / 60);
    *p++ = ':';
    p = PutTwo(p, minutes % 60);
  }
  out->append(buffer, p - buffer);
}

}  // namespace

arrow::Result<std::shared_ptr<const DateTimePattern>> DateTimePattern::Compile(std::string_view pattern,
                                                                               Purpose purpose) {
  return PatternCompiler(pattern, purpose).Compile();
}

arrow::Result<std::shared_ptr<const DateTimePattern>> DateTimePattern::CompileLegacy(std::string_view pattern,
                                                                                     Purpose purpose) {
  auto compiled = std::shared_ptr<DateTimePattern>(new DateTimePattern);
  compiled->text_ = pattern;
  compiled->legacy_ = SimpleDatePattern::Compile(pattern, purpose != Purpose::kFormat);
  if (!compiled->legacy_) {
    return UserError("INVALID_DATETIME_PATTERN.WITH_SUGGESTION",
                     {{"pattern", QuoteStringLiteral(pattern)}, {"docroot", std::string(kDocRoot)}});
  }
  compiled->writes_full_zone_name_ = compiled->legacy_->writes_zone_name(/*full=*/true);
  compiled->writes_zone_name_ = compiled->writes_full_zone_name_ || compiled->legacy_->writes_zone_name(false);
  return compiled;
}

arrow::Status DateTimePattern::CheckZone(const TimeZone& zone) const {
  if (!writes_zone_name_) return arrow::Status::OK();
  // Every offset the zone has had lately must have a name.
  constexpr int64_t kJanuary = 1704067200, kJuly = 1719792000;
  for (int64_t second : {kJanuary, kJuly}) {
    if (!ZoneName(zone, second * kMicrosPerSecond, writes_full_zone_name_)) {
      if (!writes_full_zone_name_ && zone.is_fixed()) continue;
      return Unrecognized(text_);
    }
  }
  return arrow::Status::OK();
}

void DateTimePattern::Format(int64_t utc_us, const TimeZone& zone, std::string* out) const {
  if (legacy_) return legacy_->Format(utc_us, zone, out);
  int32_t offset_seconds = zone.OffsetSeconds(utc_us);
  Moment moment = Split(FloorDiv(utc_us, kMicrosPerSecond) + offset_seconds,
                        static_cast<int32_t>(FloorMod(utc_us, kMicrosPerSecond)));
  moment.offset_seconds = offset_seconds;
  moment.utc_us = utc_us;
  moment.zone = &zone;
  if (is_iso_timestamp_ && moment.date.year >= 0 && moment.date.year <= 9999 && offset_seconds % 60 == 0) {
    AppendIso(moment, out);
  } else {
    AppendOps(ops_, moment, out);
  }
}

void DateTimePattern::FormatNtz(int64_t local_us, std::string* out) const {
  AppendOps(ops_,
            Split(FloorDiv(local_us, kMicrosPerSecond), static_cast<int32_t>(FloorMod(local_us, kMicrosPerSecond))),
            out);
}

}  // namespace millrace::types
