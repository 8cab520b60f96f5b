#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "types/simple_date_pattern.h"
#include "types/time_zone.h"

namespace millrace::types {

/// Why a text does not fit a pattern; rendered only when somebody shows it.
struct PatternMismatch {
  enum class Kind : uint8_t {
    kAtIndex,   ///< the text stops fitting at byte `index`
    kTrailing,  ///< text left over from byte `index` on
    kValue,     ///< the fields read make no date; `message` says why
    kRaw,       ///< as kValue, but the message does not name the text
  };
  Kind kind = Kind::kAtIndex;
  size_t index = 0;
  std::string message;

  /// "Text '2024-13-01' could not be parsed: Invalid value for MonthOfYear (valid values 1 - 12): 13".
  std::string Render(std::string_view text) const;
};

/// A date-time pattern ("yyyy-MM-dd HH:mm:ss[.SSS]"), compiled once.
///
/// Letters and widths are those of java.time.format.DateTimeFormatter that Spark lets through; texts are en-US;
/// parsing is strict but for case, and for fractions: a run of n 'S' reads 1 to n digits of a timestamp's text.
/// Immutable, thread-safe.
/// Source: Spark SQL reference, "Datetime Patterns for Formatting and Parsing".
class DateTimePattern {
 public:
  enum class Purpose : uint8_t { kFormat, kParseDate, kParseTimestamp };

  /// What to_json and the JSON and CSV sinks write when no format is given.
  static constexpr std::string_view kIsoTimestamp = "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]";
  static constexpr std::string_view kIsoTimestampNtz = "yyyy-MM-dd'T'HH:mm:ss[.SSS]";
  static constexpr std::string_view kDefault = "yyyy-MM-dd HH:mm:ss";
  static constexpr std::string_view kDefaultDate = "yyyy-MM-dd";

  /// Errors: UserError INVALID_DATETIME_PATTERN.… and INCONSISTENT_BEHAVIOR_CROSS_VERSION.…, as Spark chooses them.
  static arrow::Result<std::shared_ptr<const DateTimePattern>> Compile(std::string_view pattern, Purpose purpose);
  /// The same text as Spark 2 reads it (simple_date_pattern.h); for instants and dates only.
  static arrow::Result<std::shared_ptr<const DateTimePattern>> CompileLegacy(std::string_view pattern, Purpose purpose);

  const std::string& text() const { return text_; }
  /// Error when the pattern writes a zone's name and ours are not known to agree with Java's.
  arrow::Status CheckZone(const TimeZone& zone) const;
  bool writes_zone() const { return writes_zone_; }

  /// Appends an instant as the clock of `zone` shows it.
  void Format(int64_t utc_us, const TimeZone& zone, std::string* out) const;
  /// Appends a wall clock reading; optional sections that need a zone are left out. REQUIRES: no other part needs one.
  void FormatNtz(int64_t local_us, std::string* out) const;

  /// Fields that the text does not give are those of 1970-01-01 00:00. `mismatch` may be null.
  bool ParseDate(std::string_view text, int32_t* days, PatternMismatch* mismatch) const;
  bool ParseTimestamp(std::string_view text, const TimeZone& zone, int64_t* utc_us, PatternMismatch* mismatch) const;
  bool ParseTimestampNtz(std::string_view text, bool allow_time_zone, int64_t* local_us,
                         PatternMismatch* mismatch) const;

  enum class Field : uint8_t {
    kEra,
    kYear,
    kYearOfEra,
    kMonth,
    kDay,
    kDayOfYear,
    kQuarter,
    kDayOfWeek,
    kAlignedDayOfWeek,
    kModifiedJulianDay,
    kAmPm,
    kHourOfDay,
    kClockHourOfDay,
    kHourOfAmPm,
    kClockHourOfAmPm,
    kMinute,
    kSecond,
    kNano,
    kNumFields,
  };
  enum class Sign : uint8_t { kNormal, kNever, kExceedsPad };
  enum class OpKind : uint8_t {
    kLiteral,
    kNumber,
    kReducedYear,
    kFraction,
    kShortText,
    kFullText,
    kOffset,
    kLocalizedOffset,
    kZoneId,
    kZoneName,
    kOptional,
  };
  /// One step of the compiled pattern.
  struct Op {
    OpKind kind;
    Field field = Field::kYear;
    Sign sign = Sign::kNormal;
    /// Digits (kNumber, kFraction); for kOffset the form, for kLocalizedOffset and kZoneName 4 = full.
    int32_t min_width = 1;
    int32_t max_width = 19;
    /// Digits that the fixed-width numbers right after this one take (kNumber).
    int32_t subsequent_width = 0;
    /// kLiteral: the text. kOffset: what stands for no offset.
    std::string text;
    /// kOptional: the section.
    std::vector<Op> section;
  };

 private:
  friend class PatternCompiler;
  DateTimePattern() = default;

  std::string text_;
  std::vector<Op> ops_;
  std::optional<SimpleDatePattern> legacy_;
  bool writes_zone_ = false;
  bool writes_zone_name_ = false;
  bool writes_full_zone_name_ = false;
  /// The pattern is kIsoTimestamp: written without walking the steps.
  bool is_iso_timestamp_ = false;
};

}  // namespace millrace::types
