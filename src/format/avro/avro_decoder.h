#pragma once

#include <arrow/array.h>
#include <arrow/result.h>

#include <memory>
#include <string_view>

#include "format/avro/avro_cursor.h"
#include "format/avro/avro_schema.h"
#include "format/column_writer.h"
#include "types/data_type.h"

namespace millrace::format {

struct AvroDecoderConfig {
  /// What the bytes were written with.
  std::shared_ptr<const AvroDocument> writer;
  /// What they are read as (Avro's schema resolution); may be the writer's.
  std::shared_ptr<const AvroDocument> reader;
  /// What comes out: the reader's schema as a Spark type, or a part of it by name. Columns that the reader's schema
  /// lacks are NULL.
  types::DataTypePtr type;
  bool case_sensitive = false;
  /// Match the fields of records by position, not by name.
  bool positional = false;
};

struct AvroStep;

/// Decodes Avro's binary encoding into a column, with Avro's schema resolution and Spark's conversions. Both are bound
/// once into a tree of steps; a value costs a switch.
///
/// Errors: Invalid from Make, as Spark's IncompatibleSchemaException, where the schema cannot be read as the type;
///         UserError AVRO_INCOMPATIBLE_READ_TYPE.
/// Thread: confined.
/// Source: Apache Avro 1.12 specification, "Schema Resolution"; AvroDeserializer.scala.
class AvroDecoder {
 public:
  static arrow::Result<std::unique_ptr<AvroDecoder>> Make(AvroDecoderConfig config, arrow::MemoryPool* pool);
  ~AvroDecoder();

  /// Appends the next value at the cursor. False where the bytes are not one: nothing is appended then, and error()
  /// says why.
  bool Append(AvroCursor* cursor);
  const std::string& error() const { return error_; }
  /// A row that says "malformed": a struct of NULLs, or NULL.
  void AppendMalformed();
  void AppendNull() { column_.AppendNull(); }

  int64_t length() const { return column_.length(); }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish() { return column_.Finish(); }

 private:
  AvroDecoder(AvroDecoderConfig config, std::unique_ptr<AvroStep> root, arrow::MemoryPool* pool);
  bool Read(const AvroStep& step, AvroCursor* cursor, ColumnWriter* out);
  bool ReadRecord(const AvroStep& step, AvroCursor* cursor, ColumnWriter* out);
  bool ReadItems(const AvroStep& step, AvroCursor* cursor, ColumnWriter* out);
  bool ReadUnion(const AvroStep& step, AvroCursor* cursor, ColumnWriter* out);
  bool ReadDecimal(std::string_view bytes, ColumnWriter* out);
  bool StoreNumber(const AvroStep& step, int64_t value, ColumnWriter* out);
  bool Skip(const AvroSchema& schema, AvroCursor* cursor, int depth);
  bool Fail(std::string message);

  AvroDecoderConfig config_;
  std::unique_ptr<AvroStep> root_;
  ColumnWriter column_;
  std::string error_;
};

}  // namespace millrace::format
