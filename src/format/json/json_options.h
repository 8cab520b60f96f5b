#pragma once

#include <optional>
#include <span>
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

/// Options of the JSON source, sink, from_json, to_json and schema_of_json.
/// Source: Spark SQL guide, "JSON Files", and JSONOptions.scala.
struct JsonOptions {
  /// Errors: Invalid for a text that is no boolean or number; UserError INVALID_TIMEZONE.
  static arrow::Result<JsonOptions> Parse(const OptionMap& options, const SessionFormat& session);
  /// Every option with its default and one sentence.
  static std::span<const OptionDoc> Table();

  ParseMode mode = ParseMode::kPermissive;
  std::string corrupt_record_column;
  const types::TimeZone* time_zone = types::TimeZone::Utc();
  std::string locale = "en-US";
  NumberSymbols number_symbols;

  // What the tokenizer accepts beside RFC 8259.
  bool allow_comments = false;
  bool allow_unquoted_field_names = false;
  bool allow_single_quotes = true;
  bool allow_numeric_leading_zeros = false;
  bool allow_non_numeric_numbers = true;
  bool allow_backslash_escaping_any_character = false;
  bool allow_unquoted_control_chars = false;
  int32_t nesting_depth_max = 1000;
  int32_t number_length_max = 1000;
  int32_t string_length_max = 20000000;

  // Reading. Patterns: nullopt means "as CAST reads it".
  std::optional<std::string> date_format;
  std::optional<std::string> timestamp_format;
  std::optional<std::string> timestamp_ntz_format;
  /// Whether a text that does not match the pattern is tried as CAST would read it.
  bool date_fallback = true;
  bool timestamp_fallback = true;
  bool partial_results = true;
  bool multi_line = false;
  std::optional<std::string> line_separator;
  std::optional<std::string> encoding;

  // Schema inference.
  bool primitives_as_string = false;
  bool prefers_decimal = false;
  bool drop_field_if_all_null = false;
  bool infer_timestamp = false;
  double sampling_ratio = 1.0;

  // Writing.
  std::string date_format_in_write = "yyyy-MM-dd";
  std::string timestamp_format_in_write;
  std::string timestamp_ntz_format_in_write;
  bool ignore_null_fields = true;
  bool pretty = false;
  bool write_non_ascii_as_code_point = false;
  std::string compression;
};

}  // namespace millrace::format
