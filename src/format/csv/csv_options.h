#pragma once

#include <optional>
#include <span>
#include <string>

#include "format/text/charset.h"
#include "format/text_format_options.h"

namespace millrace::format {

/// What happens to a value like "a"b",c whose quotes do not match.
enum class UnescapedQuotes : uint8_t {
  kStopAtClosingQuote,
  kStopAtDelimiter,
  kBackToDelimiter,
  kSkipValue,
  kRaiseError
};

/// Options of the CSV source, sink, from_csv, to_csv and schema_of_csv.
/// Source: Spark SQL guide, "CSV Files", and CSVOptions.scala.
struct CsvOptions : TextFormatOptions {
  /// Errors: Invalid for texts that are no boolean, number or single character; UserError INVALID_DELIMITER_VALUE.….
  static arrow::Result<CsvOptions> Parse(const OptionMap& options, const SessionFormat& session);
  static std::span<const OptionDoc> Table();

  std::string delimiter = ",";
  /// '\0' for none.
  char quote = '"';
  char escape = '\\';
  /// Escapes the escape of a quote; '\0' for none.
  char escape_escape = '\\';
  /// '\0': no comments.
  char comment = '\0';
  /// Of files.
  Charset charset;

  bool header = false;
  bool infer_schema = false;
  bool enforce_schema = true;
  bool multi_line = false;
  bool ignore_leading_space = false;
  bool ignore_trailing_space = false;
  std::optional<std::string> line_separator;
  std::string null_value;
  std::string empty_value_in_read;
  std::string nan_value = "NaN";
  std::string positive_infinity = "Inf";
  std::string negative_infinity = "-Inf";
  int32_t columns_max = 20480;
  int32_t chars_per_column_max = -1;
  double sampling_ratio = 1.0;
  bool prefer_date = true;
  UnescapedQuotes unescaped_quotes = UnescapedQuotes::kStopAtDelimiter;

  bool date_fallback = true;
  bool timestamp_fallback = true;

  // Writing.
  bool ignore_leading_space_in_write = true;
  bool ignore_trailing_space_in_write = true;
  std::string empty_value_in_write = "\"\"";
  bool quote_all = false;
  bool escape_quotes = true;
  std::string compression;
};

}  // namespace millrace::format
