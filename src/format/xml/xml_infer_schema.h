#pragma once

#include <arrow/result.h>

#include <string_view>

#include "format/xml/xml_options.h"
#include "types/data_type.h"

namespace millrace::format {

/// The type of one XML element: a struct whose fields stand sorted by name; VOID where nothing is known, and nullptr
/// when the text is malformed. Source: XmlInferSchema.scala; tests/sql/function/xml/schema_of_xml.slt.
arrow::Result<types::DataTypePtr> InferXmlType(std::string_view record, const XmlOptions& options, bool case_sensitive);

/// The same as a schema: VOID becomes STRING, structs without fields go; nullptr when nothing is left.
types::DataTypePtr CanonicalXmlType(const types::DataTypePtr& type);

}  // namespace millrace::format
