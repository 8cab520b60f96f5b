#pragma once

#include <string>
#include <vector>

#include "connector/file/file_listing.h"
#include "connector/source.h"
#include "delta/action/add.h"
#include "types/data_type.h"

/// Directories of Parquet files that become Delta tables, or are cloned as one. Source: delta-spark's ConvertUtils.

namespace millrace::session {

struct ParquetFiles {
  std::string path;
  /// The columns that the directories between `path` and the files carry.
  types::DataTypePtr partition_schema;
  /// Columns of the files.
  types::DataTypePtr data_schema;
  std::vector<connector::file::ListedFile> files;

  /// Its columns, those of the directories last.
  types::DataTypePtr schema() const;
};

/// Finds the files below `path`, and their columns.
/// Errors: UserError DELTA_PATH_DOES_NOT_EXIST, DELTA_EMPTY_DIRECTORY.
arrow::Status FindParquetFiles(const connector::ConnectorContext& context, ParquetFiles* table);

/// A file as Delta's log has it, by its path below the table's. Errors: UserError
/// DELTA_UNEXPECTED_NUM_PARTITION_COLUMNS_FROM_FILE_NAME, DELTA_UNEXPECTED_PARTITION_COLUMN_FROM_FILE_NAME.
arrow::Result<delta::Add> FileOfTable(const ParquetFiles& table, const connector::file::ListedFile& file);

}  // namespace millrace::session
