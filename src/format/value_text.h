#pragma once

#include <arrow/result.h>

#include <memory>
#include <string>
#include <string_view>

#include "types/data_type.h"
#include "types/datetime_pattern.h"
#include "types/time_zone.h"

namespace arrow {
class Array;
}

namespace millrace::format {

struct TextFormatOptions;

/// Writes dates and timestamps by the patterns of a text format; the default patterns without walking them.
/// Immutable, thread-safe.
class DateTimeWriter {
 public:
  /// The longest text of a default pattern.
  static constexpr size_t kShortTextMax = 40;

  /// Errors: UserError INVALID_DATETIME_PATTERN.…; NotImplemented for names in a language other than English.
  static arrow::Result<DateTimeWriter> Make(const TextFormatOptions& options);

  void AppendDate(int32_t days, std::string* out) const;
  void AppendTimestamp(int64_t utc_us, std::string* out) const;
  void AppendTimestampNtz(int64_t local_us, std::string* out) const;
  void AppendTimeOfDay(int64_t nanos, std::string* out) const;

  /// Writes the default pattern's text to `out` (room for kShortTextMax) and returns its length; 0 when the pattern is
  /// another one or the year has not four digits: then use the functions above.
  size_t WriteDate(int32_t days, char* out) const;
  size_t WriteTimestamp(int64_t utc_us, char* out) const;
  size_t WriteTimestampNtz(int64_t local_us, char* out) const;

 private:
  const types::TimeZone* zone_ = types::TimeZone::Utc();
  bool zone_is_utc_ = true;
  bool default_date_ = true;
  bool default_timestamp_ = true;
  bool default_ntz_ = true;
  std::shared_ptr<const types::DateTimePattern> date_;
  std::shared_ptr<const types::DateTimePattern> timestamp_;
  std::shared_ptr<const types::DateTimePattern> timestamp_ntz_;
  /// Null: as CAST writes it.
  std::shared_ptr<const types::DateTimePattern> time_;
};

/// Appends a value that CSV and XML write alike: a boolean, a number or a string. False for the other types.
/// REQUIRES: it is not NULL.
bool AppendPlainValue(const arrow::Array& column, int64_t row, const types::DataType& type, std::string* out);

}  // namespace millrace::format
