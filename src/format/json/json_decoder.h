#pragma once

#include <arrow/array.h>
#include <arrow/result.h>

#include <memory>

#include "format/json/json_options.h"
#include "types/data_type.h"

namespace millrace::format {

struct JsonDecoderConfig {
  /// kStruct, kArray, kMap (with string keys) or kVariant. A struct may hold the corrupt-record column. Only what it
  /// names is decoded: narrow it to what the query reads.
  types::DataTypePtr schema;
  /// Null, or the schema that `schema` is a part of: malformed records are judged by it, so that which fields of theirs
  /// stay does not depend on what else is decoded. Same corrupt-record column.
  types::DataTypePtr full_schema = nullptr;
  JsonOptions options;
  /// The rules of the file source: an array of objects at the root is as many rows, blank records are none, and string
  /// columns take nested values as they are written. Without it: from_json's.
  bool as_source = false;
};

struct DecodedJson {
  /// The schema's values; for a struct a StructArray.
  std::shared_ptr<arrow::Array> values;
  /// Where records and rows are not one to one (as_source): int32 index of the record of each row. Else null.
  std::shared_ptr<arrow::Array> record_of_row;
};

/// Decodes JSON records to columns, with Spark's types, conversions and rules for malformed records.
///
/// In:     a utf8 or binary column, one record a value.
/// Out:    from_json: one value a record, NULL for NULL and blank records.
/// Errors: FAILFAST: UserError MALFORMED_RECORD_IN_PARSING.… for the first bad record. CapacityError past 2^31 bytes.
/// Speed:  records are indexed many at a time (JsonStructure) and read straight into column buffers; fields are
/// expected
///         in the order of the record before. What that path does not understand, whole records and not values, goes to
///         JsonRecordReader.
/// Thread: one Decode at a time.
/// Source: JacksonParser.scala and FailureSafeParser.scala; tests/sql/json.
class JsonDecoder {
 public:
  /// Errors: UserError INVALID_CORRUPT_RECORD_TYPE; what JsonOptions refuse.
  static arrow::Result<std::unique_ptr<JsonDecoder>> Make(JsonDecoderConfig config, arrow::MemoryPool* pool);
  ~JsonDecoder();

  arrow::Result<DecodedJson> Decode(const arrow::Array& records);
  /// The number of records so far that the fast path did not take.
  int64_t num_slow_records() const;

 private:
  class Implementation;
  explicit JsonDecoder(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

/// The type of the column `name` of a schema must be a nullable string, if there is one.
/// Errors: UserError INVALID_CORRUPT_RECORD_TYPE.
arrow::Status CheckCorruptRecordColumn(const types::DataType& schema, const std::string& name);

}  // namespace millrace::format
