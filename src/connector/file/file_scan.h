#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connector/file/file_schema.h"
#include "connector/source.h"

namespace millrace::connector::file {

/// How files are read: the same for all partitions of a read. Immutable.
struct FileReadPlan {
  const format::FileFormat* format = nullptr;
  format::OptionMap options;
  format::SessionFormat session;
  types::DataTypePtr data_schema;
  /// What each file is asked for: the data columns that are wanted.
  types::DataTypePtr wanted_data;
  types::DataTypePtr partition_schema;
  /// One a wanted column: index into wanted_data, or -1 − index into partition_schema, or kMetadataPosition.
  std::vector<int> columns;
  std::shared_ptr<arrow::Schema> output;
  format::PredicatePtr filter;
  /// Type of the column `_metadata`; null when it is not wanted.
  types::DataTypePtr metadata;
  const types::TimeZone* time_zone = types::TimeZone::Utc();
  bool ignore_missing_files = false;
  bool ignore_corrupt_files = false;
};

/// A file with the values of its directory, in the order of partition_schema.
struct FileToRead {
  ListedFile file;
  std::vector<std::string> partition_values;
  format::FileBlock block;
};

arrow::Result<std::shared_ptr<const FileReadPlan>> MakeReadPlan(const FileTable& table, const SourceRequest& request,
                                                                const ReadColumns& columns);

/// Packs files into partitions as Spark does (spark.sql.files.maxPartitionBytes, openCostInBytes, one share a core),
/// largest first; a file larger than a partition is cut into blocks where its format allows it.
InputPartitions PackFiles(std::shared_ptr<const FileReadPlan> plan, std::vector<FileToRead> files,
                          const ConnectorContext& context);

/// A bounded read of files.
arrow::Result<std::unique_ptr<BatchScan>> OpenFileScan(const format::FileFormat& format, const SourceRequest& request);

/// Values of a file's directories for `partition_schema`; kDefaultPartition where the path does not say.
std::vector<std::string> PartitionValuesOf(const std::string& path, const types::DataType& partition_schema,
                                           bool case_sensitive);

}  // namespace millrace::connector::file
