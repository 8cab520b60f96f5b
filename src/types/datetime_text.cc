#include "types/datetime_text.h"

#include <chrono>
#include <limits>
#include <optional>

namespace millrace::types {

namespace {

// What UTF8String.trimAll drops at both ends.
bool IsBlankOrControl(char c) {
  auto byte = static_cast<unsigned char>(c);
  return byte <= 0x20 || byte == 0x7f;
}

std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && IsBlankOrControl(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlankOrControl(text.back())) text.remove_suffix(1);
  return text;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
int Digit(char c) { return c - '0'; }

// Reads `count` digits at `p`; negative when one is none.
int TwoDigits(const char* p) { return IsDigit(p[0]) && IsDigit(p[1]) ? Digit(p[0]) * 10 + Digit(p[1]) : -1; }

// A date and time as written, before it is known whether they exist.
struct Segments {
  int64_t year = 1;
  int32_t month = 1;
  int32_t day = 1;
  int32_t hour = 0;
  int32_t minute = 0;
  int32_t second = 0;
  int32_t micros = 0;
  bool only_time = false;
  bool has_zone = false;
  std::string_view zone;
};

// "yyyy-MM-dd[ T]HH:mm:ss[.fraction][Z]": nearly every text there is.
bool ScanUsualForm(std::string_view text, Segments* out) {
  if (text.size() < 19) return false;
  const char* p = text.data();
  if (p[4] != '-' || p[7] != '-' || (p[10] != ' ' && p[10] != 'T') || p[13] != ':' || p[16] != ':') return false;
  int century = TwoDigits(p), year = TwoDigits(p + 2);
  if (century < 0 || year < 0) return false;
  out->year = century * 100 + year;
  out->month = TwoDigits(p + 5);
  out->day = TwoDigits(p + 8);
  out->hour = TwoDigits(p + 11);
  out->minute = TwoDigits(p + 14);
  out->second = TwoDigits(p + 17);
  if ((out->month | out->day | out->hour | out->minute | out->second) < 0) return false;
  out->micros = 0;
  size_t i = 19;
  if (i < text.size() && p[i] == '.') {
    int scale = 100000;
    for (++i; i < text.size() && IsDigit(p[i]); ++i) {
      out->micros += Digit(p[i]) * scale;
      scale /= 10;
    }
  }
  out->has_zone = i < text.size();
  if (!out->has_zone) return true;
  if (i + 1 != text.size() || p[i] != 'Z') return false;
  out->zone = text.substr(i);
  return true;
}

// Segment numbers: 0 year, 1 month, 2 day, 3 hour, 4 minute, 5 second, 6 fraction, 7 zone.
bool ValidDigits(int segment, int digits) {
  switch (segment) {
    case 0:
      return digits >= 4 && digits <= 6;
    case 6:
      return true;
    case 7:
      return digits <= 2;
    default:
      return digits > 0 && digits <= 2;
  }
}

// Any form that SparkDateTimeUtils.parseTimestampString takes.
bool ScanSegments(std::string_view text, Segments* out) {
  if (ScanUsualForm(text, out)) return true;
  *out = Segments();
  int32_t segments[9] = {1, 1, 1, 0, 0, 0, 0, 0, 0};
  int segment = 0;
  int32_t value = 0;
  int digits = 0;
  int fraction_digits = 0;
  int sign = 0;
  size_t i = 0;
  if (text.empty()) return false;
  if (text[0] == '-' || text[0] == '+') {
    sign = text[0] == '-' ? -1 : 1;
    i = 1;
  }
  auto close = [&](int next) {
    if (!ValidDigits(segment, digits)) return false;
    segments[segment] = value;
    value = 0;
    digits = 0;
    segment = next;
    return true;
  };
  for (; i < text.size(); ++i) {
    char c = text[i];
    if (IsDigit(c)) {
      if (segment == 6) ++fraction_digits;
      if (segment != 6 || digits < 6) {
        if (value > 99999999) return false;
        value = value * 10 + Digit(c);
      }
      ++digits;
    } else if (i == 0 && c == 'T') {
      out->only_time = true;
      segment = 3;
    } else if (segment < 2) {
      if (c == '-') {
        if (!close(segment + 1)) return false;
      } else if (segment == 0 && c == ':' && sign == 0) {
        out->only_time = true;
        segment = 3;
        if (!close(4)) return false;
      } else {
        return false;
      }
    } else if (segment == 2) {
      if ((c != ' ' && c != 'T') || !close(3)) return false;
    } else if (segment == 3 || segment == 4) {
      if (c != ':' || !close(segment + 1)) return false;
    } else if (segment == 5 && c == '.') {
      if (!close(6)) return false;
    } else {
      if (!close(7)) return false;
      out->has_zone = true;
      out->zone = text.substr(i);
      break;
    }
  }
  if (!ValidDigits(segment, digits)) return false;
  if (segment != 7) segments[segment] = value;
  for (; fraction_digits < 6; ++fraction_digits) segments[6] *= 10;
  out->year = int64_t{segments[0]} * (sign < 0 ? -1 : 1);
  out->month = segments[1];
  out->day = segments[2];
  out->hour = segments[3];
  out->minute = segments[4];
  out->second = segments[5];
  out->micros = segments[6];
  return true;
}

bool LocalMicros(int64_t days, const Segments& s, int64_t* local_us) {
  if (s.hour > 23 || s.minute > 59 || s.second > 59) return false;
  // Days × 86,400 s cannot overflow; the product with 1,000,000 can.
  int64_t seconds = days * 86400 + s.hour * 3600 + s.minute * 60 + s.second;
  __int128 us = static_cast<__int128>(seconds) * kMicrosPerSecond + s.micros;
  if (us > std::numeric_limits<int64_t>::max() || us < std::numeric_limits<int64_t>::min()) return false;
  *local_us = static_cast<int64_t>(us);
  return true;
}

// The zone after the seconds. Fixed offsets of the usual form do not go through the table of zones.
bool LookUpZone(std::string_view text, const TimeZone** zone, int32_t* offset_seconds) {
  text = TrimBlanks(text);
  *zone = nullptr;
  *offset_seconds = 0;
  if (text == "Z") return true;
  if (text.size() == 6 && (text[0] == '+' || text[0] == '-') && text[3] == ':') {
    int hours = TwoDigits(text.data() + 1), minutes = TwoDigits(text.data() + 4);
    if (hours >= 0 && minutes >= 0) {
      int32_t seconds = hours * 3600 + minutes * 60;
      if (minutes > 59 || seconds > 18 * 3600) return false;
      *offset_seconds = text[0] == '-' ? -seconds : seconds;
      return true;
    }
  }
  auto loaded = TimeZone::Load(text);
  if (!loaded.ok()) return false;
  *zone = *loaded;
  return true;
}

char* PutTwo(char* p, int32_t value) {
  *p++ = static_cast<char>('0' + value / 10);
  *p++ = static_cast<char>('0' + value % 10);
  return p;
}

// At least four digits; a sign before more than four, and before negative years.
char* PutYear(char* p, int64_t year) {
  if (year >= 0 && year <= 9999) {
    p = PutTwo(p, static_cast<int32_t>(year / 100));
    return PutTwo(p, static_cast<int32_t>(year % 100));
  }
  *p++ = year < 0 ? '-' : '+';
  if (year < 0) year = -year;
  char digits[20];
  int count = 0;
  while (year > 0 || count < 4) {
    digits[count++] = static_cast<char>('0' + year % 10);
    year /= 10;
  }
  while (count > 0) *p++ = digits[--count];
  return p;
}

char* PutDate(char* p, int64_t days) {
  CivilDate date = CivilFromDays(days);
  p = PutYear(p, date.year);
  *p++ = '-';
  p = PutTwo(p, date.month);
  *p++ = '-';
  return PutTwo(p, date.day);
}

void AppendLocal(int64_t local_seconds, int32_t micros, std::string* out) {
  char buffer[48];
  char* p = PutDate(buffer, FloorDiv(local_seconds, 86400));
  auto second_of_day = static_cast<int32_t>(FloorMod(local_seconds, 86400));
  *p++ = ' ';
  p = PutTwo(p, second_of_day / 3600);
  *p++ = ':';
  p = PutTwo(p, second_of_day / 60 % 60);
  *p++ = ':';
  p = PutTwo(p, second_of_day % 60);
  if (micros != 0) {
    *p++ = '.';
    for (int32_t scale = 100000; micros > 0; scale /= 10) {
      *p++ = static_cast<char>('0' + micros / scale);
      micros %= scale;
    }
  }
  out->append(buffer, p - buffer);
}

}  // namespace

// The calendar arithmetic counts years from March, so that the leap day is the last of its year, and in eras of 400
// years = 146,097 days.
int64_t DaysFromCivil(int64_t year, int32_t month, int32_t day) {
  int64_t y = month <= 2 ? year - 1 : year;
  int64_t era = FloorDiv(y, 400);
  int64_t year_of_era = y - era * 400;
  int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

CivilDate CivilFromDays(int64_t days) {
  int64_t z = days + 719468;
  int64_t era = FloorDiv(z, 146097);
  auto day_of_era = static_cast<int32_t>(z - era * 146097);
  int32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int32_t shifted_month = (5 * day_of_year + 2) / 153;
  int32_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  int32_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  return {era * 400 + year_of_era + (month <= 2 ? 1 : 0), month, day};
}

bool IsLeapYear(int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int32_t DaysInMonth(int64_t year, int32_t month) {
  constexpr int8_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeapYear(year) ? 29 : kDays[month - 1];
}

bool IsValidCivil(int64_t year, int32_t month, int32_t day) {
  return month >= 1 && month <= 12 && day >= 1 && day <= DaysInMonth(year, month);
}

int32_t DayOfYear(const CivilDate& date) {
  constexpr int16_t kBefore[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
  return kBefore[date.month - 1] + date.day + (date.month > 2 && IsLeapYear(date.year) ? 1 : 0);
}

int32_t IsoDayOfWeek(int64_t days) { return static_cast<int32_t>(FloorMod(days + 3, 7)) + 1; }

int64_t AddMonthsToDays(int64_t days, int64_t months) {
  CivilDate date = CivilFromDays(days);
  int64_t total = date.year * 12 + (date.month - 1) + months;
  int64_t year = FloorDiv(total, 12);
  auto month = static_cast<int32_t>(FloorMod(total, 12)) + 1;
  return DaysFromCivil(year, month, std::min(date.day, DaysInMonth(year, month)));
}

bool LocalToUtcMicros(int64_t local_us, const TimeZone& zone, int64_t* utc_us) {
  constexpr int64_t kMargin = 3 * kMicrosPerDay;
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max(), kMin = std::numeric_limits<int64_t>::min();
  if (local_us < kMax - kMargin && local_us > kMin + kMargin) {
    *utc_us = zone.ToUtcMicros(local_us);
    return true;
  }
  int64_t near = local_us > 0 ? local_us - kMargin : local_us + kMargin;
  int64_t offset_us = int64_t{zone.OffsetSeconds(near)} * kMicrosPerSecond;
  return !__builtin_sub_overflow(local_us, offset_us, utc_us);
}

void UtcToLocal(int64_t utc_us, const TimeZone& zone, int64_t* local_seconds, int32_t* micros_of_second) {
  *local_seconds = FloorDiv(utc_us, kMicrosPerSecond) + zone.OffsetSeconds(utc_us);
  *micros_of_second = static_cast<int32_t>(FloorMod(utc_us, kMicrosPerSecond));
}

bool ParseDate(std::string_view text, int32_t* days) {
  text = TrimBlanks(text);
  if (text.empty()) return false;
  int64_t sign = 1;
  size_t i = 0;
  if (text[0] == '-' || text[0] == '+') {
    sign = text[0] == '-' ? -1 : 1;
    i = 1;
  }
  int64_t segments[3] = {1, 1, 1};
  int segment = 0;
  int64_t value = 0;
  int digits = 0;
  auto valid = [&] { return segment == 0 ? digits >= 4 && digits <= 7 : digits > 0 && digits <= 2; };
  for (; i < text.size() && text[i] != ' ' && text[i] != 'T'; ++i) {
    char c = text[i];
    if (segment < 2 && c == '-') {
      if (!valid()) return false;
      segments[segment++] = value;
      value = 0;
      digits = 0;
    } else {
      if (!IsDigit(c) || digits > 7) return false;
      value = value * 10 + Digit(c);
      ++digits;
    }
  }
  if (!valid()) return false;
  // What follows a date is only ignored when the date is whole.
  if (segment < 2 && i < text.size()) return false;
  segments[segment] = value;
  int64_t year = segments[0] * sign;
  auto month = static_cast<int32_t>(segments[1]), day = static_cast<int32_t>(segments[2]);
  if (!IsValidCivil(year, month, day)) return false;
  int64_t result = DaysFromCivil(year, month, day);
  if (result > std::numeric_limits<int32_t>::max() || result < std::numeric_limits<int32_t>::min()) return false;
  *days = static_cast<int32_t>(result);
  return true;
}

bool ParseTimestamp(std::string_view text, const TimeZone& zone, int64_t* utc_us) {
  Segments segments;
  if (!ScanSegments(TrimBlanks(text), &segments)) return false;
  const TimeZone* written_zone = &zone;
  int32_t offset_seconds = 0;
  if (segments.has_zone && !LookUpZone(segments.zone, &written_zone, &offset_seconds)) return false;
  int64_t days = 0;
  if (segments.only_time) {
    int64_t now_us =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
            .count();
    int64_t local = now_us + int64_t{offset_seconds} * kMicrosPerSecond;
    if (written_zone != nullptr) local = written_zone->ToLocalMicros(now_us);
    days = FloorDiv(local, kMicrosPerDay);
  } else {
    if (!IsValidCivil(segments.year, segments.month, segments.day)) return false;
    days = DaysFromCivil(segments.year, segments.month, segments.day);
  }
  int64_t local_us = 0;
  if (!LocalMicros(days, segments, &local_us)) return false;
  if (written_zone == nullptr) {
    return !__builtin_sub_overflow(local_us, int64_t{offset_seconds} * kMicrosPerSecond, utc_us);
  }
  return LocalToUtcMicros(local_us, *written_zone, utc_us);
}

bool ParseTimestampNtz(std::string_view text, bool allow_time_zone, int64_t* local_us) {
  Segments segments;
  if (!ScanSegments(TrimBlanks(text), &segments) || segments.only_time) return false;
  if (segments.has_zone) {
    const TimeZone* zone = nullptr;
    int32_t offset_seconds = 0;
    if (!allow_time_zone || !LookUpZone(segments.zone, &zone, &offset_seconds)) return false;
  }
  if (!IsValidCivil(segments.year, segments.month, segments.day)) return false;
  return LocalMicros(DaysFromCivil(segments.year, segments.month, segments.day), segments, local_us);
}

void AppendDate(int32_t days, std::string* out) {
  char buffer[32];
  out->append(buffer, PutDate(buffer, days) - buffer);
}

void AppendTimestamp(int64_t utc_us, const TimeZone& zone, std::string* out) {
  int64_t local_seconds = 0;
  int32_t micros = 0;
  UtcToLocal(utc_us, zone, &local_seconds, &micros);
  AppendLocal(local_seconds, micros, out);
}

void AppendTimestampNtz(int64_t local_us, std::string* out) {
  AppendLocal(FloorDiv(local_us, kMicrosPerSecond), static_cast<int32_t>(FloorMod(local_us, kMicrosPerSecond)), out);
}

}  // namespace millrace::types
