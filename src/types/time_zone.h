#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace millrace::types {

/// A time zone with Java's rules for ids and for local times that do not exist or exist twice.
/// Immutable, thread-safe; instances live as long as the process.
class TimeZone {
 public:
  static const TimeZone* Utc();

  /// Ids as Java's ZoneId.of with Spark's leniency: "Europe/Paris", "UTC", "Z", "GMT+1", "UTC+01:00", "+02:00",
  /// "+2:00", "+02", short ids ("PST"). Errors: UserError INVALID_TIMEZONE.
  static arrow::Result<const TimeZone*> Load(std::string_view id);

  /// The machine's zone: TZ, else /etc/localtime, else UTC.
  static const TimeZone* System();

  virtual ~TimeZone() = default;
  /// The id as given (what current_timezone() shows).
  virtual const std::string& id() const = 0;
  /// Seconds to add to UTC at instant `utc_us`.
  virtual int32_t OffsetSeconds(int64_t utc_us) const = 0;
  /// Wall clock µs of an instant.
  int64_t ToLocalMicros(int64_t utc_us) const { return utc_us + int64_t{OffsetSeconds(utc_us)} * 1000000; }
  /// The instant of a wall clock reading. In a gap the reading is moved forward by the gap's length; where two
  /// instants fit, the earlier one (larger offset), as java.time.ZonedDateTime.of does.
  virtual int64_t ToUtcMicros(int64_t local_us) const = 0;
  virtual bool is_fixed() const = 0;
};

}  // namespace millrace::types
