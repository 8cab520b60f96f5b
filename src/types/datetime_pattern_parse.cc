#include <fmt/format.h>

#include <array>
#include <limits>
#include <optional>

#include "base/ascii.h"
#include "types/datetime_pattern.h"
#include "types/datetime_text.h"
#include "types/pattern_text.h"
#include "types/zone_name.h"

/// Parsing by a compiled pattern, in java.time's two steps: read fields off the text, then make a date and time of
/// them.

namespace millrace::types {

using Field = DateTimePattern::Field;
using Op = DateTimePattern::Op;
using OpKind = DateTimePattern::OpKind;
using Sign = DateTimePattern::Sign;

namespace {

constexpr auto kNumFields = static_cast<size_t>(Field::kNumFields);

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// What has been read so far. Small enough to be copied where an optional section begins.
struct Fields {
  std::array<int64_t, kNumFields> values{};
  uint32_t present = 0;
  bool has_offset = false;
  int32_t offset_seconds = 0;
  const TimeZone* zone = nullptr;

  bool Has(Field field) const { return (present >> static_cast<int>(field)) & 1; }
  int64_t Get(Field field) const { return values[static_cast<size_t>(field)]; }
  int64_t GetOr(Field field, int64_t otherwise) const { return Has(field) ? Get(field) : otherwise; }
  /// False when the field was read before with another value.
  bool Set(Field field, int64_t value) {
    if (Has(field) && Get(field) != value) return false;
    present |= 1u << static_cast<int>(field);
    values[static_cast<size_t>(field)] = value;
    return true;
  }
};

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  // Advances *position, or sets it to where the text stops fitting.
  bool Read(const std::vector<Op>& ops, size_t* position, Fields* fields) const {
    for (const Op& op : ops) {
      if (!ReadOne(op, position, fields)) return false;
    }
    return true;
  }

 private:
  bool ReadOne(const Op& op, size_t* position, Fields* fields) const {
    switch (op.kind) {
      case OpKind::kLiteral:
        if (!StartsWith(*position, op.text)) return false;
        *position += op.text.size();
        return true;
      case OpKind::kNumber:
        return ReadNumber(op, position, fields);
      case OpKind::kReducedYear:
        return ReadReducedYear(op, position, fields);
      case OpKind::kFraction:
        return ReadFraction(op, position, fields);
      case OpKind::kShortText:
        return ReadText(op, false, position, fields);
      case OpKind::kFullText:
        return ReadText(op, true, position, fields);
      case OpKind::kOffset:
        return ReadOffset(op.min_width, op.text, position, fields);
      case OpKind::kLocalizedOffset:
        return ReadLocalizedOffset(position, fields);
      case OpKind::kZoneId:
      case OpKind::kZoneName:
        return ReadZone(op.kind == OpKind::kZoneName, position, fields);
      case OpKind::kOptional: {
        size_t end = *position;
        Fields tried = *fields;
        if (Read(op.section, &end, &tried)) {
          *position = end;
          *fields = tried;
        }
        return true;
      }
    }
    return false;
  }

  bool StartsWith(size_t position, std::string_view word) const {
    return text_.size() >= position + word.size() && EqualsIgnoreCase(text_.substr(position, word.size()), word);
  }

  size_t DigitsAt(size_t position, size_t limit) const {
    size_t end = position;
    while (end < text_.size() && end - position < limit && IsDigit(text_[end])) ++end;
    return end - position;
  }

  bool Value(size_t position, size_t count, int64_t* value) const {
    int64_t result = 0;
    for (size_t i = position; i < position + count; ++i) {
      if (__builtin_mul_overflow(result, 10, &result) || __builtin_add_overflow(result, text_[i] - '0', &result)) {
        return false;
      }
    }
    *value = result;
    return true;
  }

  bool ReadNumber(const Op& op, size_t* position, Fields* fields) const {
    size_t begin = *position;
    bool plus = false, minus = false;
    if (begin < text_.size() && (text_[begin] == '+' || text_[begin] == '-')) {
      plus = text_[begin] == '+';
      minus = !plus;
      if (op.sign == Sign::kNever || (plus && op.sign != Sign::kExceedsPad)) return false;
      *position = ++begin;
    }
    auto min_width = static_cast<size_t>(op.min_width);
    size_t count = DigitsAt(begin, static_cast<size_t>(op.max_width + op.subsequent_width));
    if (count < min_width) return false;
    if (op.subsequent_width > 0) {
      auto later = static_cast<size_t>(op.subsequent_width);
      count = std::max(min_width, count > later ? count - later : 0);
    }
    int64_t value = 0;
    if (!Value(begin, count, &value)) return false;
    if (minus && value == 0) {
      *position = begin - 1;
      return false;
    }
    if (!minus && op.sign == Sign::kExceedsPad) {
      if (plus && count <= min_width) {
        *position = begin - 1;
        return false;
      }
      if (!plus && count > min_width) return false;
    }
    if (!fields->Set(op.field, minus ? -value : value)) return false;
    *position = begin + count;
    return true;
  }

