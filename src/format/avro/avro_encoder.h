#pragma once

#include <arrow/array.h>
#include <arrow/result.h>

#include <memory>
#include <string>

#include "format/avro/avro_schema.h"
#include "types/data_type.h"

namespace millrace::format {

struct AvroWriteStep;

/// Encodes a column in Avro's binary encoding, with Spark's conversions. Type and schema are bound once, columns once a
/// batch.
///
/// Errors: Make: Invalid, as Spark's IncompatibleSchemaException, where the type cannot be written as the schema.
///         Encode: UserError AVRO_CANNOT_WRITE_NULL_FIELD; Invalid for texts that are no symbol of an enum and for
///         bytes that are not as long as a fixed.
/// Thread: confined.
/// Source: Apache Avro 1.12 specification, "Binary Encoding"; AvroSerializer.scala.
class AvroEncoder {
 public:
  static arrow::Result<std::unique_ptr<AvroEncoder>> Make(types::DataTypePtr type,
                                                          std::shared_ptr<const AvroDocument> schema,
                                                          bool positional = false);
  ~AvroEncoder();

  /// One binary value a row; NULL for NULL.
  arrow::Result<std::shared_ptr<arrow::Array>> Encode(const arrow::Array& values, arrow::MemoryPool* pool);
  /// Appends all rows one after the other, as a file's block has them.
  arrow::Status EncodeRows(const arrow::Array& values, std::string* out);

 private:
  AvroEncoder(types::DataTypePtr type, std::shared_ptr<const AvroDocument> schema, std::unique_ptr<AvroWriteStep> root);

  types::DataTypePtr type_;
  std::shared_ptr<const AvroDocument> schema_;
  std::unique_ptr<AvroWriteStep> root_;
};

}  // namespace millrace::format
