#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/file_writer.h>
#include <parquet/properties.h>

#include <algorithm>
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

/// The same group of other fields.
parquet::schema::NodePtr GroupOf(const parquet::schema::GroupNode& group, const parquet::schema::NodeVector& fields) {
  if (group.logical_type() != nullptr && group.logical_type()->is_valid() && !group.logical_type()->is_none()) {
    return parquet::schema::GroupNode::Make(group.name(), group.repetition(), fields, group.logical_type(),
                                            group.field_id());
  }
  return parquet::schema::GroupNode::Make(group.name(), group.repetition(), fields, parquet::ConvertedType::NONE,
                                          group.field_id());
}

/// Instants lie in files as INT96; what has no time zone stays a number of microseconds.
parquet::schema::NodePtr WithInt96(const parquet::schema::NodePtr& node) {
  if (node->is_primitive()) {
    const auto* timestamp = dynamic_cast<const parquet::TimestampLogicalType*>(node->logical_type().get());
    if (timestamp == nullptr || !timestamp->is_adjusted_to_utc()) return node;
    return parquet::schema::PrimitiveNode::Make(node->name(), node->repetition(), parquet::Type::INT96,
                                                parquet::ConvertedType::NONE, -1, -1, -1, node->field_id());
  }
  const auto& group = static_cast<const parquet::schema::GroupNode&>(*node);
  parquet::schema::NodeVector fields;
  for (int i = 0; i < group.field_count(); ++i) fields.push_back(WithInt96(group.field(i)));
  return GroupOf(group, fields);
}

/// Of the leaves of `type`, in order: whether they are VOID.
void AppendVoidLeaves(const arrow::DataType& type, std::vector<bool>* leaves) {
  if (type.num_fields() == 0) leaves->push_back(type.id() == arrow::Type::NA);
  for (const auto& field : type.fields()) AppendVoidLeaves(*field->type(), leaves);
}

/// VOID lies in files as a BOOLEAN of which it is said that all are NULL.
parquet::schema::NodePtr WithVoid(const parquet::schema::NodePtr& node, const std::vector<bool>& is_void,
                                  size_t* next_leaf) {
  if (node->is_primitive()) {
    if (!is_void[(*next_leaf)++]) return node;
    return parquet::schema::PrimitiveNode::Make(node->name(), node->repetition(), parquet::LogicalType::Null(),
                                                parquet::Type::BOOLEAN, -1, node->field_id());
  }
  const auto& group = static_cast<const parquet::schema::GroupNode&>(*node);
  parquet::schema::NodeVector fields;
  for (int i = 0; i < group.field_count(); ++i) fields.push_back(WithVoid(group.field(i), is_void, next_leaf));
  return GroupOf(group, fields);
}

/// The schema that a file of ours declares: Spark's root name, its types for instants and VOID.
arrow::Result<std::shared_ptr<parquet::schema::GroupNode>> DeclaredSchema(
    const types::DataType& columns, const arrow::Schema& schema, const parquet::WriterProperties& properties,
    const parquet::ArrowWriterProperties& arrow_properties, bool int96) {
  std::shared_ptr<parquet::SchemaDescriptor> plain;
  ARROW_RETURN_NOT_OK(parquet::arrow::ToParquetSchema(&schema, properties, arrow_properties, &plain));
  std::vector<bool> is_void;
  std::shared_ptr<arrow::Schema> as_arrow = types::ToArrowSchema(columns);
  for (const auto& field : as_arrow->fields()) AppendVoidLeaves(*field->type(), &is_void);
  bool any_void = std::find(is_void.begin(), is_void.end(), true) != is_void.end();
  size_t next_leaf = 0;
  parquet::schema::NodeVector fields;
  for (int i = 0; i < plain->group_node()->field_count(); ++i) {
    parquet::schema::NodePtr field = plain->group_node()->field(i);
    if (any_void) field = WithVoid(field, is_void, &next_leaf);
    fields.push_back(int96 ? WithInt96(field) : field);
  }
  return std::static_pointer_cast<parquet::schema::GroupNode>(
      parquet::schema::GroupNode::Make("spark_schema", parquet::Repetition::REQUIRED, fields));
}

arrow::Result<std::unique_ptr<FileWriter>> OpenWriter(const FileWriteRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const ParquetCodec* codec, CodecOf(request.options));
  ARROW_ASSIGN_OR_RAISE(ParquetWriteColumns columns, ParquetWriteColumns::Make(request.schema));
  parquet::WriterProperties::Builder properties;
  properties.compression(codec->type);
  properties.version(parquet::ParquetVersion::PARQUET_1_0);
  properties.data_page_version(parquet::ParquetDataPageVersion::V1);
  properties.max_row_group_length(request.row_group_rows);
  properties.enable_store_decimal_as_integer();  // up to 18 digits, as Spark writes them
  properties.created_by("millrace " + std::string(Version()));
  parquet::ArrowWriterProperties::Builder arrow_properties;
  arrow_properties.coerce_timestamps(arrow::TimeUnit::MICRO);
  ARROW_ASSIGN_OR_RAISE(
      auto stream, OpenSyncedOutput(request.file_system, request.path, request.durability == Durability::kMachine));
  auto metadata =
      arrow::key_value_metadata({kVersion, kRowMetadata}, {std::string(SparkVersion()), request.schema->ToJson()});
  std::shared_ptr<arrow::Schema> schema = columns.schema();
  std::shared_ptr<parquet::WriterProperties> file_properties = properties.build();
  std::shared_ptr<parquet::ArrowWriterProperties> value_properties = arrow_properties.build();
  std::unique_ptr<parquet::arrow::FileWriter> writer;
  try {
    auto timestamps = request.options.find(kParquetTimestampType);
    bool int96 = timestamps == request.options.end() || EqualsIgnoreCase(timestamps->second, "INT96");
    ARROW_ASSIGN_OR_RAISE(auto declared,
                          DeclaredSchema(*request.schema, *schema, *file_properties, *value_properties, int96));
    auto file = parquet::ParquetFileWriter::Open(stream, std::move(declared), file_properties, metadata);
    ARROW_RETURN_NOT_OK(parquet::arrow::FileWriter::Make(arrow::default_memory_pool(), std::move(file), schema,
                                                         value_properties, &writer));
  } catch (const parquet::ParquetException& error) {
    return arrow::Status::IOError(request.path, ": ", error.what());
  }
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