  bool ReadReducedYear(const Op& op, size_t* position, Fields* fields) const {
    if (DigitsAt(*position, 2) < 2) return false;
    int64_t value = 0;
    Value(*position, 2, &value);
    if (!fields->Set(op.field, 2000 + value)) return false;
    *position += 2;
    return true;
  }

  bool ReadFraction(const Op& op, size_t* position, Fields* fields) const {
    size_t count = DigitsAt(*position, static_cast<size_t>(op.max_width));
    if (count < static_cast<size_t>(op.min_width)) return false;
    int64_t nanos = 0;
    Value(*position, count, &nanos);
    for (size_t i = count; i < 9; ++i) nanos *= 10;
    if (!fields->Set(op.field, nanos)) return false;
    *position += count;
    return true;
  }

  bool ReadText(const Op& op, bool full, size_t* position, Fields* fields) const {
    int64_t value = FirstFieldText(op.field);
    for (std::string_view word : FieldTexts(op.field, full)) {
      if (StartsWith(*position, word)) {
        if (!fields->Set(op.field, value)) return false;
        *position += word.size();
        return true;
      }
      ++value;
    }
    return false;
  }

  bool TwoDigits(size_t position, int32_t limit, int32_t* value) const {
    if (DigitsAt(position, 2) < 2) return false;
    *value = (text_[position] - '0') * 10 + (text_[position + 1] - '0');
    return *value <= limit;
  }

  bool SetOffset(int32_t seconds, size_t end, size_t* position, Fields* fields) const {
    if (seconds > 18 * 3600 || seconds < -18 * 3600) return false;
    if (fields->has_offset && fields->offset_seconds != seconds) return false;
    fields->has_offset = true;
    fields->offset_seconds = seconds;
    *position = end;
    return true;
  }

  // `form` as the pattern letter's count; see AppendOffset.
  bool ReadOffset(int32_t form, std::string_view none, size_t* position, Fields* fields) const {
    size_t at = *position;
    if (!none.empty() && StartsWith(at, none)) return SetOffset(0, at + none.size(), position, fields);
    if (at >= text_.size() || (text_[at] != '+' && text_[at] != '-')) return false;
    int32_t sign = text_[at] == '-' ? -1 : 1;
    bool colons = form == 3 || form == 5;
    int32_t hours = 0, minutes = 0, seconds = 0;
    if (!TwoDigits(++at, 99, &hours)) return false;
    at += 2;
    auto part = [&](int32_t* value) {
      size_t digits = at;
      if (colons) {
        if (digits >= text_.size() || text_[digits] != ':') return false;
        ++digits;
      }
      if (!TwoDigits(digits, 59, value)) return false;
      at = digits + 2;
      return true;
    };
    bool has_minutes = part(&minutes);
    if (!has_minutes && form > 1) return false;
    if (has_minutes && form >= 4 && !part(&seconds)) seconds = 0;
    return SetOffset(sign * (hours * 3600 + minutes * 60 + seconds), at, position, fields);
  }

  bool ReadLocalizedOffset(size_t* position, Fields* fields) const {
    size_t at = *position;
    if (!StartsWith(at, "GMT")) return false;
    at += 3;
    if (at >= text_.size() || (text_[at] != '+' && text_[at] != '-')) return SetOffset(0, at, position, fields);
    int32_t sign = text_[at] == '-' ? -1 : 1;
    size_t digits = DigitsAt(++at, 2);
    int64_t hours = 0;
    int32_t minutes = 0;
    if (digits == 0) return false;
    Value(at, digits, &hours);
    at += digits;
    if (at < text_.size() && text_[at] == ':' && TwoDigits(at + 1, 59, &minutes)) at += 3;
    return SetOffset(sign * (static_cast<int32_t>(hours) * 3600 + minutes * 60), at, position, fields);
  }

