#include <arrow/array/builder_binary.h>

#include <algorithm>
#include <random>

#include "base/error.h"
#include "format/compression.h"
#include "format/file_format.h"
#include "format/json/json_charset.h"
#include "format/json/json_decoder.h"
#include "format/json/json_encoder.h"
#include "format/json/json_infer_schema.h"
#include "format/text/line_reader.h"
#include "types/arrow_type.h"

/// The JSON source and sink: one record a line, or (multiLine) one a file.

namespace millrace::format {

namespace {

bool SupportsJsonFile(const types::DataType& type) {
  switch (type.id()) {
    case types::TypeId::kCalendarInterval:
      return false;
    case types::TypeId::kStruct:
      return std::all_of(type.fields().begin(), type.fields().end(),
                         [](const types::StructField& field) { return SupportsJsonFile(*field.type); });
    case types::TypeId::kArray:
      return SupportsJsonFile(*type.element());
    case types::TypeId::kMap:
      return SupportsJsonFile(*type.key()) && SupportsJsonFile(*type.value());
    default:
      return true;
  }
}

/// The records of a file as utf8 columns.
class RecordStream {
 public:
  static arrow::Result<RecordStream> Open(const std::string& path, const JsonOptions& options,
                                          const JsonCharset& charset, const FileBlock& block = {}) {
    RecordStream records;
    records.path_ = path;
    records.charset_ = charset;
    if (!options.multi_line) {
      ARROW_ASSIGN_OR_RAISE(records.lines_, LineReader::Open(path, block, charset.separator()));
    }
    return records;
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Next(int64_t num_records) {
    if (lines_ != nullptr) {
      ARROW_ASSIGN_OR_RAISE(auto lines, lines_->Next(num_records));
      return lines == nullptr ? lines : charset_.ToUtf8(std::move(lines));
    }
    if (done_) return nullptr;
    done_ = true;
    arrow::StringBuilder builder;
    ARROW_ASSIGN_OR_RAISE(std::string text, ReadTextFile(path_));
    ARROW_RETURN_NOT_OK(builder.Append(charset_.ToUtf8(text)));
    return builder.Finish();
  }

 private:
  std::string path_;
  JsonCharset charset_;
  std::unique_ptr<LineReader> lines_;
  bool done_ = false;
};

class JsonFileReader final : public FileReader {
 public:
  JsonFileReader(FileReadRequest request, RecordStream records, std::unique_ptr<JsonDecoder> decoder)
      : request_(std::move(request)),
        records_(std::move(records)),
        decoder_(std::move(decoder)),
        schema_(types::ToArrowSchema(*request_.schema)) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    auto records = records_.Next(request_.batch_rows);
    if (!records.ok()) return FileReadError(request_.path, records.status());
    if (*records == nullptr) return nullptr;
    auto decoded = decoder_->Decode(**records);
    if (!decoded.ok()) return FileReadError(request_.path, decoded.status());
    const auto& rows = static_cast<const arrow::StructArray&>(*decoded->values);
    return arrow::RecordBatch::Make(schema_, rows.length(), rows.fields());
  }

 private:
  FileReadRequest request_;
  RecordStream records_;
  std::unique_ptr<JsonDecoder> decoder_;
  std::shared_ptr<arrow::Schema> schema_;
};

arrow::Result<std::unique_ptr<FileReader>> OpenReader(const FileReadRequest& request) {
  ARROW_ASSIGN_OR_RAISE(JsonOptions options, JsonOptions::Parse(request.options, request.session));
  ARROW_ASSIGN_OR_RAISE(JsonCharset charset, JsonCharset::OfReader(options));
  auto records = RecordStream::Open(request.path, options, charset, request.block);
  if (!records.ok()) return FileReadError(request.path, records.status());
  ARROW_ASSIGN_OR_RAISE(auto decoder,
                        JsonDecoder::Make({.schema = request.schema, .options = std::move(options), .as_source = true},
                                          arrow::default_memory_pool()));
  return std::make_unique<JsonFileReader>(request, *std::move(records), std::move(decoder));
}

class JsonFileWriter final : public FileWriter {
 public:
  JsonFileWriter(std::unique_ptr<JsonEncoder> encoder, std::shared_ptr<arrow::io::OutputStream> stream,
                 std::string separator, Charset charset)
      : encoder_(std::move(encoder)),
        stream_(std::move(stream)),
        separator_(std::move(separator)),
        charset_(std::move(charset)) {}

