#pragma once

#include <arrow/array.h>
#include <arrow/result.h>

#include <memory>

#include "format/json/json_options.h"
#include "types/data_type.h"

namespace millrace::format {

/// Writes each value of a struct, array or map column as one JSON text, as Spark's to_json and JSON sink do.
///
/// In:     a column of `type`.
/// Out:    utf8, NULL for NULL.
/// Text:   compact unless `pretty`; null fields left out unless ignoreNullFields is false; numbers as Java prints them,
///         decimals as BigDecimal.toString, NaN and infinities as strings, binary as Base64, dates and timestamps by
///         the options' patterns, intervals as CAST prints them.
/// Errors: CapacityError past 2^31 bytes.
/// Thread: one Encode at a time.
/// Source: JacksonGenerator.scala; tests/sql/json/to_json.slt.
class JsonEncoder {
 public:
  /// Errors: UserError INVALID_DATETIME_PATTERN.…; NotImplemented for binary map keys.
  static arrow::Result<std::unique_ptr<JsonEncoder>> Make(const types::DataTypePtr& type, const JsonOptions& options);
  ~JsonEncoder();

  arrow::Result<std::shared_ptr<arrow::Array>> Encode(const arrow::Array& values, arrow::MemoryPool* pool);

 private:
  class Implementation;
  explicit JsonEncoder(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace millrace::format
