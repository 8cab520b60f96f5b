#pragma once

#include <arrow/array.h>
#include <arrow/result.h>

#include <memory>

#include "format/csv/csv_options.h"
#include "types/data_type.h"

namespace millrace::format {

/// Writes each row of a struct column as one CSV record without a line end, as Spark's to_csv and CSV sink do.
///
/// In:     a StructArray of `type`.    Out: utf8, NULL for NULL.
/// Text:   values that hold the delimiter, a quote or a line end are quoted; NULL is nullValue, "" is emptyValue; dates
///         and timestamps by the options' patterns, numbers as Java prints them.
/// Errors: CapacityError past 2^31 bytes.   Thread: one Encode at a time.
/// Source: UnivocityGenerator.scala; tests/sql/csv/to_csv.slt.
class CsvEncoder {
 public:
  /// Errors: UserError INVALID_DATETIME_PATTERN.….
  static arrow::Result<std::unique_ptr<CsvEncoder>> Make(const types::DataTypePtr& type, const CsvOptions& options);
  ~CsvEncoder();

  arrow::Result<std::shared_ptr<arrow::Array>> Encode(const arrow::Array& rows, arrow::MemoryPool* pool);
  /// The column names as a record.
  std::string Header() const;

 private:
  class Implementation;
  explicit CsvEncoder(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace millrace::format
