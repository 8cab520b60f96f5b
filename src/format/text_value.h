#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "types/data_type.h"
#include "types/time_zone.h"

namespace millrace::types {
class DateTimePattern;
}

namespace millrace::format {

struct TextFormatOptions;

/// How a text format writes dates and times; shared by JSON, CSV and XML.
struct TextValueOptions {
  const types::TimeZone* time_zone = types::TimeZone::Utc();
  std::string locale = "en-US";
  /// nullopt: as CAST reads it.
  std::optional<std::string> date_format;
  std::optional<std::string> timestamp_format;
  std::optional<std::string> timestamp_ntz_format;
  std::optional<std::string> time_format;
  /// Texts that do not fit the pattern are tried as CAST reads them.
  bool date_fallback = true;
  bool timestamp_fallback = true;
  /// The fallback of dates also takes a number as days since 1970 (JSON files of old writers).
  bool date_reads_day_numbers = true;
};

/// Zone, locale and patterns of reading.
TextValueOptions ValuesOf(const TextFormatOptions& options);

/// Reads dates, timestamps and intervals from texts. Patterns are compiled once.
/// Immutable, thread-safe. Functions return false for a text that cannot be read.
class TextValueParser {
 public:
  /// With a pattern that does not compile every value of its type is unreadable, as in Spark.
  /// Errors: NotImplemented for names of months or days in a language other than English.
  static arrow::Result<TextValueParser> Make(const TextValueOptions& options);

  bool Date(std::string_view text, int32_t* days) const;
  bool Timestamp(std::string_view text, int64_t* utc_us) const;
  bool TimestampNtz(std::string_view text, int64_t* local_us) const;
  bool TimeOfDay(std::string_view text, int64_t* nanos) const;

  const types::TimeZone& time_zone() const { return *options_.time_zone; }
  /// True where texts are read as CAST does, so that a reader may take its own short cut for ISO texts.
  bool plain_dates() const { return !options_.date_format; }
  bool plain_timestamps() const { return !options_.timestamp_format; }
  bool plain_timestamps_ntz() const { return !options_.timestamp_ntz_format; }
  const TextValueOptions& options() const { return options_; }

 private:
  TextValueParser() = default;

  TextValueOptions options_;
  std::shared_ptr<const types::DateTimePattern> date_;
  std::shared_ptr<const types::DateTimePattern> timestamp_;
  std::shared_ptr<const types::DateTimePattern> timestamp_ntz_;
  std::shared_ptr<const types::DateTimePattern> time_;
};

/// NotImplemented when `pattern` writes names of months or days and `locale` is not English.
arrow::Status CheckPatternLocale(const std::optional<std::string>& pattern, std::string_view locale);

/// An integer as Java's Long.parseLong / Integer.parseInt reads it: [+-]digits.
bool ParseInteger(std::string_view text, int64_t* value);

/// "2024-01-02T03:04:05[.fraction][Z|±hh:mm]" ('T' or a blank), the form machines write. False for any other text,
/// also a valid one; `has_zone` tells whether the text named a zone (else `us` is the wall clock).
bool ParseIsoTimestamp(const char* text, size_t size, int64_t* us, bool* has_zone);
/// "2024-01-02" and nothing else.
bool ParseIsoDate(const char* text, size_t size, int32_t* days);

}  // namespace millrace::format
