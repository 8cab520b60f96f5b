#pragma once

#include <optional>
#include <span>
#include <string>

#include "format/text_format_options.h"

namespace millrace::format {

/// Options of the JSON source, sink, from_json, to_json and schema_of_json.
/// Source: Spark SQL guide, "JSON Files", and JSONOptions.scala.
struct JsonOptions : TextFormatOptions {
  /// Errors: Invalid for a text that is no boolean or number; UserError INVALID_TIMEZONE.
  static arrow::Result<JsonOptions> Parse(const OptionMap& options, const SessionFormat& session);
  /// Every option with its default and one sentence.
  static std::span<const OptionDoc> Table();

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

  // Reading.
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
  bool ignore_null_fields = true;
  bool pretty = false;
  bool write_non_ascii_as_code_point = false;
  std::string compression;
};

}  // namespace millrace::format
