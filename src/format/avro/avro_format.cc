#include <random>

#include "base/error.h"
#include "format/avro/avro_decoder.h"
#include "format/avro/avro_encoder.h"
#include "format/avro/avro_file.h"
#include "format/avro/avro_options.h"
#include "format/compression.h"
#include "format/file_format.h"
#include "types/arrow_type.h"

/// The Avro source and sink: Avro's object container files.

namespace millrace::format {

using types::TypeId;

namespace {

/// Writers end a block after so many bytes, as Avro's own do.
constexpr size_t kBlockBytes = 64'000;

bool SupportsAvro(const types::DataType& type) {
  switch (type.id()) {
    case TypeId::kCalendarInterval:
    case TypeId::kTime:
    case TypeId::kVariant:
      return false;
    case TypeId::kArray:
      return SupportsAvro(*type.element());
    case TypeId::kMap:
      return SupportsAvro(*type.key()) && SupportsAvro(*type.value());
    case TypeId::kStruct:
      for (const types::StructField& field : type.fields()) {
        if (!SupportsAvro(*field.type)) return false;
      }
      return true;
    default:
      return true;
  }
}

class AvroFileReader final : public FileReader {
 public:
  AvroFileReader(const FileReadRequest& request, std::unique_ptr<AvroFileBlocks> blocks,
                 std::unique_ptr<AvroDecoder> decoder)
      : path_(request.path),
        batch_rows_(request.batch_rows),
        schema_(types::ToArrowSchema(*request.schema)),
        blocks_(std::move(blocks)),
        decoder_(std::move(decoder)) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (arrow::Status filled = Fill(); !filled.ok()) return FileReadError(path_, filled);
    if (decoder_->length() == 0) return nullptr;
    ARROW_ASSIGN_OR_RAISE(auto rows, decoder_->Finish());
    return arrow::RecordBatch::Make(schema_, rows->length(), static_cast<const arrow::StructArray&>(*rows).fields());
  }

 private:
  arrow::Status Fill() {
    while (decoder_->length() < batch_rows_) {
      if (values_left_ == 0) {
        ARROW_ASSIGN_OR_RAISE(bool more, blocks_->Next(&block_));
        if (!more) return arrow::Status::OK();
        cursor_ = AvroCursor(block_.bytes);
        values_left_ = block_.num_values;
        continue;
      }
      if (!decoder_->Append(&cursor_)) return arrow::Status::Invalid(decoder_->error());
      --values_left_;
    }
    return arrow::Status::OK();
  }

  std::string path_;
  int64_t batch_rows_;
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<AvroFileBlocks> blocks_;
  std::unique_ptr<AvroDecoder> decoder_;
  AvroFileBlocks::Block block_;
  AvroCursor cursor_{std::string_view()};
  int64_t values_left_ = 0;
};

arrow::Result<std::unique_ptr<FileReader>> OpenReader(const FileReadRequest& request) {
  ARROW_ASSIGN_OR_RAISE(AvroOptions options, AvroOptions::Parse(request.options));
  auto blocks = AvroFileBlocks::Open(request.path);
  if (!blocks.ok()) return FileReadError(request.path, blocks.status());
  auto writer = (*blocks)->schema();
  auto decoder = AvroDecoder::Make({.writer = writer,
                                    .reader = options.schema == nullptr ? writer : options.schema,
                                    .type = request.schema,
                                    .positional = options.positional},
                                   arrow::default_memory_pool());
  if (!decoder.ok()) return FileReadError(request.path, decoder.status());
  return std::make_unique<AvroFileReader>(request, std::move(*blocks), std::move(*decoder));
}

class AvroFileWriter final : public FileWriter {
 public:
  AvroFileWriter(std::unique_ptr<AvroEncoder> encoder, std::shared_ptr<arrow::io::OutputStream> stream, AvroCodec codec)
      : encoder_(std::move(encoder)), stream_(std::move(stream)), codec_(codec) {
    std::random_device random;
    for (char& byte : sync_) byte = static_cast<char>(random());
  }

  arrow::Status WriteHeader(std::string_view schema) { return Put(AvroFileHeader(schema, codec_.name(), sync_)); }

  arrow::Status Write(const arrow::RecordBatch& batch) override {
    // Small slices, so that blocks end where they should.
    constexpr int64_t kSliceRows = 256;
    for (int64_t begin = 0; begin < batch.num_rows(); begin += kSliceRows) {
      auto slice = batch.Slice(begin, kSliceRows);
      arrow::StructArray rows(arrow::struct_(slice->schema()->fields()), slice->num_rows(), slice->columns());
      ARROW_RETURN_NOT_OK(encoder_->EncodeRows(rows, &block_));
      block_rows_ += slice->num_rows();
      if (block_.size() >= kBlockBytes) ARROW_RETURN_NOT_OK(EndBlock());
    }
    num_rows_ += batch.num_rows();
    return arrow::Status::OK();
  }

