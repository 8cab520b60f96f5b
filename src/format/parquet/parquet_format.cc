#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/arrow/writer.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>

#include <array>

#include "base/ascii.h"
#include "base/error.h"
#include "base/version.h"
#include "format/compression.h"
#include "format/file_format.h"
#include "format/parquet/parquet_columns.h"
#include "format/parquet/parquet_scan.h"
#include "types/arrow_type.h"

namespace millrace::format {

namespace {

constexpr std::array kOptions = {
    OptionDoc{"compression", "snappy", "Codec of written files: none, snappy, gzip, zstd, lz4_raw, brotli."},
    OptionDoc{"mergeSchema", "false", "Infer the union of all files' schemas instead of the first file's."},
};

constexpr const char* kRowMetadata = "org.apache.spark.sql.parquet.row.metadata";
constexpr const char* kVersion = "org.apache.spark.version";

struct ParquetCodec {
  std::string_view name;
  std::string_view suffix;
  parquet::Compression::type type;
};
constexpr std::array kCodecs = {
    ParquetCodec{"none", "", parquet::Compression::UNCOMPRESSED},
    ParquetCodec{"uncompressed", "", parquet::Compression::UNCOMPRESSED},
    ParquetCodec{"snappy", ".snappy", parquet::Compression::SNAPPY},
    ParquetCodec{"gzip", ".gz", parquet::Compression::GZIP},
    ParquetCodec{"zstd", ".zstd", parquet::Compression::ZSTD},
    ParquetCodec{"lz4_raw", ".lz4raw", parquet::Compression::LZ4},
    ParquetCodec{"brotli", ".br", parquet::Compression::BROTLI},
};

arrow::Result<const ParquetCodec*> CodecOf(const OptionMap& options) {
  std::string name = OptionReader(options, kOptions).Text("compression");
  for (const ParquetCodec& codec : kCodecs) {
    if (EqualsIgnoreCase(codec.name, name)) return &codec;
  }
  return UserError(
      "CODEC_NOT_AVAILABLE.WITH_AVAILABLE_CODECS_SUGGESTION",
      {{"codecName", name}, {"availableCodecs", "brotli, uncompressed, lz4_raw, gzip, snappy, none, zstd"}});
}

/// INT96 holds instants, whatever Arrow thinks of it.
std::shared_ptr<arrow::Field> WithInstants(const parquet::arrow::SchemaField& field,
                                           const parquet::SchemaDescriptor& columns) {
  if (field.is_leaf()) {
    bool int96 = columns.Column(field.column_index)->physical_type() == parquet::Type::INT96;
    return int96 ? field.field->WithType(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")) : field.field;
  }
  if (field.field->type()->id() != arrow::Type::STRUCT) return field.field;
  arrow::FieldVector children;
  for (const parquet::arrow::SchemaField& child : field.children) children.push_back(WithInstants(child, columns));
  return field.field->WithType(arrow::struct_(std::move(children)));
}

/// Spark's schema as its writers (and ours) leave it in the file, else what the Parquet types say.
arrow::Result<types::DataTypePtr> FileSchema(parquet::arrow::FileReader& reader) {
  auto metadata = reader.parquet_reader()->metadata()->key_value_metadata();
  if (metadata != nullptr && metadata->Contains(kRowMetadata)) {
    ARROW_ASSIGN_OR_RAISE(std::string json, metadata->Get(kRowMetadata));
    auto parsed = types::ParseTypeJson(json);
    if (parsed.ok() && (*parsed)->id() == types::TypeId::kStruct) return parsed;
  }
  arrow::FieldVector fields;
  for (const parquet::arrow::SchemaField& field : reader.manifest().schema_fields) {
    fields.push_back(WithInstants(field, *reader.parquet_reader()->metadata()->schema()));
  }
  return types::FromArrowSchema(*arrow::schema(std::move(fields)));
}

class ParquetFileReader final : public FileReader {
 public:
  ParquetFileReader(std::string path, std::unique_ptr<ParquetScan> scan)
      : path_(std::move(path)), scan_(std::move(scan)) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    auto batch = scan_->Next();
    if (!batch.ok()) return FileReadError(path_, batch.status());
    return batch;
  }
  int64_t first_row() const override { return scan_->first_row(); }

 private:
  std::string path_;
  std::unique_ptr<ParquetScan> scan_;
};

arrow::Result<std::unique_ptr<FileReader>> OpenReader(const FileReadRequest& request) {
  ParquetScanOptions options;
  options.schema = request.schema;
  options.filter = request.filter;
  options.filter_schema = request.filter_schema;
  options.first_byte = request.block.start;
  if (request.block.length >= 0) options.end_byte = request.block.start + request.block.length;
  options.batch_rows = request.batch_rows;
  auto scan = ParquetScan::Open(request.path, options);
  if (!scan.ok()) return FileReadError(request.path, scan.status());
  return std::make_unique<ParquetFileReader>(request.path, std::move(*scan));
}

class ParquetFileWriter final : public FileWriter {
 public:
  ParquetFileWriter(std::unique_ptr<parquet::arrow::FileWriter> writer, std::shared_ptr<arrow::io::OutputStream> stream,
                    ParquetWriteColumns columns)
      : writer_(std::move(writer)), stream_(std::move(stream)), columns_(std::move(columns)) {}

