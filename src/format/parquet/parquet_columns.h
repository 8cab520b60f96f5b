#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/type.h>

#include <memory>
#include <string>
#include <vector>

#include "types/data_type.h"

namespace parquet::arrow {
struct SchemaField;
}

namespace millrace::format {

/// Whether the Parquet source and sink take a column of this type (no VOID, no legacy interval).
bool SupportsParquet(const types::DataType& type);

/// The common schema of two files: columns of both, types widened as Spark's StructType.merge does.
/// Errors: UserError CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE.
arrow::Result<types::DataTypePtr> MergeParquetSchemas(const types::DataTypePtr& a, const types::DataTypePtr& b);

/// Indexes of the leaf columns below `field`, in order.
void CollectLeaves(const parquet::arrow::SchemaField& field, std::vector<int>* leaves);

/// Makes the wanted columns out of a file's: finds them by name (first the exact one, else the only one in any case),
/// widens types where no value can change, fills missing ones with NULL.
/// Immutable, thread-safe. Source: Spark's vectorised Parquet reader.
class ParquetColumns {
 public:
  /// Errors: UserError FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH.
  static arrow::Result<ParquetColumns> Make(const std::string& path, const arrow::Schema& file_schema,
                                            const types::DataTypePtr& wanted);

  /// The file's top-level columns to be read, ascending; batches hold exactly these.
  const std::vector<int>& file_columns() const { return file_columns_; }
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Convert(const arrow::RecordBatch& batch) const;

 private:
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<int> file_columns_;
  /// For each wanted column its place among file_columns_, or -1.
  std::vector<int> sources_;
};

/// What the Parquet writer is given for columns of a Spark schema: intervals as plain integers, like Spark's files.
class ParquetWriteColumns {
 public:
  /// Errors: UserError UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE.
  static arrow::Result<ParquetWriteColumns> Make(const types::DataTypePtr& schema);
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Convert(const arrow::RecordBatch& batch) const;

 private:
  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace millrace::format
