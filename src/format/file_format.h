#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "format/json/json_options.h"
#include "format/option_map.h"
#include "format/predicate.h"
#include "types/data_type.h"

/// Data files: bytes on disk to record batches and back, one file at a time. Which files there are, what their
/// directories say of partition columns, and when a written file counts, is connector/file's.

namespace millrace::format {

/// A part of a file that one task reads: the rows that begin in it (Hadoop's input split).
struct FileBlock {
  int64_t start = 0;
  /// −1: to the end.
  int64_t length = -1;
  bool whole() const { return start == 0 && length < 0; }
};

struct FileReadRequest {
  std::string path;
  /// Other than the whole file only where `splittable` says so.
  FileBlock block;
  /// Columns wanted, with the types to give them; may hold the corrupt-record column (json, csv). Columns the file does
  /// not have are NULL.
  types::DataTypePtr schema;
  /// csv: all columns of the file as the user declared or Spark inferred them, in the file's order; `schema` is a part
  /// of them. Others ignore it.
  types::DataTypePtr file_schema;
  /// Rows that cannot satisfy this need not be given (parquet leaves out row groups); null for none. Its columns are
  /// those of `filter_schema`, or of `schema` where that is null.
  PredicatePtr filter;
  types::DataTypePtr filter_schema;
  OptionMap options;
  SessionFormat session;
  int64_t batch_rows = 64 * 1024;
};

/// Reads one file from start to end. Thread: confined.
class FileReader {
 public:
  virtual ~FileReader() = default;
  /// The next rows, columns as in the request's schema; null after the last.
  /// Errors: UserError FAILED_READ_FILE.… and what the mode of malformed records raises.
  virtual arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() = 0;
  /// Position in the file of the first row of the batch Next gave last; −1 from formats that do not count.
  virtual int64_t first_row() const { return -1; }
};

struct FileWriteRequest {
  std::string path;
  types::DataTypePtr schema;
  OptionMap options;
  SessionFormat session;
  FileSystem* file_system = LocalFileSystem();
  Durability durability = Durability::kMachine;
  /// parquet: a writer holds the rows of one group in memory.
  int64_t row_group_rows = 1024 * 1024;
};

struct WrittenFile {
  int64_t num_rows = 0;
  int64_t size_bytes = 0;
};

/// Writes one file. Finish closes and, with Durability::kMachine, syncs it. A writer that is not finished leaves a
/// partial file behind. Thread: confined.
class FileWriter {
 public:
  virtual ~FileWriter() = default;
  virtual arrow::Status Write(const arrow::RecordBatch& batch) = 0;
  virtual arrow::Result<WrittenFile> Finish() = 0;
};

/// One file format. A row of the registry.
struct FileFormat {
  /// "json", "csv", "text", "parquet", "avro", "orc", "binaryFile"
  std::string_view name;
  std::string_view description;
  /// Shown in docs; empty for formats without options.
  std::span<const OptionDoc> (*options)();
  /// What a written file is called after its unique part: ".json", ".csv.gz", ".snappy.parquet".
  /// Errors: UserError CODEC_NOT_AVAILABLE for an unknown `compression`.
  arrow::Result<std::string> (*extension)(const OptionMap& options);
  arrow::Result<std::unique_ptr<FileReader>> (*open_reader)(const FileReadRequest& request);
  arrow::Result<std::unique_ptr<FileWriter>> (*open_writer)(const FileWriteRequest& request);
  /// The schema of the union of these files, as Spark infers it (nullable columns, without partition columns).
  /// Errors: UserError UNABLE_TO_INFER_SCHEMA when there is nothing to look at.
  arrow::Result<types::DataTypePtr> (*infer_schema)(const std::vector<std::string>& paths, const OptionMap& options,
                                                    const SessionFormat& session);
  /// Whether a column of this type can be read and written; nested types are asked for as a whole.
  bool (*supports)(const types::DataType& type);
  /// Whether several tasks can read one file (FileReadRequest::block).
  bool (*splittable)(const std::string& path, const OptionMap& options);
};

std::span<const FileFormat* const> AllFileFormats();
/// By name, any case; nullptr when there is none.
const FileFormat* FindFileFormat(std::string_view name);

/// A failure while reading `path`, as UserError FAILED_READ_FILE.NO_HINT with its cause; FAILED_READ_FILE.… passes
/// through.
arrow::Status FileReadError(const std::string& path, const arrow::Status& status);

}  // namespace millrace::format