  bool ReadZone(bool names_too, size_t* position, Fields* fields) const {
    size_t at = *position;
    if (at >= text_.size()) return false;
    if (text_[at] == '+' || text_[at] == '-') return ReadOffset(5, "", position, fields);
    size_t length = 0;
    const TimeZone* zone = MatchZoneName(text_.substr(at), names_too, &length);
    if (zone == nullptr) return false;
    fields->zone = zone;
    *position = at + length;
    return true;
  }

  std::string_view text_;
};

constexpr std::string_view kMonthNames[] = {"JANUARY", "FEBRUARY", "MARCH",     "APRIL",   "MAY",      "JUNE",
                                            "JULY",    "AUGUST",   "SEPTEMBER", "OCTOBER", "NOVEMBER", "DECEMBER"};

struct FieldRange {
  Field field;
  std::string_view name;
  std::string_view range;
  int64_t min;
  int64_t max;
};

constexpr FieldRange kTimeRanges[] = {
    {Field::kClockHourOfDay, "ClockHourOfDay", "1 - 24", 1, 24},
    {Field::kAmPm, "AmPmOfDay", "0 - 1", 0, 1},
    {Field::kHourOfAmPm, "HourOfAmPm", "0 - 11", 0, 11},
    {Field::kClockHourOfAmPm, "ClockHourOfAmPm", "1 - 12", 1, 12},
    {Field::kHourOfDay, "HourOfDay", "0 - 23", 0, 23},
    {Field::kMinute, "MinuteOfHour", "0 - 59", 0, 59},
    {Field::kSecond, "SecondOfMinute", "0 - 59", 0, 59},
};

bool InRange(const FieldRange& range, int64_t value, PatternMismatch* mismatch) {
  if (value >= range.min && value <= range.max) return true;
  if (mismatch != nullptr) {
    mismatch->message = fmt::format("Invalid value for {} (valid values {}): {}", range.name, range.range, value);
  }
  return false;
}

// java.time.LocalDate.of and its complaints.
bool CivilOf(int64_t year, int64_t month, int64_t day, int64_t* days, PatternMismatch* mismatch) {
  constexpr FieldRange kYear{Field::kYear, "Year", "-999999999 - 999999999", -999999999, 999999999};
  constexpr FieldRange kMonth{Field::kMonth, "MonthOfYear", "1 - 12", 1, 12};
  constexpr FieldRange kDay{Field::kDay, "DayOfMonth", "1 - 28/31", 1, 31};
  if (!InRange(kYear, year, mismatch) || !InRange(kMonth, month, mismatch) || !InRange(kDay, day, mismatch)) {
    return false;
  }
  auto m = static_cast<int32_t>(month), d = static_cast<int32_t>(day);
  if (!IsValidCivil(year, m, d)) {
    if (mismatch != nullptr) {
      mismatch->message = d == 29 ? fmt::format("Invalid date 'February 29' as '{}' is not a leap year", year)
                                  : fmt::format("Invalid date '{} {}'", kMonthNames[m - 1], d);
    }
    return false;
  }
  *days = DaysFromCivil(year, m, d);
  return true;
}

bool YearDayOf(int64_t year, int64_t day_of_year, int64_t* days, PatternMismatch* mismatch) {
  constexpr FieldRange kDay{Field::kDayOfYear, "DayOfYear", "1 - 365/366", 1, 366};
  if (!InRange(kDay, day_of_year, mismatch)) return false;
  if (day_of_year == 366 && !IsLeapYear(year)) {
    if (mismatch != nullptr) {
      mismatch->message = fmt::format("Invalid date 'DayOfYear 366' as '{}' is not a leap year", year);
    }
    return false;
  }
  *days = DaysFromCivil(year, 1, 1) + day_of_year - 1;
  return true;
}

void SetKind(PatternMismatch* mismatch, PatternMismatch::Kind kind) {
  if (mismatch != nullptr) mismatch->kind = kind;
}

// Whether what the text says of a date beside what made it is true of it.
bool AgreesWith(int64_t days, const Fields& fields, PatternMismatch* mismatch) {
  CivilDate date = CivilFromDays(days);
  const struct {
    Field field;
    const char* name;
    int64_t derived;
  } kParts[] = {{Field::kMonth, "MonthOfYear", date.month},
                {Field::kDay, "DayOfMonth", date.day},
                {Field::kDayOfYear, "DayOfYear", DayOfYear(date)}};
  for (const auto& part : kParts) {
    if (!fields.Has(part.field) || fields.Get(part.field) == part.derived) continue;
    if (mismatch != nullptr) {
      // Java blames a date in full, Spark one it has filled up.
      bool raw = mismatch->kind == PatternMismatch::Kind::kRaw;
      int64_t first = raw ? fields.Get(part.field) : part.derived;
      int64_t second = raw ? part.derived : fields.Get(part.field);
      mismatch->message =
          fmt::format("Conflict found: Field {} {} differs from {} {} derived from {:04}-{:02}-{:02}{}", part.name,
                      first, part.name, second, date.year, date.month, date.day, raw ? "." : "");
    }
    return false;
  }
  return true;
}

bool ResolveDate(const Fields& fields, int64_t* days, PatternMismatch* mismatch) {
  if (fields.Has(Field::kModifiedJulianDay)) {
    *days = fields.Get(Field::kModifiedJulianDay) - 40587;
    return true;
  }
  std::optional<int64_t> year;
  if (fields.Has(Field::kYear)) year = fields.Get(Field::kYear);
  if (fields.Has(Field::kYearOfEra)) {
    int64_t of_era = fields.Get(Field::kYearOfEra);
    year = fields.GetOr(Field::kEra, 1) == 1 ? of_era : 1 - of_era;
  }
  // A date that the text gives in full is blamed on the text; what is filled up is not.
  bool full = year && ((fields.Has(Field::kMonth) && fields.Has(Field::kDay)) || fields.Has(Field::kDayOfYear));
  SetKind(mismatch, full ? PatternMismatch::Kind::kValue : PatternMismatch::Kind::kRaw);
  if (fields.Has(Field::kDayOfYear) && !(year && fields.Has(Field::kMonth) && fields.Has(Field::kDay))) {
    return YearDayOf(year.value_or(1970), fields.Get(Field::kDayOfYear), days, mismatch) &&
           AgreesWith(*days, fields, mismatch);
  }
  return CivilOf(year.value_or(1970), fields.GetOr(Field::kMonth, 1), fields.GetOr(Field::kDay, 1), days, mismatch) &&
         AgreesWith(*days, fields, mismatch);
}

bool ResolveTime(const Fields& fields, int64_t* second_of_day, int64_t* micros, PatternMismatch* mismatch) {
  SetKind(mismatch, PatternMismatch::Kind::kValue);
  for (const FieldRange& range : kTimeRanges) {
    if (fields.Has(range.field) && !InRange(range, fields.Get(range.field), mismatch)) return false;
  }
  int64_t hour = 0;
  if (fields.Has(Field::kHourOfDay)) {
    hour = fields.Get(Field::kHourOfDay);
  } else if (fields.Has(Field::kClockHourOfDay)) {
    hour = fields.Get(Field::kClockHourOfDay) % 24;
  } else if (fields.Has(Field::kHourOfAmPm) || fields.Has(Field::kClockHourOfAmPm)) {
    hour = fields.Has(Field::kHourOfAmPm) ? fields.Get(Field::kHourOfAmPm) : fields.Get(Field::kClockHourOfAmPm) % 12;
    hour += 12 * fields.GetOr(Field::kAmPm, 0);
  } else {
    hour = 12 * fields.GetOr(Field::kAmPm, 0);
  }
  *second_of_day = hour * 3600 + fields.GetOr(Field::kMinute, 0) * 60 + fields.GetOr(Field::kSecond, 0);
  *micros = fields.GetOr(Field::kNano, 0) / 1000;
  return true;
}

bool ReadFields(std::string_view text, const std::vector<Op>& ops, Fields* fields, PatternMismatch* mismatch) {
  size_t position = 0;
  bool fits = Reader(text).Read(ops, &position, fields);
  if (fits && position == text.size()) return true;
  if (mismatch != nullptr) {
    mismatch->kind = fits ? PatternMismatch::Kind::kTrailing : PatternMismatch::Kind::kAtIndex;
    mismatch->index = position;
  }
  return false;
}

bool ToMicros(int64_t days, int64_t second_of_day, int64_t micros, int64_t* local_us, PatternMismatch* mismatch) {
  __int128 us = (static_cast<__int128>(days) * 86400 + second_of_day) * kMicrosPerSecond + micros;
  if (us > std::numeric_limits<int64_t>::max() || us < std::numeric_limits<int64_t>::min()) {
    if (mismatch != nullptr) {
      mismatch->kind = PatternMismatch::Kind::kRaw;
      mismatch->message = "long overflow";
    }
    return false;
  }
  *local_us = static_cast<int64_t>(us);
  return true;
}

bool ResolveLocal(const Fields& fields, int64_t* local_us, PatternMismatch* mismatch) {
  int64_t days = 0, second_of_day = 0, micros = 0;
  return ResolveDate(fields, &days, mismatch) && ResolveTime(fields, &second_of_day, &micros, mismatch) &&
         ToMicros(days, second_of_day, micros, local_us, mismatch);
}

// UTF-16 units in the first `bytes` bytes: what Java counts.
size_t JavaIndex(std::string_view text, size_t bytes) {
  size_t units = 0;
  for (size_t i = 0; i < bytes && i < text.size(); ++i) {
    auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0) != 0x80) units += byte >= 0xF0 ? 2 : 1;
  }
  return units;
}

}  // namespace

