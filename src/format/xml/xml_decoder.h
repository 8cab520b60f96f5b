#pragma once

#include <arrow/array.h>
#include <arrow/result.h>

#include <memory>

#include "format/xml/xml_options.h"
#include "types/data_type.h"

namespace millrace::format {

struct XmlDecoderConfig {
  /// kStruct: the columns wanted, perhaps with the corrupt-record column.
  types::DataTypePtr schema;
  XmlOptions options;
  bool case_sensitive = false;
};

/// Decodes XML texts to columns, with Spark's conversions and rules for malformed records.
///
/// In:     a utf8 column, one element a value.
/// Out:    a StructArray of `schema`; NULL for NULL.
/// Errors: FAILFAST: UserError MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION.
/// Thread: one call at a time.
/// Source: StaxXmlParser.scala; tests/sql/function/xml.
class XmlDecoder {
 public:
  /// Errors: UserError INVALID_CORRUPT_RECORD_TYPE; NotImplemented for VARIANT.
  static arrow::Result<std::unique_ptr<XmlDecoder>> Make(XmlDecoderConfig config, arrow::MemoryPool* pool);
  ~XmlDecoder();

  arrow::Result<std::shared_ptr<arrow::Array>> Decode(const arrow::Array& records);

 private:
  class Implementation;
  explicit XmlDecoder(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace millrace::format
