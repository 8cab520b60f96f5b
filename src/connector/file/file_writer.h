#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "connector/file/sink_log_entry.h"
#include "connector/sink.h"
#include "format/file_format.h"

namespace millrace::connector::file {

/// How rows become files: the same for all tasks of a write. Immutable.
struct FileWritePlan {
  const format::FileFormat* format = nullptr;
  format::OptionMap options;
  format::SessionFormat session;
  types::DataTypePtr schema;
  /// Indices into `schema`.
  std::vector<int> partition_columns;
  std::vector<int> data_columns;
  /// Index into `schema` of the number of a row's bucket; -1: none.
  int bucket_column = -1;
  types::DataTypePtr data_schema;
  std::string extension;
  const types::TimeZone* time_zone = types::TimeZone::Utc();
  FileSystem* file_system = nullptr;
  Durability durability = Durability::kMachine;
  /// Option maxRecordsPerFile; 0: no limit.
  int64_t max_rows_per_file = 0;
};

/// Resolves the partition columns. Errors: UserError PARTITION_COLUMN_NOT_FOUND_IN_SCHEMA,
/// ALL_PARTITION_COLUMNS_NOT_ALLOWED, INVALID_PARTITION_COLUMN_DATA_TYPE.
arrow::Result<std::shared_ptr<const FileWritePlan>> MakeWritePlan(const format::FileFormat& format,
                                                                  const SinkRequest& request);

/// Whether files of the format take the data columns. Errors: UserError UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE.
arrow::Status CheckDataTypes(const FileWritePlan& plan);

/// A file that a task has written below `directory`.
struct FileWritten {
  /// "day=2024-01-02/page=a/part-….json", relative to the writer's directory.
  std::string relative_path;
  int64_t size_bytes = 0;
  int64_t modified_ms = 0;
};

/// Names of a task's files: `part-00003-<uuid>-c000.json`, of a bucket `part-00003-<uuid>_00007.c000.json`.
struct FileNaming {
  int task_index = 0;
  /// Empty: a fresh one for each file (Spark's streams).
  std::string uuid;
};

/// Writes one task's rows into files of `directory`, a directory a partition value. Commit gives
/// std::vector<FileWritten>, all files and directories synced. Confined.
std::unique_ptr<DataWriter> MakeFileWriter(std::shared_ptr<const FileWritePlan> plan, std::string directory,
                                           FileNaming naming);

}  // namespace millrace::connector::file