std::string PatternMismatch::Render(std::string_view text) const {
  std::string shown(text.substr(0, 64));
  if (text.size() > 64) shown += "...";
  switch (kind) {
    case Kind::kAtIndex:
      return fmt::format("Text '{}' could not be parsed at index {}", shown, JavaIndex(text, index));
    case Kind::kTrailing:
      return fmt::format("Text '{}' could not be parsed, unparsed text found at index {}", shown,
                         JavaIndex(text, index));
    case Kind::kValue:
      return fmt::format("Text '{}' could not be parsed: {}", shown, message);
    case Kind::kRaw:
      return message;
  }
  return message;
}

namespace {

bool ParseLegacy(const SimpleDatePattern& pattern, std::string_view text, const TimeZone& zone, int64_t* utc_us,
                 PatternMismatch* mismatch) {
  if (pattern.Parse(text, zone, utc_us)) return true;
  if (mismatch != nullptr) {
    mismatch->kind = PatternMismatch::Kind::kRaw;
    mismatch->message = fmt::format("Unparseable date: \"{}\"", text);
  }
  return false;
}

}  // namespace

bool DateTimePattern::ParseDate(std::string_view text, int32_t* days, PatternMismatch* mismatch) const {
  if (legacy_) {
    int64_t utc_us = 0;
    if (!ParseLegacy(*legacy_, text, *TimeZone::Utc(), &utc_us, mismatch)) return false;
    *days = static_cast<int32_t>(FloorDiv(utc_us, kMicrosPerDay));
    return true;
  }
  Fields fields;
  int64_t result = 0, second_of_day = 0, micros = 0;
  if (!ReadFields(text, ops_, &fields, mismatch) || !ResolveDate(fields, &result, mismatch) ||
      !ResolveTime(fields, &second_of_day, &micros, mismatch)) {
    return false;
  }
  if (result > std::numeric_limits<int32_t>::max() || result < std::numeric_limits<int32_t>::min()) {
    if (mismatch != nullptr) {
      mismatch->kind = PatternMismatch::Kind::kRaw;
      mismatch->message = "integer overflow";
    }
    return false;
  }
  *days = static_cast<int32_t>(result);
  return true;
}

