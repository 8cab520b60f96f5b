#pragma once

#include <arrow/array.h>
#include <arrow/result.h>

#include <memory>
#include <string_view>

#include "format/csv/csv_options.h"
#include "types/data_type.h"

namespace millrace::format {

struct CsvDecoderConfig {
  /// kStruct: the columns wanted, perhaps with the corrupt-record column.
  types::DataTypePtr schema;
  /// kStruct: the columns of the text by position; null when these are `schema`. Where it has more columns than wanted,
  /// records of another length are not malformed, as in Spark.
  types::DataTypePtr text_schema = nullptr;
  CsvOptions options;
  /// DROPMALFORMED drops rows, blank texts are no rows. Without it: from_csv's rules.
  bool as_source = false;
};

/// Decodes CSV texts to columns, with Spark's conversions and rules for malformed records.
///
/// In:     a utf8 column, one record a value.
/// Out:    a StructArray of `schema`; NULL for NULL.
/// Errors: FAILFAST: UserError MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION.
/// Thread: one call at a time.
/// Source: UnivocityParser.scala; tests/sql/csv.
class CsvDecoder {
 public:
  /// Errors: UserError INVALID_CORRUPT_RECORD_TYPE, UNSUPPORTED_DATATYPE for nested columns.
  static arrow::Result<std::unique_ptr<CsvDecoder>> Make(CsvDecoderConfig config, arrow::MemoryPool* pool);
  ~CsvDecoder();

  arrow::Result<std::shared_ptr<arrow::Array>> Decode(const arrow::Array& records);

  /// Reads rows of a text of many records (multiLine) until `max_rows`; an empty array at the end.
  void StartText(std::string_view text);
  arrow::Result<std::shared_ptr<arrow::Array>> DecodeText(int64_t max_rows);
  /// Skips one record of the text (the header).
  void SkipRecord();

 private:
  class Implementation;
  explicit CsvDecoder(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

/// Whether CSV has a text for values of this type that it also reads.
bool SupportsCsv(const types::DataType& type);

}  // namespace millrace::format
