#pragma once

#include <cstdint>

#include "types/time_zone.h"

/// Timestamps plus intervals, as java.time.ZonedDateTime counts: months and days move the wall clock, smaller parts the
/// instant. For TIMESTAMP_NTZ use TimeZone::Utc(). Each returns false on overflow. Pure, thread-safe.

namespace millrace::types {

bool AddMonths(int64_t utc_us, int64_t months, const TimeZone& zone, int64_t* result);
bool AddDays(int64_t utc_us, int64_t days, const TimeZone& zone, int64_t* result);
/// A day-time interval: its whole days move the wall clock.
bool AddDayTime(int64_t utc_us, int64_t interval_us, const TimeZone& zone, int64_t* result);
/// A legacy interval: months, then days, then µs.
bool AddCalendarInterval(int64_t utc_us, int32_t months, int32_t days, int64_t micros, const TimeZone& zone,
                         int64_t* result);

/// The instant of a wall clock reading that keeps `offset_seconds` where the reading exists twice.
int64_t ResolveLocal(int64_t local_us, int32_t offset_seconds, const TimeZone& zone);

/// Whole months between two wall clock readings, towards zero.
int64_t MonthsBetween(int64_t start_local_us, int64_t end_local_us);

}  // namespace millrace::types
