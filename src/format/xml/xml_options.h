#pragma once

#include <optional>
#include <span>
#include <string>

#include "format/json/json_options.h"
#include "format/option_map.h"
#include "types/time_zone.h"

namespace millrace::format {

/// Options of from_xml, to_xml and schema_of_xml.
/// Source: Spark SQL guide, "XML Files", and XmlOptions.scala.
struct XmlOptions {
  /// Errors: Invalid for texts that are no boolean or number, and where two options must not be the same;
  /// NotImplemented for options that are not built.
  static arrow::Result<XmlOptions> Parse(const OptionMap& options, const SessionFormat& session);
  static std::span<const OptionDoc> Table();

  std::string row_tag;
  std::string attribute_prefix;
  std::string value_tag;
  std::string array_element_name;
  std::string wildcard_column;
  std::string indent;
  /// nullopt: no text stands for NULL.
  std::optional<std::string> null_value;
  bool exclude_attributes = false;
  bool ignore_surrounding_spaces = true;
  bool ignore_namespace = false;
  bool infer_schema = true;
  bool prefers_decimal = false;
  bool validate_name = true;
  ParseMode mode = ParseMode::kPermissive;
  std::string corrupt_record_column;
  const types::TimeZone* time_zone = types::TimeZone::Utc();
  std::string locale;
  NumberSymbols number_symbols;

  std::optional<std::string> date_format;
  std::optional<std::string> timestamp_format;
  std::optional<std::string> timestamp_ntz_format;
  std::string date_format_in_write;
  std::string timestamp_format_in_write;
  std::string timestamp_ntz_format_in_write;
};

}  // namespace millrace::format