  arrow::Result<WrittenFile> Finish() override {
    if (block_rows_ > 0) ARROW_RETURN_NOT_OK(EndBlock());
    ARROW_RETURN_NOT_OK(stream_->Close());
    ARROW_ASSIGN_OR_RAISE(int64_t size, stream_->Tell());
    return WrittenFile{num_rows_, size};
  }

 private:
  arrow::Status Put(const std::string& bytes) {
    return stream_->Write(bytes.data(), static_cast<int64_t>(bytes.size()));
  }

  arrow::Status EndBlock() {
    ARROW_ASSIGN_OR_RAISE(std::string packed, AvroFileBlock(codec_, block_rows_, block_, sync_));
    block_.clear();
    block_rows_ = 0;
    return Put(packed);
  }

  std::unique_ptr<AvroEncoder> encoder_;
  std::shared_ptr<arrow::io::OutputStream> stream_;
  AvroCodec codec_;
  AvroSyncMarker sync_;
  std::string block_;
  int64_t block_rows_ = 0;
  int64_t num_rows_ = 0;
};

arrow::Result<std::unique_ptr<FileWriter>> OpenWriter(const FileWriteRequest& request) {
  ARROW_ASSIGN_OR_RAISE(AvroOptions options, AvroOptions::Parse(request.options));
  ARROW_ASSIGN_OR_RAISE(AvroCodec codec, AvroCodec::Named(options.compression));
  for (const types::StructField& field : request.schema->fields()) {
    if (!SupportsAvro(*field.type)) {
      return UserError("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", {{"format", "Avro"},
                                                                {"columnName", QuoteIdentifier(field.name)},
                                                                {"columnType", QuoteSqlType(field.type->Sql())}});
    }
  }
  std::string text = options.schema_text;
  auto schema = options.schema;
  if (schema == nullptr) {
    ARROW_ASSIGN_OR_RAISE(JsonValue json, AvroSchemaOf(*request.schema, /*nullable=*/false, options.record_name,
                                                       options.record_namespace));
    text = json.ToString();
    ARROW_ASSIGN_OR_RAISE(schema, AvroDocument::Parse(text));
  }
  ARROW_ASSIGN_OR_RAISE(auto encoder, AvroEncoder::Make(request.schema, std::move(schema), options.positional));
  ARROW_ASSIGN_OR_RAISE(
      auto stream, OpenSyncedOutput(request.file_system, request.path, request.durability == Durability::kMachine));
  auto writer = std::make_unique<AvroFileWriter>(std::move(encoder), std::move(stream), codec);
  ARROW_RETURN_NOT_OK(writer->WriteHeader(text));
  return writer;
}

arrow::Result<types::DataTypePtr> InferSchema(const std::vector<std::string>& paths, const OptionMap& given,
                                              const SessionFormat&) {
  ARROW_ASSIGN_OR_RAISE(AvroOptions options, AvroOptions::Parse(given));
  auto schema = options.schema;
  if (schema == nullptr) {
    if (paths.empty()) return UserError("UNABLE_TO_INFER_SCHEMA", {{"format", "Avro"}});
    auto blocks = AvroFileBlocks::Open(paths[0]);
    if (!blocks.ok()) return FileReadError(paths[0], blocks.status());
    schema = (*blocks)->schema();
  }
  ARROW_ASSIGN_OR_RAISE(AvroSparkType spark, SparkTypeOf(schema->root(), options.types));
  if (spark.type->id() == TypeId::kStruct) return spark.type;
  return arrow::Status::Invalid("Avro schema cannot be converted to a Spark SQL StructType: ",
                                AvroKindName(schema->root().kind));
}

}  // namespace

extern const FileFormat kAvroFormat{
    .name = "avro",
    .description = "Apache Avro's object container files.",
    .options = &AvroOptions::Table,
    .extension = [](const OptionMap& given) -> arrow::Result<std::string> {
      ARROW_ASSIGN_OR_RAISE(AvroOptions options, AvroOptions::Parse(given));
      ARROW_ASSIGN_OR_RAISE(AvroCodec codec, AvroCodec::Named(options.compression));
      return codec.name() == "null" ? ".avro" : "." + std::string(codec.name()) + ".avro";
    },
    .open_reader = OpenReader,
    .open_writer = OpenWriter,
    .infer_schema = InferSchema,
    .supports = SupportsAvro,
    .splittable = [](const std::string&, const OptionMap&) { return false; },
};

}  // namespace millrace::format
