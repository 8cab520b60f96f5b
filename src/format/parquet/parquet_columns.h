#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/type.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "types/data_type.h"

namespace parquet::arrow {
struct SchemaField;
}

namespace millrace::format {

/// Option of the writer that the session sets (spark.sql.parquet.outputTimestampType): INT96 or TIMESTAMP_MICROS.
inline constexpr std::string_view kParquetTimestampType = "outputTimestampType";

/// Whether the Parquet source and sink take a column of this type (no VOID, no legacy interval).
bool SupportsParquet(const types::DataType& type);

/// The common schema of two files: columns of both, types widened as Spark's StructType.merge does.
/// Errors: UserError CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE.
arrow::Result<types::DataTypePtr> MergeParquetSchemas(const types::DataTypePtr& a, const types::DataTypePtr& b);

/// How wanted columns are found in a file.
struct ColumnMatch {
  enum class By : uint8_t {
    kName,          ///< the exact name, else the only one in any case
    kMetadataName,  ///< the name that the column's metadata has under `key`; its own where it has none
    kFieldId,       ///< the Parquet field id that the column's metadata has under `key`; a column without one: by name
  };
  By by = By::kName;
  std::string key;
};

/// Where a wanted column, or a part of one, is in the file.
struct ColumnPlace {
  /// Index among the file's fields on this level; -1: not there, NULL.
  int file_index = -1;
  /// Index among the fields that are read on this level: fields nobody wants are left out.
  int read_index = -1;
  /// Fields of a struct; the element of an array; key and value of a map.
  std::vector<ColumnPlace> children;
  /// A variant with parts in columns of their own; all of them are read.
  bool is_shredded_variant = false;
};

/// Makes the wanted columns out of a file's: finds them, widens types where no value can change, fills missing ones
/// with NULL. Fields of structs that are not wanted are not read.
/// Immutable, thread-safe. Source: Spark's vectorised Parquet reader.
class ParquetColumns {
 public:
  /// Errors: UserError FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH.
  static arrow::Result<ParquetColumns> Make(const std::string& path,
                                            const std::vector<parquet::arrow::SchemaField>& file_fields,
                                            const types::DataTypePtr& wanted, const ColumnMatch& match);

  /// The leaf columns to be read, ascending.
  const std::vector<int>& leaves() const { return leaves_; }
  /// Index of the leaf of a wanted column by its path of wanted names; -1 when it is no leaf or not there.
  int LeafOf(const std::vector<std::string>& column) const;
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Convert(const arrow::RecordBatch& batch) const;

 private:
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<int> leaves_;
  std::vector<ColumnPlace> places_;
  std::map<std::vector<std::string>, int> leaf_of_;
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