bool DateTimePattern::ParseTimestamp(std::string_view text, const TimeZone& zone, int64_t* utc_us,
                                     PatternMismatch* mismatch) const {
  if (legacy_) return ParseLegacy(*legacy_, text, zone, utc_us, mismatch);
  Fields fields;
  int64_t local_us = 0;
  if (!ReadFields(text, ops_, &fields, mismatch) || !ResolveLocal(fields, &local_us, mismatch)) return false;
  bool fits = fields.has_offset && fields.zone == nullptr
                  ? !__builtin_sub_overflow(local_us, int64_t{fields.offset_seconds} * kMicrosPerSecond, utc_us)
                  : LocalToUtcMicros(local_us, fields.zone != nullptr ? *fields.zone : zone, utc_us);
  if (!fits && mismatch != nullptr) {
    mismatch->kind = PatternMismatch::Kind::kRaw;
    mismatch->message = "long overflow";
  }
  return fits;
}

bool DateTimePattern::ParseTimestampNtz(std::string_view text, bool allow_time_zone, int64_t* local_us,
                                        PatternMismatch* mismatch) const {
  Fields fields;
  if (!ReadFields(text, ops_, &fields, mismatch)) return false;
  if (!allow_time_zone && (fields.has_offset || fields.zone != nullptr)) {
    if (mismatch != nullptr) {
      mismatch->kind = PatternMismatch::Kind::kRaw;
      mismatch->message = "Zoned timestamp in a text without zone";
    }
    return false;
  }
  return ResolveLocal(fields, local_us, mismatch);
}

}  // namespace millrace::types
