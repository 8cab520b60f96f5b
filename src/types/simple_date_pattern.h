#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "types/time_zone.h"

namespace millrace::types {

/// A date-time pattern as java.text.SimpleDateFormat reads it (en-US, not lenient): what Spark 2 used, and Spark uses
/// with spark.sql.legacy.timeParserPolicy = LEGACY. Milliseconds are the finest it knows, 'S' is their number, text
/// behind what the pattern reads is ignored, brackets are letters like any other.
/// The calendar is proleptic Gregorian; Java's own is Julian before 1582, which shows in weekdays only.
/// Immutable, thread-safe.
class SimpleDatePattern {
 public:
  /// nullopt where Java refuses the pattern, or (when `for_parsing`) where it holds fields of weeks, which are not
  /// built.
  static std::optional<SimpleDatePattern> Compile(std::string_view pattern, bool for_parsing);

  void Format(int64_t utc_us, const TimeZone& zone, std::string* out) const;
  bool Parse(std::string_view text, const TimeZone& zone, int64_t* utc_us) const;

  /// Whether it writes the name of a zone, and the long one.
  bool writes_zone_name(bool full) const;

 private:
  struct Item {
    char letter;  ///< 0: `literal`
    int count = 0;
    std::string literal;
  };
  struct Reading;

  bool Read(const Item& item, bool exact_width, std::string_view text, size_t* at, Reading* reading) const;

  std::vector<Item> items_;
};

}  // namespace millrace::types
