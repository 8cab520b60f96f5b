#pragma once

#include <optional>
#include <string>

#include "format/option_map.h"
#include "types/time_zone.h"

namespace millrace::format {

/// What the session contributes to reading and writing texts.
struct SessionFormat {
  /// Never null.
  const types::TimeZone* time_zone = types::TimeZone::Utc();
  /// spark.sql.columnNameOfCorruptRecord.
  std::string corrupt_record_column = "_corrupt_record";
  /// spark.sql.jsonGenerator.ignoreNullFields.
  bool json_ignore_null_fields = true;
  /// spark.sql.json.enablePartialResults.
  bool json_partial_results = true;
};

/// Options that JSON, CSV and XML have in common: of malformed records, and of dates, times and numbers.
struct TextFormatOptions {
  /// Errors: UserError INVALID_TIMEZONE.
  arrow::Status ReadCommon(const OptionReader& reader, const SessionFormat& session);

  ParseMode mode = ParseMode::kPermissive;
  std::string corrupt_record_column;
  const types::TimeZone* time_zone = types::TimeZone::Utc();
  std::string locale = "en-US";
  NumberSymbols number_symbols;
  /// Patterns of reading: nullopt means "as CAST reads it".
  std::optional<std::string> date_format;
  std::optional<std::string> timestamp_format;
  std::optional<std::string> timestamp_ntz_format;
  /// Of reading and of writing.
  std::optional<std::string> time_format;
  std::string date_format_in_write = "yyyy-MM-dd";
  std::string timestamp_format_in_write;
  std::string timestamp_ntz_format_in_write;
};

}  // namespace millrace::format
