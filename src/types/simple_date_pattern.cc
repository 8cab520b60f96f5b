#include "types/simple_date_pattern.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <ctime>

#include "base/ascii.h"
#include "types/datetime_text.h"
#include "types/pattern_text.h"
#include "types/zone_name.h"

namespace millrace::types {

namespace {

using Field = DateTimePattern::Field;

bool IsLetter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Two-digit years are within 80 years before and 20 after now; a fixed now keeps queries repeatable within a process.
int64_t CenturyOf(int64_t two_digits) {
  static const int64_t first = [] {
    std::time_t now = std::time(nullptr);
    return CivilFromDays(FloorDiv(now, int64_t{86400})).year - 80;
  }();
  int64_t year = first - first % 100 + two_digits;
  return year < first ? year + 100 : year;
}

// Weeks begin on Sunday and the first one holds January 1st.
int64_t WeekOf(int64_t days, int64_t first_day) {
  int64_t weekday_of_first = IsoDayOfWeek(first_day) % 7;
  return (days - first_day + weekday_of_first) / 7 + 1;
}

void AppendNumber(int64_t value, int width, std::string* out) {
  if (value < 0) *out += '-';
  *out += fmt::format("{:0{}}", value < 0 ? -value : value, width);
}

void AppendOffset(int32_t seconds, bool colon, std::string* out) {
  int32_t minutes = std::abs(seconds) / 60;
  *out += fmt::format("{}{:02}{}{:02}", seconds < 0 ? '-' : '+', minutes / 60, colon ? ":" : "", minutes % 60);
}

// The longest word of the field at the front of `text`, whatever its case; its value, or -1.
int64_t MatchWord(Field field, std::string_view text, size_t* length) {
  int64_t found = -1;
  *length = 0;
  for (bool full : {true, false}) {
    auto words = FieldTexts(field, full);
    for (size_t i = 0; i < words.size(); ++i) {
      if (words[i].size() <= *length || words[i].size() > text.size()) continue;
      if (!EqualsIgnoreCase(text.substr(0, words[i].size()), words[i])) continue;
      *length = words[i].size();
      found = FirstFieldText(field) + static_cast<int64_t>(i);
    }
  }
  return found;
}

// "+hh:mm", "+hhmm" or "+hh" at the front of `text`: seconds and length; false when there is none.
bool MatchOffset(std::string_view text, int32_t* seconds, size_t* length) {
  if (text.size() < 2 || (text[0] != '+' && text[0] != '-')) return false;
  size_t at = 1;
  int32_t parts[2] = {0, 0};
  for (int part = 0; part < 2; ++part) {
    size_t digits = 0;
    while (digits < 2 && at + digits < text.size() && IsDigit(text[at + digits])) {
      parts[part] = parts[part] * 10 + (text[at + digits] - '0');
      ++digits;
    }
    if (digits == 0) return false;
    at += digits;
    if (part == 0 && at < text.size() && text[at] == ':') {
      ++at;
    } else if (part == 0 && (at >= text.size() || !IsDigit(text[at]))) {
      break;
    }
  }
  if (parts[0] > 23 || parts[1] > 59) return false;
  *seconds = (parts[0] * 60 + parts[1]) * 60 * (text[0] == '-' ? -1 : 1);
  *length = at;
  return true;
}

bool TakesExactWidth(char letter, int count) {
  if (letter == 'M' || letter == 'L') return count <= 2;
  return std::string_view("ydkHmsSDFwWKhYu").find(letter) != std::string_view::npos;
}

}  // namespace

struct SimpleDatePattern::Reading {
  int64_t year = 1970;
  int64_t month = 1;
  int64_t day = 1;
  int64_t day_of_year = 0;
  int64_t weekday = 0;
  int64_t hour = 0;
  int64_t half_day_hour = -1;
  int64_t half = 0;
  int64_t minute = 0;
  int64_t second = 0;
  int64_t milli = 0;
  bool before_christ = false;
  std::optional<int32_t> offset;
  const TimeZone* zone = nullptr;
};

std::optional<SimpleDatePattern> SimpleDatePattern::Compile(std::string_view pattern, bool for_parsing) {
  SimpleDatePattern compiled;
  auto literal = [&](char c) {
    if (compiled.items_.empty() || compiled.items_.back().letter != 0) compiled.items_.push_back({0, 0, ""});
    compiled.items_.back().literal += c;
  };
  for (size_t i = 0; i < pattern.size();) {
    char c = pattern[i];
    if (c == '\'') {
      if (i + 1 < pattern.size() && pattern[i + 1] == '\'') {
        literal('\'');
        i += 2;
        continue;
      }
      for (++i;; ++i) {
        if (i >= pattern.size()) return std::nullopt;
        if (pattern[i] != '\'') {
          literal(pattern[i]);
        } else if (i + 1 < pattern.size() && pattern[i + 1] == '\'') {
          literal(pattern[i++]);
        } else {
          break;
        }
      }
      ++i;
    } else if (IsLetter(c)) {
      size_t begin = i;
      while (i < pattern.size() && pattern[i] == c) ++i;
      int count = static_cast<int>(i - begin);
      if (std::string_view("GyMdkHmsSEDFwWahKzZYuXL").find(c) == std::string_view::npos) return std::nullopt;
      if (c == 'X' && count > 3) return std::nullopt;
      if (for_parsing && std::string_view("FwWYu").find(c) != std::string_view::npos) return std::nullopt;
      compiled.items_.push_back({c, count, ""});
    } else {
      literal(c);
      ++i;
    }
  }
  return compiled;
}

bool SimpleDatePattern::writes_zone_name(bool full) const {
  for (const Item& item : items_) {
    if (item.letter == 'z' && (item.count >= 4) == full) return true;
  }
  return false;
}

void SimpleDatePattern::Format(int64_t utc_us, const TimeZone& zone, std::string* out) const {
  int64_t local_seconds = 0;
  int32_t micros = 0;
  UtcToLocal(utc_us, zone, &local_seconds, &micros);
  int64_t days = FloorDiv(local_seconds, int64_t{86400});
  int64_t second_of_day = FloorMod(local_seconds, int64_t{86400});
  CivilDate date = CivilFromDays(days);
  int64_t hour = second_of_day / 3600;
  int64_t year_of_era = date.year > 0 ? date.year : 1 - date.year;
  int32_t offset = zone.OffsetSeconds(utc_us);
  for (const Item& item : items_) {
    switch (item.letter) {
      case 0:
        *out += item.literal;
        break;
      case 'G':
        *out += date.year > 0 ? "AD" : "BC";
        break;
      case 'y':
      case 'Y': {
        int64_t year = year_of_era;
        if (item.letter == 'Y' && WeekOf(days, DaysFromCivil(date.year + 1, 1, 1)) >= 1 &&
            days >= DaysFromCivil(date.year + 1, 1, 1) - IsoDayOfWeek(DaysFromCivil(date.year + 1, 1, 1)) % 7) {
          ++year;
        }
        AppendNumber(item.count == 2 ? year % 100 : year, item.count, out);
        break;
      }
      case 'M':
      case 'L':
        if (item.count >= 3) {
          *out += FieldText(Field::kMonth, date.month, item.count >= 4);
        } else {
          AppendNumber(date.month, item.count, out);
        }
        break;
      case 'd':
        AppendNumber(date.day, item.count, out);
        break;
      case 'k':
        AppendNumber(hour == 0 ? 24 : hour, item.count, out);
        break;
      case 'H':
        AppendNumber(hour, item.count, out);
        break;
      case 'K':
        AppendNumber(hour % 12, item.count, out);
        break;
      case 'h':
        AppendNumber(hour % 12 == 0 ? 12 : hour % 12, item.count, out);
        break;
      case 'm':
        AppendNumber(second_of_day / 60 % 60, item.count, out);
        break;
      case 's':
        AppendNumber(second_of_day % 60, item.count, out);
        break;
      case 'S':
        AppendNumber(micros / 1000, item.count, out);
        break;
      case 'E':
        *out += FieldText(Field::kDayOfWeek, IsoDayOfWeek(days), item.count >= 4);
        break;
      case 'u':
        AppendNumber(IsoDayOfWeek(days), item.count, out);
        break;
      case 'D':
        AppendNumber(DayOfYear(date), item.count, out);
        break;
      case 'F':
        AppendNumber((date.day - 1) / 7 + 1, item.count, out);
        break;
      case 'w': {
        int64_t next = DaysFromCivil(date.year + 1, 1, 1);
        bool of_next = days >= next - IsoDayOfWeek(next) % 7;
        AppendNumber(of_next ? 1 : WeekOf(days, DaysFromCivil(date.year, 1, 1)), item.count, out);
        break;
      }
      case 'W':
        AppendNumber(WeekOf(days, DaysFromCivil(date.year, date.month, 1)), item.count, out);
        break;
      case 'a':
        *out += hour < 12 ? "AM" : "PM";
        break;
      case 'z':
        if (auto name = ZoneName(zone, utc_us, item.count >= 4)) {
          *out += *name;
        } else {
          *out += "GMT";
          AppendOffset(offset, true, out);
        }
        break;
      case 'Z':
        AppendOffset(offset, false, out);
        break;
      default:  // X
        if (offset == 0) {
          *out += 'Z';
        } else if (item.count == 1) {
          *out += fmt::format("{}{:02}", offset < 0 ? '-' : '+', std::abs(offset) / 3600);
        } else {
          AppendOffset(offset, item.count == 3, out);
        }
    }
  }
}

bool SimpleDatePattern::Read(const Item& item, bool exact_width, std::string_view text, size_t* at,
                             Reading* reading) const {
  while (*at < text.size() && (text[*at] == ' ' || text[*at] == '\t')) ++*at;
  if (*at >= text.size()) return false;
  std::string_view rest = text.substr(*at);
  size_t length = 0;
  auto word = [&](Field field, int64_t* value) {
    *value = MatchWord(field, rest, &length);
    *at += length;
    return length > 0;
  };
  switch (item.letter) {
    case 'G':
      if (rest.size() < 2 ||
          (!EqualsIgnoreCase(rest.substr(0, 2), "AD") && !EqualsIgnoreCase(rest.substr(0, 2), "BC"))) {
        return false;
      }
      reading->before_christ = rest[0] == 'B' || rest[0] == 'b';
      *at += 2;
      return true;
    case 'E':
      return word(Field::kDayOfWeek, &reading->weekday);
    case 'a':
      return word(Field::kAmPm, &reading->half);
    case 'M':
    case 'L':
      if (item.count >= 3) return word(Field::kMonth, &reading->month);
      break;
    case 'z':
    case 'Z':
    case 'X': {
      int32_t seconds = 0;
      if (item.letter == 'X' && rest[0] == 'Z') {
        reading->offset = 0;
        ++*at;
        return true;
      }
      bool greenwich = item.letter != 'X' && rest.size() >= 3 && EqualsIgnoreCase(rest.substr(0, 3), "GMT");
      if (MatchOffset(greenwich ? rest.substr(3) : rest, &seconds, &length)) {
        reading->offset = seconds;
        *at += length + (greenwich ? 3 : 0);
        return true;
      }
      if (item.letter == 'X') return false;
      reading->zone = MatchZoneName(rest, /*names_too=*/true, &length);
      *at += length;
      return reading->zone != nullptr;
    }
    default:
      break;
  }
  // A number; next to another one it has as many digits as the pattern has letters.
  if (exact_width && static_cast<size_t>(item.count) > rest.size()) return false;
  size_t limit = exact_width ? static_cast<size_t>(item.count) : rest.size();
  size_t end = rest[0] == '-' ? 1 : 0;
  size_t first_digit = end;
  while (end < limit && IsDigit(rest[end])) ++end;
  int64_t value = 0;
  auto parsed = std::from_chars(rest.data(), rest.data() + end, value);
  if (end == first_digit || parsed.ec != std::errc()) return false;
  *at += end;
  switch (item.letter) {
    case 'y':
      reading->year = item.count <= 2 && end == 2 && value >= 0 ? CenturyOf(value) : value;
      return value != 0 || item.count <= 2;
    case 'M':
    case 'L':
      reading->month = value;
      return value >= 1 && value <= 12;
    case 'd':
      reading->day = value;
      reading->day_of_year = 0;
      return value >= 1 && value <= 31;
    case 'D':
      reading->day_of_year = value;
      return value >= 1 && value <= 366;
    case 'H':
      reading->hour = value;
      return value >= 0 && value <= 23;
    case 'k':
      reading->hour = value % 24;
      return value >= 1 && value <= 24;
    case 'K':
      reading->half_day_hour = value;
      return value >= 0 && value <= 11;
    case 'h':
      reading->half_day_hour = value % 12;
      return value >= 1 && value <= 12;
    case 'm':
      reading->minute = value;
      return value >= 0 && value <= 59;
    case 's':
      reading->second = value;
      return value >= 0 && value <= 59;
    default:  // S
      reading->milli = value;
      return value >= 0 && value <= 999;
  }
}

bool SimpleDatePattern::Parse(std::string_view text, const TimeZone& zone, int64_t* utc_us) const {
  Reading reading;
  size_t at = 0;
  for (size_t i = 0; i < items_.size(); ++i) {
    const Item& item = items_[i];
    if (item.letter == 0) {
      if (!text.substr(at).starts_with(item.literal)) return false;
      at += item.literal.size();
      continue;
    }
    bool exact_width = i + 1 < items_.size() && items_[i + 1].letter != 0 &&
                       TakesExactWidth(items_[i + 1].letter, items_[i + 1].count);
    if (!Read(item, exact_width, text, &at, &reading)) return false;
  }
  int64_t year = reading.before_christ ? 1 - reading.year : reading.year;
  int64_t days = 0;
  if (reading.day_of_year > 0) {
    if (reading.day_of_year == 366 && !IsLeapYear(year)) return false;
    days = DaysFromCivil(year, 1, 1) + reading.day_of_year - 1;
  } else {
    auto month = static_cast<int32_t>(reading.month), day = static_cast<int32_t>(reading.day);
    if (!IsValidCivil(year, month, day)) return false;
    days = DaysFromCivil(year, month, day);
  }
  if (reading.weekday > 0 && IsoDayOfWeek(days) != reading.weekday) return false;
  int64_t hour = reading.half_day_hour >= 0 ? reading.half_day_hour + 12 * reading.half : reading.hour;
  int64_t local_us = 0;
  if (__builtin_mul_overflow(days, kMicrosPerDay, &local_us)) return false;
  int64_t time_us =
      ((hour * 60 + reading.minute) * 60 + reading.second) * kMicrosPerSecond + reading.milli * kMicrosPerMilli;
  if (__builtin_add_overflow(local_us, time_us, &local_us)) return false;
  if (reading.offset) return !__builtin_sub_overflow(local_us, int64_t{*reading.offset} * kMicrosPerSecond, utc_us);
  return LocalToUtcMicros(local_us, reading.zone != nullptr ? *reading.zone : zone, utc_us);
}

}  // namespace millrace::types
