#pragma once

#include <arrow/result.h>

#include <optional>
#include <string>
#include <vector>

#include "format/csv/csv_options.h"
#include "format/text_value.h"
#include "types/data_type.h"

namespace millrace::format {

/// Infers the types of CSV columns value by value: INT, BIGINT, DECIMAL, DOUBLE, DATE, TIMESTAMP, BOOLEAN, STRING.
/// Thread: confined. Source: CSVInferSchema.scala.
class CsvSchemaInference {
 public:
  using Values = std::vector<std::optional<std::string>>;
  static arrow::Result<CsvSchemaInference> Make(const CsvOptions& options, size_t num_columns);

  /// Takes one record into account; columns beyond the first record's are ignored.
  void Add(const Values& values);
  /// The columns under these names; VOID becomes STRING.
  types::DataTypePtr Finish(const std::vector<std::string>& names) const;

  /// Column names from a header record (or _c0, _c1 … without `header`), made unique as Spark does.
  static std::vector<std::string> ColumnNames(const Values& first, const CsvOptions& options);

 private:
  CsvSchemaInference(const CsvOptions& options, TextValueParser values, size_t num_columns)
      : options_(options), values_(std::move(values)), types_(num_columns, types::Null()) {}
  types::DataTypePtr TypeOf(const types::DataTypePtr& so_far, const std::string& text) const;
  types::DataTypePtr TypeOfNonNumber(types::TypeId from, const std::string& text) const;

  CsvOptions options_;
  TextValueParser values_;
  std::vector<types::DataTypePtr> types_;
};

}  // namespace millrace::format
