#include "base/error.h"
#include "connector/file/file_scan.h"
#include "connector/file/file_sink.h"
#include "connector/file/file_stream.h"

/// The records of the file formats as sources and sinks.

namespace millrace::connector {

namespace {

constexpr OptionDef kSourceOptions[] = {
    {"path", "", "File, directory or glob pattern."},
    {"pathGlobFilter", "", "Only files whose name is of this glob pattern."},
    {"recursiveFileLookup", "false", "Files of all directories below; columns of directories are not looked for."},
    {"basePath", "", "Where directories begin to carry columns."},
    {"modifiedBefore", "", "Batch: only files modified before this timestamp."},
    {"modifiedAfter", "", "Batch: only files modified after this timestamp."},
    {"ignoreMissingFiles", "false", "A file that has disappeared has no rows."},
    {"ignoreCorruptFiles", "false", "A file that cannot be read has no further rows."},
    {"maxFilesPerTrigger", "", "Streams: at most so many new files in a micro-batch."},
    {"maxBytesPerTrigger", "", "Streams: new files of about so many bytes in a micro-batch, one at least."},
    {"latestFirst", "false", "Streams: the youngest files first."},
    {"maxFileAge", "7d", "Streams: files so much older than the youngest one are not looked at."},
    {"fileNameOnly", "false", "Streams: files of the same name in two directories are the same file."},
    {"maxCachedFiles", "10000", "Streams: how many listed files are kept for the next micro-batches."},
    {"discardCachedInputRatio", "0.2", "Streams: below this part of maxFilesPerTrigger kept files are listed again."},
    {"cleanSource", "off", "Streams: what becomes of files that were read: off, delete, archive."},
    {"sourceArchiveDir", "", "Streams: where cleanSource = archive moves files to."},
};

constexpr OptionDef kSinkOptions[] = {
    {"path", "", "Output directory."},
    {"maxRecordsPerFile", "0", "At most so many rows a file; 0: no limit."},
    {"partitionOverwriteMode", "STATIC", "Batch, overwrite: DYNAMIC replaces only the partitions that get rows."},
    {"retention", "", "Streams: files older than this leave the log of the output directory."},
};

// The records are data; which format they are of is in the functions they point to.
constexpr char kJsonName[] = "json";
constexpr char kCsvName[] = "csv";
constexpr char kTextName[] = "text";
constexpr char kParquetName[] = "parquet";
constexpr char kAvroName[] = "avro";
constexpr char kOrcName[] = "orc";
constexpr char kBinaryFileName[] = "binaryFile";

arrow::Result<const format::FileFormat*> FormatOf(const char* name) {
  const format::FileFormat* format = format::FindFileFormat(name);
  if (format == nullptr) {
    return UserError("UNSUPPORTED_CALL.WITHOUT_SUGGESTION",
                     {{"methodName", "format(\"" + std::string(name) + "\")"}, {"className", "Millrace"}});
  }
  return format;
}

template <const char* kName>
arrow::Result<types::DataTypePtr> Schema(const SourceRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const format::FileFormat* format, FormatOf(kName));
  return file::ResolveFileSchema(*format, request);
}

template <const char* kName>
arrow::Result<std::unique_ptr<BatchScan>> OpenBatch(const SourceRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const format::FileFormat* format, FormatOf(kName));
  return file::OpenFileScan(*format, request);
}

template <const char* kName>
arrow::Result<std::unique_ptr<MicroBatchStream>> OpenStream(const SourceRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const format::FileFormat* format, FormatOf(kName));
  return file::OpenFileStream(*format, request);
}

template <const char* kName>
arrow::Result<std::unique_ptr<StreamSink>> OpenStreamSink(const SinkRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const format::FileFormat* format, FormatOf(kName));
  return file::OpenFileStreamSink(*format, request);
}

template <const char* kName>
arrow::Result<std::unique_ptr<Write>> OpenBatchSink(const SinkRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const format::FileFormat* format, FormatOf(kName));
  return file::OpenFileWrite(*format, request);
}

template <const char* kName>
constexpr SourceDef FileSource(std::string_view description, DroppedRows dropped_rows = DroppedRows::kCounted) {
  return {.name = kName,
          .description = description,
          .options = kSourceOptions,
          .schema = &Schema<kName>,
          .open_batch = &OpenBatch<kName>,
          .open_stream = &OpenStream<kName>,
          .dropped_rows = dropped_rows,
          .low_latency = {.class_name = "org.apache.spark.sql.execution.streaming.runtime.FileStreamSource"}};
}

template <const char* kName>
constexpr SinkDef FileSink(std::string_view description) {
  return {.name = kName,
          .description = description,
          .options = kSinkOptions,
          .output_modes = 1,
          .reports_num_output_rows = false,
          .temporary_checkpoint = false,
          .low_latency = {.class_name = "org.apache.spark.sql.execution.streaming.sinks.FileStreamSink"},
          .open_stream = &OpenStreamSink<kName>,
          .open_batch = &OpenBatchSink<kName>};
}

}  // namespace

extern const SourceDef kJsonSource;
extern const SourceDef kCsvSource;
extern const SourceDef kTextSource;
extern const SourceDef kParquetSource;
extern const SourceDef kAvroSource;
extern const SourceDef kOrcSource;
extern const SourceDef kBinaryFileSource;
extern const SinkDef kJsonSink;
extern const SinkDef kCsvSink;
extern const SinkDef kTextSink;
extern const SinkDef kParquetSink;
extern const SinkDef kAvroSink;
extern const SinkDef kOrcSink;
extern const SinkDef kBinaryFileSink;

// JSON: a member that a document does not have was never looked at. Source: Spark, JsonFilters, CSVFilters.
const SourceDef kJsonSource = FileSource<kJsonName>("Reads files of JSON documents.", DroppedRows::kFalseUncounted);
const SourceDef kCsvSource = FileSource<kCsvName>("Reads files of comma-separated values.", DroppedRows::kUncounted);
const SourceDef kTextSource = FileSource<kTextName>("Reads lines of text files.");
const SourceDef kParquetSource = FileSource<kParquetName>("Reads Apache Parquet files.");
const SourceDef kAvroSource = FileSource<kAvroName>("Reads Apache Avro files.");
const SourceDef kOrcSource = FileSource<kOrcName>("Reads Apache ORC files.");
const SourceDef kBinaryFileSource = FileSource<kBinaryFileName>("Reads whole files, a row each.");
const SinkDef kJsonSink = FileSink<kJsonName>("Writes files of JSON documents.");
const SinkDef kCsvSink = FileSink<kCsvName>("Writes files of comma-separated values.");
const SinkDef kTextSink = FileSink<kTextName>("Writes text files, a line a row.");
const SinkDef kParquetSink = FileSink<kParquetName>("Writes Apache Parquet files.");
const SinkDef kAvroSink = FileSink<kAvroName>("Writes Apache Avro files.");
const SinkDef kOrcSink = FileSink<kOrcName>("Writes Apache ORC files.");
// Known as a sink by name, so that the refusal is Spark's.
const SinkDef kBinaryFileSink = FileSink<kBinaryFileName>("Refused: files are not written whole.");

}  // namespace millrace::connector
