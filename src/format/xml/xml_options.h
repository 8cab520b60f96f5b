#pragma once

#include <optional>
#include <span>
#include <string>

#include "format/text_format_options.h"

namespace millrace::format {

/// Options of from_xml, to_xml and schema_of_xml.
/// Source: Spark SQL guide, "XML Files", and XmlOptions.scala.
struct XmlOptions : TextFormatOptions {
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
};

}  // namespace millrace::format
