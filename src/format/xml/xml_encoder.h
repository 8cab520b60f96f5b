#pragma once

#include <arrow/array.h>
#include <arrow/result.h>

#include <memory>

#include "format/xml/xml_options.h"
#include "types/data_type.h"

namespace millrace::format {

/// Writes each row of a struct column as one XML element, as Spark's to_xml does.
///
/// In:     a StructArray of `type`.    Out: utf8, NULL for NULL.
/// Errors: Invalid for a name that is no name of XML; CapacityError past 2^31 bytes.   Thread: one Encode at a time.
/// Source: StaxXmlGenerator.scala; tests/sql/function/xml/to_xml.slt.
class XmlEncoder {
 public:
  /// Errors: UserError INVALID_DATETIME_PATTERN.…; NotImplemented for VARIANT.
  static arrow::Result<std::unique_ptr<XmlEncoder>> Make(const types::DataTypePtr& type, const XmlOptions& options);
  ~XmlEncoder();

  arrow::Result<std::shared_ptr<arrow::Array>> Encode(const arrow::Array& rows, arrow::MemoryPool* pool);

 private:
  class Implementation;
  explicit XmlEncoder(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace millrace::format
