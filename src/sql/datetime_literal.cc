#include "sql/datetime_literal.h"

#include <chrono>

#include "base/ascii.h"

namespace millrace::sql {

namespace {

constexpr int64_t kMicrosPerSecond = 1000000;
constexpr int64_t kMicrosPerDay = 86400 * kMicrosPerSecond;
// Days whose µs fit 64 bits.
constexpr int64_t kMaxTimestampDays = INT64_MAX / kMicrosPerDay;

struct LocalTime {
  int64_t days = 0;
  int64_t micros_of_day = 0;
  std::string_view zone;

  int64_t Micros() const { return days * kMicrosPerDay + micros_of_day; }
};

int64_t FloorDays(int64_t micros) {
  int64_t days = micros / kMicrosPerDay;
  return micros % kMicrosPerDay < 0 ? days - 1 : days;
}

// Reads one field after another; a failed step leaves `ok` false for good.
class FieldReader {
 public:
  explicit FieldReader(std::string_view text) : text_(text) {}

  bool AtEnd() const { return position_ >= text_.size(); }
  char Peek() const { return AtEnd() ? '\0' : text_[position_]; }
  bool AtDigit() const { return Peek() >= '0' && Peek() <= '9'; }
  std::string_view Rest() const { return text_.substr(position_); }
  bool Accept(char c) {
    if (Peek() != c) return false;
    ++position_;
    return true;
  }
  // A number of `min` to `max` digits, or -1.
  int Number(int min, int max) {
    int value = 0;
    int digits = 0;
    while (AtDigit() && digits < max) {
      value = value * 10 + (text_[position_++] - '0');
      ++digits;
    }
    return digits < min || AtDigit() ? -1 : value;
  }
  // Digits after the point as µs; more than six are cut.
  int64_t Fraction() {
    int64_t micros = 0;
    int digits = 0;
    while (AtDigit()) {
      if (digits < 6) micros = micros * 10 + (text_[position_] - '0');
      ++position_;
      ++digits;
    }
    for (int i = digits; i < 6; ++i) micros *= 10;
    return micros;
  }

 private:
  std::string_view text_;
  size_t position_ = 0;
};

// The date part; leaves the reader after it. `complete` tells whether a day was given.
std::optional<int64_t> ReadDate(FieldReader* reader, bool* complete) {
  bool negative = reader->Accept('-');
  if (!negative) reader->Accept('+');
  int year = reader->Number(4, 7);
  int month = 1;
  int day = 1;
  *complete = false;
  if (year < 0) return std::nullopt;
  if (reader->Accept('-')) {
    month = reader->Number(1, 2);
    if (reader->Accept('-')) {
      day = reader->Number(1, 2);
      *complete = true;
    }
  }
  if (month < 1 || month > 12 || day < 1) return std::nullopt;
  if (negative) year = -year;
  // std::chrono ends at year 32767; 400 years are a whole number of days.
  int cycles = 0;
  while (year > 9999) {
    year -= 400;
    ++cycles;
  }
  while (year < -9999) {
    year += 400;
    --cycles;
  }
  std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                   std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  constexpr int64_t kDaysPerCycle = 146097;
  return std::chrono::sys_days(date).time_since_epoch().count() + cycles * kDaysPerCycle;
}

// hour[:minute[:second[.fraction]]] as µs of the day.
std::optional<int64_t> ReadTime(FieldReader* reader) {
  int hour = reader->Number(1, 2);
  int minute = 0;
  int second = 0;
  int64_t micros = 0;
  if (reader->Accept(':')) {
    minute = reader->Number(1, 2);
    if (reader->Accept(':')) {
      second = reader->Number(1, 2);
      if (reader->Accept('.')) micros = reader->Fraction();
    }
  }
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return std::nullopt;
  return ((hour * 60 + minute) * 60 + second) * kMicrosPerSecond + micros;
}

std::optional<LocalTime> ReadTimestamp(std::string_view text) {
  FieldReader reader(TrimAscii(text));
  LocalTime time;
  bool complete = false;
  std::optional<int64_t> days = ReadDate(&reader, &complete);
  if (!days || *days > kMaxTimestampDays || *days < -kMaxTimestampDays) return std::nullopt;
  time.days = *days;
  if (reader.AtEnd()) return time;
  if (!complete) return std::nullopt;
  if ((reader.Peek() == ' ' || reader.Peek() == 'T')) {
    FieldReader after = reader;
    after.Accept(reader.Peek());
    if (after.AtDigit()) {
      std::optional<int64_t> micros = ReadTime(&after);
      if (!micros) return std::nullopt;
      time.micros_of_day = *micros;
      reader = after;
    } else if (reader.Peek() == 'T') {
      return std::nullopt;
    }
  }
  time.zone = TrimAscii(reader.Rest());
  return time;
}

// µs of the wall clock in `zone` that a special word names.
std::optional<int64_t> SpecialTime(std::string_view text, const types::TimeZone& zone, int64_t now_us, bool* is_now) {
  std::string word = ToLowerAscii(TrimAscii(text));
  int64_t local = zone.ToLocalMicros(now_us);
  int64_t today = FloorDays(local) * kMicrosPerDay;
  *is_now = word == "now";
  if (*is_now) return local;
  if (word == "today") return today;
  if (word == "tomorrow") return today + kMicrosPerDay;
  if (word == "yesterday") return today - kMicrosPerDay;
  if (word == "epoch") return 0;
  return std::nullopt;
}

}  // namespace

std::optional<int32_t> ParseDateLiteral(std::string_view text, const types::TimeZone& zone, int64_t now_us) {
  bool is_now = false;
  if (std::optional<int64_t> special = SpecialTime(text, zone, now_us, &is_now)) {
    return static_cast<int32_t>(FloorDays(*special));
  }
  FieldReader reader(TrimAscii(text));
  bool complete = false;
  std::optional<int64_t> days = ReadDate(&reader, &complete);
  if (!days || *days != static_cast<int32_t>(*days)) return std::nullopt;
  // Whatever stands after a day and a separator is ignored, as Spark does.
  if (!reader.AtEnd() && !(complete && (reader.Peek() == ' ' || reader.Peek() == 'T'))) return std::nullopt;
  return static_cast<int32_t>(*days);
}

std::optional<int64_t> ParseTimestampLiteral(std::string_view text, const types::TimeZone& zone, int64_t now_us) {
  bool is_now = false;
  if (std::optional<int64_t> special = SpecialTime(text, zone, now_us, &is_now)) {
    if (is_now) return now_us;
    return ToLowerAscii(TrimAscii(text)) == "epoch" ? 0 : zone.ToUtcMicros(*special);
  }
  std::optional<LocalTime> time = ReadTimestamp(text);
  if (!time) return std::nullopt;
  if (time->zone.empty()) return zone.ToUtcMicros(time->Micros());
  auto given = types::TimeZone::Load(time->zone);
  if (!given.ok()) return std::nullopt;
  return (*given)->ToUtcMicros(time->Micros());
}

std::optional<int64_t> ParseTimestampNtzLiteral(std::string_view text, const types::TimeZone& zone, int64_t now_us) {
  bool is_now = false;
  if (std::optional<int64_t> special = SpecialTime(text, zone, now_us, &is_now)) return special;
  std::optional<LocalTime> time = ReadTimestamp(text);
  if (!time) return std::nullopt;
  if (!time->zone.empty() && !types::TimeZone::Load(time->zone).ok()) return std::nullopt;
  return time->Micros();
}

bool NamesZone(std::string_view text) {
  std::optional<LocalTime> time = ReadTimestamp(text);
  return time && !time->zone.empty();
}

}  // namespace millrace::sql
