#include <arrow/adapters/orc/adapter.h>
#include <arrow/io/file.h>
#include <arrow/table.h>

#include <array>

#include "base/ascii.h"
#include "base/error.h"
#include "format/compression.h"
#include "format/file_format.h"
#include "format/orc/orc_columns.h"
#include "types/arrow_type.h"

/// The ORC source and sink, on Arrow's reader and writer.

namespace millrace::format {

namespace {

constexpr std::array kOptions = {
    OptionDoc{"compression", "zstd", "Codec of written files: none, zstd, snappy, zlib or lz4."},
};

struct OrcCodec {
  std::string_view name;
  std::string_view suffix;
  arrow::Compression::type type;
};
constexpr std::array kCodecs = {
    OrcCodec{"none", "", arrow::Compression::UNCOMPRESSED},
    OrcCodec{"uncompressed", "", arrow::Compression::UNCOMPRESSED},
    OrcCodec{"zstd", ".zstd", arrow::Compression::ZSTD},
    OrcCodec{"snappy", ".snappy", arrow::Compression::SNAPPY},
    OrcCodec{"zlib", ".zlib", arrow::Compression::GZIP},
    OrcCodec{"lz4", ".lz4", arrow::Compression::LZ4},
};

arrow::Result<const OrcCodec*> CodecOf(const OptionMap& options) {
  std::string name = OptionReader(options, kOptions).Text("compression");
  for (const OrcCodec& codec : kCodecs) {
    if (EqualsIgnoreCase(codec.name, name)) return &codec;
  }
  return UserError(
      "CODEC_NOT_AVAILABLE.WITH_AVAILABLE_CODECS_SUGGESTION",
      {{"codecName", name}, {"availableCodecs", "uncompressed, lz4, lzo, snappy, zlib, none, zstd, brotli"}});
}

using arrow::adapters::orc::ORCFileReader;
using arrow::adapters::orc::ORCFileWriter;

arrow::Result<std::unique_ptr<ORCFileReader>> OpenOrc(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::io::RandomAccessFile> file, arrow::io::ReadableFile::Open(path));
  return ORCFileReader::Open(file, arrow::default_memory_pool());
}

class OrcReader final : public FileReader {
 public:
  OrcReader(const FileReadRequest& request, std::unique_ptr<ORCFileReader> file,
            std::shared_ptr<arrow::RecordBatchReader> batches)
      : path_(request.path),
        wanted_(request.schema),
        schema_(types::ToArrowSchema(*request.schema)),
        file_(std::move(file)),
        batches_(std::move(batches)) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    auto batch = Read();
    if (!batch.ok()) return FileReadError(path_, batch.status());
    return batch;
  }

 private:
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Read() {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(batches_->ReadNext(&batch));
    if (batch == nullptr) return nullptr;
    auto rows = std::make_shared<arrow::StructArray>(arrow::struct_(batch->schema()->fields()), batch->num_rows(),
                                                     batch->columns());
    ARROW_ASSIGN_OR_RAISE(auto converted, FromOrcColumn(rows, wanted_, *types::TimeZone::System()));
    return arrow::RecordBatch::Make(schema_, batch->num_rows(),
                                    static_cast<const arrow::StructArray&>(*converted).fields());
  }

  std::string path_;
  types::DataTypePtr wanted_;
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<ORCFileReader> file_;
  std::shared_ptr<arrow::RecordBatchReader> batches_;
};

arrow::Result<std::unique_ptr<FileReader>> TryOpen(const FileReadRequest& request) {
  ARROW_ASSIGN_OR_RAISE(auto file, OpenOrc(request.path));
  ARROW_ASSIGN_OR_RAISE(auto schema, file->ReadSchema());
  std::vector<std::string> names;
  for (const types::StructField& field : request.schema->fields()) {
    for (const auto& column : schema->fields()) {
      if (EqualsIgnoreCase(column->name(), field.name)) names.push_back(column->name());
    }
  }
  // No name means all columns: where none is wanted only the first is read, for its rows.
  if (names.empty() && schema->num_fields() > 0) names.push_back(schema->field(0)->name());
  ARROW_ASSIGN_OR_RAISE(auto batches, file->GetRecordBatchReader(request.batch_rows, names));
  return std::make_unique<OrcReader>(request, std::move(file), std::move(batches));
}

