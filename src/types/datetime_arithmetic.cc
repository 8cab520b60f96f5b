#include "types/datetime_arithmetic.h"

#include "types/datetime_text.h"

namespace millrace::types {

namespace {

// Wall clock readings are moved within ±290,000 years; beyond them java.time would overflow too.
bool MoveLocalDate(int64_t utc_us, const TimeZone& zone, int64_t months, int64_t days, int64_t* result) {
  int32_t offset_seconds = zone.OffsetSeconds(utc_us);
  int64_t local_us = 0;
  if (__builtin_add_overflow(utc_us, int64_t{offset_seconds} * kMicrosPerSecond, &local_us)) return false;
  int64_t date = FloorDiv(local_us, kMicrosPerDay);
  int64_t time = local_us - date * kMicrosPerDay;
  constexpr int64_t kMaxMonths = int64_t{12} * 600000;
  if (months > kMaxMonths || months < -kMaxMonths) return false;
  if (months != 0) date = AddMonthsToDays(date, months);
  if (__builtin_add_overflow(date, days, &date) || __builtin_mul_overflow(date, kMicrosPerDay, &date) ||
      __builtin_add_overflow(date, time, &local_us)) {
    return false;
  }
  if (zone.is_fixed()) return !__builtin_sub_overflow(local_us, int64_t{offset_seconds} * kMicrosPerSecond, result);
  *result = ResolveLocal(local_us, offset_seconds, zone);
  return true;
}

}  // namespace

int64_t ResolveLocal(int64_t local_us, int32_t offset_seconds, const TimeZone& zone) {
  int64_t candidate = 0;
  if (!__builtin_sub_overflow(local_us, int64_t{offset_seconds} * kMicrosPerSecond, &candidate) &&
      zone.OffsetSeconds(candidate) == offset_seconds) {
    return candidate;
  }
  int64_t resolved = candidate;
  LocalToUtcMicros(local_us, zone, &resolved);
  return resolved;
}

bool AddMonths(int64_t utc_us, int64_t months, const TimeZone& zone, int64_t* result) {
  return MoveLocalDate(utc_us, zone, months, 0, result);
}

bool AddDays(int64_t utc_us, int64_t days, const TimeZone& zone, int64_t* result) {
  return MoveLocalDate(utc_us, zone, 0, days, result);
}

bool AddDayTime(int64_t utc_us, int64_t interval_us, const TimeZone& zone, int64_t* result) {
  int64_t days = interval_us / kMicrosPerDay;
  int64_t moved = utc_us;
  if (days != 0 && !AddDays(utc_us, days, zone, &moved)) return false;
  return !__builtin_add_overflow(moved, interval_us - days * kMicrosPerDay, result);
}

bool AddCalendarInterval(int64_t utc_us, int32_t months, int32_t days, int64_t micros, const TimeZone& zone,
                         int64_t* result) {
  int64_t moved = utc_us;
  if (months != 0 && !AddMonths(moved, months, zone, &moved)) return false;
  if (days != 0 && !AddDays(moved, days, zone, &moved)) return false;
  return !__builtin_add_overflow(moved, micros, result);
}

int64_t MonthsBetween(int64_t start_local_us, int64_t end_local_us) {
  int64_t start_day = FloorDiv(start_local_us, kMicrosPerDay), end_day = FloorDiv(end_local_us, kMicrosPerDay);
  int64_t start_time = FloorMod(start_local_us, kMicrosPerDay), end_time = FloorMod(end_local_us, kMicrosPerDay);
  if (end_day > start_day && end_time < start_time) {
    --end_day;
  } else if (end_day < start_day && end_time > start_time) {
    ++end_day;
  }
  CivilDate start = CivilFromDays(start_day), end = CivilFromDays(end_day);
  // A month counts when its day is reached: compare month and day as one number.
  int64_t packed_start = (start.year * 12 + start.month - 1) * 32 + start.day;
  int64_t packed_end = (end.year * 12 + end.month - 1) * 32 + end.day;
  return (packed_end - packed_start) / 32;
}

}  // namespace millrace::types
