#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "format/parquet/parquet_columns.h"
#include "format/predicate.h"
#include "types/data_type.h"

namespace parquet {
class FileMetaData;
}
namespace parquet::arrow {
class FileReader;
}

namespace millrace::format {

struct ParquetScanOptions {
  /// Columns wanted, with the types to give them.
  types::DataTypePtr schema;
  ColumnMatch match;
  /// Names as in `filter_schema`. Row groups whose statistics rule it out are not read.
  PredicatePtr filter;
  /// Types of the filter's columns; null: `schema`.
  types::DataTypePtr filter_schema;
  int64_t batch_rows = 64 * 1024;
  /// Only row groups whose middle lies in these bytes of the file: parts of a large file read by several tasks.
  int64_t first_byte = 0;
  int64_t end_byte = std::numeric_limits<int64_t>::max();
};

/// Reads the wanted columns of one Parquet file, row group by row group. Thread: confined.
class ParquetScan {
 public:
  /// Errors: those of opening, reading and of types that cannot be read so; not yet named by the file.
  static arrow::Result<std::unique_ptr<ParquetScan>> Open(const std::string& path, const ParquetScanOptions& options);
  /// Makes the options when it is known what a file has.
  using Choose = std::function<arrow::Result<ParquetScanOptions>(const arrow::Schema& file_schema)>;
  static arrow::Result<std::unique_ptr<ParquetScan>> OpenChosen(const std::string& path, const Choose& choose);
  /// The same of a file that is in memory; `path` is for messages.
  static arrow::Result<std::unique_ptr<ParquetScan>> OpenBytes(const std::string& path, std::string bytes,
                                                               const Choose& choose);
  ~ParquetScan();

  /// The next rows; null at the end.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next();
  /// Position in the file of the first row of the batch Next gave last.
  int64_t first_row() const { return first_row_; }
  /// Rows of the file, those of row groups that are left out too.
  int64_t num_file_rows() const;
  int num_row_groups_read() const { return static_cast<int>(row_groups_.size()); }

 private:
  ParquetScan();
  static arrow::Result<std::unique_ptr<ParquetScan>> StartChosen(const std::string& path,
                                                                 std::unique_ptr<parquet::arrow::FileReader> reader,
                                                                 const Choose& choose);
  arrow::Status Start(const std::string& path, std::unique_ptr<parquet::arrow::FileReader> reader,
                      const ParquetScanOptions& options);

  std::unique_ptr<parquet::arrow::FileReader> reader_;
  ParquetColumns columns_;
  std::vector<int> row_groups_;
  std::vector<int64_t> first_rows_;
  size_t next_group_ = 0;
  std::unique_ptr<arrow::RecordBatchReader> batches_;
  int64_t first_row_ = 0;
  int64_t next_row_ = 0;
};

/// Opens a file with what all our reads of Parquet have in common.
arrow::Result<std::unique_ptr<parquet::arrow::FileReader>> OpenParquet(const std::string& path, int64_t batch_rows);

/// The row groups, of all of `metadata`, that may have rows of `filter`.
std::vector<int> MatchingRowGroups(const parquet::FileMetaData& metadata, const ParquetColumns& columns,
                                   const PredicatePtr& filter);

}  // namespace millrace::format