arrow::Result<std::unique_ptr<FileReader>> OpenReader(const FileReadRequest& request) {
  auto reader = TryOpen(request);
  if (!reader.ok()) return FileReadError(request.path, reader.status());
  return reader;
}

class OrcWriter final : public FileWriter {
 public:
  OrcWriter(types::DataTypePtr type, std::unique_ptr<ORCFileWriter> writer,
            std::shared_ptr<arrow::io::OutputStream> stream)
      : type_(std::move(type)),
        schema_(OrcFileSchema(*type_)),
        writer_(std::move(writer)),
        stream_(std::move(stream)) {}

  arrow::Status Write(const arrow::RecordBatch& batch) override {
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (int i = 0; i < batch.num_columns(); ++i) {
      const types::StructField& field = type_->fields()[static_cast<size_t>(i)];
      ARROW_ASSIGN_OR_RAISE(auto column, ToOrcColumn(batch.column(i), *field.type, *types::TimeZone::System()));
      columns.push_back(std::move(column));
    }
    num_rows_ += batch.num_rows();
    return writer_->Write(*arrow::RecordBatch::Make(schema_, batch.num_rows(), std::move(columns)));
  }

  arrow::Result<WrittenFile> Finish() override {
    // A file without rows has its schema all the same.
    if (num_rows_ == 0) {
      ARROW_ASSIGN_OR_RAISE(auto empty, arrow::RecordBatch::MakeEmpty(schema_));
      ARROW_RETURN_NOT_OK(writer_->Write(*empty));
    }
    ARROW_RETURN_NOT_OK(writer_->Close());
    ARROW_ASSIGN_OR_RAISE(int64_t size, stream_->Tell());
    ARROW_RETURN_NOT_OK(stream_->Close());
    return WrittenFile{num_rows_, size};
  }

 private:
  types::DataTypePtr type_;
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<ORCFileWriter> writer_;
  std::shared_ptr<arrow::io::OutputStream> stream_;
  int64_t num_rows_ = 0;
};

arrow::Result<std::unique_ptr<FileWriter>> OpenWriter(const FileWriteRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const OrcCodec* codec, CodecOf(request.options));
  for (const types::StructField& field : request.schema->fields()) {
    if (!SupportsOrc(*field.type)) {
      return UserError("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", {{"format", "ORC"},
                                                                {"columnName", QuoteIdentifier(field.name)},
                                                                {"columnType", QuoteSqlType(field.type->Sql())}});
    }
  }
  ARROW_ASSIGN_OR_RAISE(
      auto stream, OpenSyncedOutput(request.file_system, request.path, request.durability == Durability::kMachine));
  arrow::adapters::orc::WriteOptions options;
  options.compression = codec->type;
  options.compression_block_size = 256 * 1024;
  ARROW_ASSIGN_OR_RAISE(auto writer, ORCFileWriter::Open(stream.get(), options));
  return std::make_unique<OrcWriter>(request.schema, std::move(writer), std::move(stream));
}

arrow::Result<types::DataTypePtr> InferSchema(const std::vector<std::string>& paths, const OptionMap&,
                                              const SessionFormat&) {
  if (paths.empty()) return UserError("UNABLE_TO_INFER_SCHEMA", {{"format", "ORC"}});
  auto infer = [&]() -> arrow::Result<types::DataTypePtr> {
    ARROW_ASSIGN_OR_RAISE(auto file, OpenOrc(paths[0]));
    ARROW_ASSIGN_OR_RAISE(auto schema, file->ReadSchema());
    return OrcSparkType(*schema);
  };
  auto schema = infer();
  if (!schema.ok()) return FileReadError(paths[0], schema.status());
  return schema;
}

}  // namespace

extern const FileFormat kOrcFormat{
    .name = "orc",
    .description = "Apache ORC.",
    .options = []() -> std::span<const OptionDoc> { return kOptions; },
    .extension = [](const OptionMap& options) -> arrow::Result<std::string> {
      ARROW_ASSIGN_OR_RAISE(const OrcCodec* codec, CodecOf(options));
      return std::string(codec->suffix) + ".orc";
    },
    .open_reader = OpenReader,
    .open_writer = OpenWriter,
    .infer_schema = InferSchema,
    .supports = SupportsOrc,
    .splittable = [](const std::string&, const OptionMap&) { return false; },
};

}  // namespace millrace::format