  arrow::Status Write(const arrow::RecordBatch& batch) override {
    num_rows_ += batch.num_rows();
    ARROW_ASSIGN_OR_RAISE(auto converted, columns_.Convert(batch));
    return writer_->WriteRecordBatch(*converted);
  }

  arrow::Result<WrittenFile> Finish() override {
    ARROW_RETURN_NOT_OK(writer_->Close());
    ARROW_ASSIGN_OR_RAISE(int64_t size, stream_->Tell());
    ARROW_RETURN_NOT_OK(stream_->Close());
    return WrittenFile{num_rows_, size};
  }

 private:
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  std::shared_ptr<arrow::io::OutputStream> stream_;
  ParquetWriteColumns columns_;
  int64_t num_rows_ = 0;
};

arrow::Result<std::unique_ptr<FileWriter>> OpenWriter(const FileWriteRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const ParquetCodec* codec, CodecOf(request.options));
  ARROW_ASSIGN_OR_RAISE(ParquetWriteColumns columns, ParquetWriteColumns::Make(request.schema));
  parquet::WriterProperties::Builder properties;
  properties.compression(codec->type);
  properties.version(parquet::ParquetVersion::PARQUET_1_0);
  properties.data_page_version(parquet::ParquetDataPageVersion::V1);
  properties.max_row_group_length(1024 * 1024);
  properties.enable_store_decimal_as_integer();  // up to 18 digits, as Spark writes them
  properties.created_by("millrace " + std::string(Version()));
  parquet::ArrowWriterProperties::Builder arrow_properties;
  arrow_properties.coerce_timestamps(arrow::TimeUnit::MICRO);
  ARROW_ASSIGN_OR_RAISE(
      auto stream, OpenSyncedOutput(request.file_system, request.path, request.durability == Durability::kMachine));
  auto metadata =
      arrow::key_value_metadata({kVersion, kRowMetadata}, {std::string(SparkVersion()), request.schema->ToJson()});
  std::shared_ptr<arrow::Schema> schema = columns.schema();
  ARROW_ASSIGN_OR_RAISE(auto writer, parquet::arrow::FileWriter::Open(*schema, arrow::default_memory_pool(), stream,
                                                                      properties.build(), arrow_properties.build()));
  ARROW_RETURN_NOT_OK(writer->AddKeyValueMetadata(metadata));
  return std::make_unique<ParquetFileWriter>(std::move(writer), std::move(stream), std::move(columns));
}

arrow::Result<types::DataTypePtr> InferSchema(const std::vector<std::string>& paths, const OptionMap& options,
                                              const SessionFormat&) {
  ARROW_ASSIGN_OR_RAISE(bool merge, OptionReader(options, kOptions).Boolean("mergeSchema"));
  types::DataTypePtr schema;
  for (const std::string& path : paths) {
    auto reader = OpenParquet(path, 1024);
    if (!reader.ok()) return FileReadError(path, reader.status());
    ARROW_ASSIGN_OR_RAISE(types::DataTypePtr file_schema, FileSchema(**reader));
    file_schema = types::AsNullable(file_schema);
    if (schema == nullptr) {
      schema = file_schema;
    } else {
      ARROW_ASSIGN_OR_RAISE(schema, MergeParquetSchemas(schema, file_schema));
    }
    if (!merge) break;
  }
  if (schema == nullptr) return UserError("UNABLE_TO_INFER_SCHEMA", {{"format", "Parquet"}});
  return schema;
}

}  // namespace

extern const FileFormat kParquetFormat{
    .name = "parquet",
    .description = "Apache Parquet.",
    .options = []() -> std::span<const OptionDoc> { return kOptions; },
    .extension = [](const OptionMap& options) -> arrow::Result<std::string> {
      ARROW_ASSIGN_OR_RAISE(const ParquetCodec* codec, CodecOf(options));
      return std::string(codec->suffix) + ".parquet";
    },
    .open_reader = OpenReader,
    .open_writer = OpenWriter,
    .infer_schema = InferSchema,
    .supports = SupportsParquet,
    .splittable = [](const std::string&, const OptionMap&) { return true; },
};

}  // namespace millrace::format