  arrow::Status Write(const arrow::RecordBatch& batch) override {
    arrow::StructArray rows(arrow::struct_(batch.schema()->fields()), batch.num_rows(), batch.columns());
    ARROW_ASSIGN_OR_RAISE(auto encoded, encoder_->Encode(rows, arrow::default_memory_pool()));
    const auto& texts = static_cast<const arrow::StringArray&>(*encoded);
    block_.clear();
    block_.reserve(static_cast<size_t>(texts.total_values_length()) +
                   separator_.size() * static_cast<size_t>(texts.length()));
    for (int64_t i = 0; i < texts.length(); ++i) {
      block_.append(texts.GetView(i));
      block_.append(separator_);
    }
    if (!charset_.is_utf8() && !block_.empty()) block_ = charset_.FromUtf8(block_, /*at_start=*/num_rows_ == 0);
    num_rows_ += batch.num_rows();
    return stream_->Write(block_.data(), static_cast<int64_t>(block_.size()));
  }

  arrow::Result<WrittenFile> Finish() override {
    ARROW_RETURN_NOT_OK(stream_->Close());
    ARROW_ASSIGN_OR_RAISE(int64_t size, stream_->Tell());
    return WrittenFile{num_rows_, size};
  }

 private:
  std::unique_ptr<JsonEncoder> encoder_;
  std::shared_ptr<arrow::io::OutputStream> stream_;
  std::string separator_;
  Charset charset_;
  std::string block_;
  int64_t num_rows_ = 0;
};

arrow::Result<std::unique_ptr<FileWriter>> OpenWriter(const FileWriteRequest& request) {
  ARROW_ASSIGN_OR_RAISE(JsonOptions options, JsonOptions::Parse(request.options, request.session));
  ARROW_ASSIGN_OR_RAISE(Charset charset, JsonCharset::OfWriter(options));
  ARROW_ASSIGN_OR_RAISE(auto encoder, JsonEncoder::Make(request.schema, options));
  ARROW_ASSIGN_OR_RAISE(auto stream, OpenTextOutput(request.file_system, request.path,
                                                    request.durability == Durability::kMachine, options.compression));
  return std::make_unique<JsonFileWriter>(std::move(encoder), std::move(stream), options.line_separator.value_or("\n"),
                                          std::move(charset));
}

arrow::Result<types::DataTypePtr> InferSchema(const std::vector<std::string>& paths, const OptionMap& given,
                                              const SessionFormat& session) {
  ARROW_ASSIGN_OR_RAISE(JsonOptions options, JsonOptions::Parse(given, session));
  ARROW_ASSIGN_OR_RAISE(JsonCharset charset, JsonCharset::OfReader(options));
  ARROW_ASSIGN_OR_RAISE(JsonSchemaInference inference, JsonSchemaInference::Make(options));
  if (paths.empty()) return UserError("UNABLE_TO_INFER_SCHEMA", {{"format", "JSON"}});
  std::mt19937 random(1);  // the same records whenever the schema is inferred again
  std::bernoulli_distribution sampled(std::clamp(options.sampling_ratio, 0.0, 1.0));
  for (const std::string& path : paths) {
    auto records = RecordStream::Open(path, options, charset);
    if (!records.ok()) return FileReadError(path, records.status());
    while (true) {
      auto batch = records->Next(64 * 1024);
      if (!batch.ok()) return FileReadError(path, batch.status());
      if (*batch == nullptr) break;
      const auto& texts = static_cast<const arrow::StringArray&>(**batch);
      for (int64_t i = 0; i < texts.length(); ++i) {
        if (options.sampling_ratio < 1.0 && !sampled(random)) continue;
        ARROW_RETURN_NOT_OK(inference.Add(texts.GetView(i)));
      }
    }
  }
  return inference.Finish();
}

}  // namespace

extern const FileFormat kJsonFormat{
    .name = "json",
    .description = "JSON Lines.",
    .options = &JsonOptions::Table,
    .extension = [](const OptionMap& options) -> arrow::Result<std::string> {
      ARROW_ASSIGN_OR_RAISE(std::string suffix,
                            CompressionSuffix(OptionReader(options, JsonOptions::Table()).Text("compression")));
      return ".json" + suffix;
    },
    .open_reader = OpenReader,
    .open_writer = OpenWriter,
    .infer_schema = InferSchema,
    .supports = SupportsJsonFile,
    .splittable =
        [](const std::string& path, const OptionMap& options) {
          auto parsed = JsonOptions::Parse(options, {});
          return parsed.ok() && !parsed->multi_line && !IsCompressed(path);
        },
};

}  // namespace millrace::format
