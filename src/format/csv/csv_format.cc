#include <arrow/array/builder_binary.h>

#include <algorithm>
#include <random>

#include "base/ascii.h"
#include "base/error.h"
#include "format/compression.h"
#include "format/csv/csv_decoder.h"
#include "format/csv/csv_encoder.h"
#include "format/csv/csv_infer_schema.h"
#include "format/csv/csv_tokenizer.h"
#include "format/file_format.h"
#include "format/text/line_reader.h"
#include "types/arrow_type.h"

/// The CSV source and sink: one record a line, or (multiLine) records that may span lines.

namespace millrace::format {

namespace {

/// What files may hold; from_csv also takes legacy intervals.
bool SupportsCsvFile(const types::DataType& type) {
  return SupportsCsv(type) && type.id() != types::TypeId::kTime && type.id() != types::TypeId::kCalendarInterval;
}

/// Without blank lines and comments, which Spark takes away before it looks at lines. `skip_first`: the header, too.
arrow::Result<std::shared_ptr<arrow::Array>> DataLines(const arrow::Array& column, const CsvOptions& options,
                                                       bool skip_first) {
  const auto& lines = static_cast<const arrow::StringArray&>(column);
  arrow::StringBuilder kept;
  ARROW_RETURN_NOT_OK(kept.ReserveData(lines.total_values_length()));
  for (int64_t i = 0; i < lines.length(); ++i) {
    std::string_view line = lines.GetView(i);
    if (TrimAscii(line).empty()) continue;
    if (options.comment != '\0' && line[0] == options.comment) continue;
    if (skip_first) {
      skip_first = false;
      continue;
    }
    ARROW_RETURN_NOT_OK(kept.Append(line));
  }
  return kept.Finish();
}

std::string_view WithoutByteOrderMark(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return text;
}

/// With enforceSchema off the header must name the columns of the schema, in their order.
arrow::Status CheckHeader(std::string_view line, const CsvOptions& options, const types::DataType& schema,
                          const std::string& path) {
  CsvTokenizer tokenizer(options);
  tokenizer.Start(line, /*one_record=*/true);
  if (options.enforce_schema || !tokenizer.Next()) return arrow::Status::OK();
  std::vector<std::string> wanted;
  for (const types::StructField& field : schema.fields()) {
    if (field.name != options.corrupt_record_column) wanted.push_back(field.name);
  }
  bool same = wanted.size() == tokenizer.values().size();
  std::string header;
  for (size_t i = 0; i < tokenizer.values().size(); ++i) {
    std::string name = tokenizer.values()[i].value_or("");
    header += (i > 0 ? ", " : "") + name;
    same = same && EqualsIgnoreCase(name, wanted[i]);
  }
  if (same) return arrow::Status::OK();
  return arrow::Status::Invalid("CSV header does not conform to the schema.\n Header: ", header,
                                "\n Schema: ", schema.CatalogString(), "\nCSV file: ", path);
}

class CsvFileReader final : public FileReader {
 public:
  CsvFileReader(FileReadRequest request, CsvOptions options, std::unique_ptr<CsvDecoder> decoder)
      : request_(std::move(request)),
        options_(std::move(options)),
        decoder_(std::move(decoder)),
        schema_(types::ToArrowSchema(*request_.schema)) {}

  arrow::Status Open() {
    if (options_.multi_line) {
      ARROW_ASSIGN_OR_RAISE(std::string bytes, ReadTextFile(request_.path));
      text_ = options_.charset.ToUtf8(bytes);
      decoder_->StartText(WithoutByteOrderMark(text_));
      if (options_.header) decoder_->SkipRecord();
      return arrow::Status::OK();
    }
    // The header stands in the first block.
    header_seen_ = request_.block.start > 0;
    return LineReader::Open(request_.path, request_.block, options_.line_separator).Value(&lines_);
  }

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    while (true) {
      auto decoded = options_.multi_line ? NextOfText() : NextOfLines();
      if (!decoded.ok()) return FileReadError(request_.path, decoded.status());
      if (*decoded == nullptr) return nullptr;
      const auto& rows = static_cast<const arrow::StructArray&>(**decoded);
      if (rows.length() == 0) continue;  // nothing but comments
      return arrow::RecordBatch::Make(schema_, rows.length(), rows.fields());
    }
  }

 private:
  arrow::Result<std::shared_ptr<arrow::Array>> NextOfText() {
    ARROW_ASSIGN_OR_RAISE(auto rows, decoder_->DecodeText(request_.batch_rows));
    return rows->length() == 0 ? nullptr : rows;
  }

  arrow::Result<std::shared_ptr<arrow::Array>> NextOfLines() {
    ARROW_ASSIGN_OR_RAISE(auto lines, lines_->Next(request_.batch_rows));
    if (lines == nullptr) return nullptr;
    ARROW_ASSIGN_OR_RAISE(lines, options_.charset.ToUtf8(std::move(lines)));
    bool skip_header = options_.header && !header_seen_;
    if (skip_header) {
      ARROW_ASSIGN_OR_RAISE(auto all, DataLines(*lines, options_, false));
      const auto& texts = static_cast<const arrow::StringArray&>(*all);
      if (texts.length() == 0) return decoder_->Decode(*all);
      const types::DataTypePtr& named = request_.file_schema == nullptr ? request_.schema : request_.file_schema;
      ARROW_RETURN_NOT_OK(CheckHeader(WithoutByteOrderMark(texts.GetView(0)), options_, *named, request_.path));
      header_seen_ = true;
    }
    ARROW_ASSIGN_OR_RAISE(auto data, DataLines(*lines, options_, skip_header));
    return decoder_->Decode(*data);
  }

  FileReadRequest request_;
  CsvOptions options_;
  std::unique_ptr<CsvDecoder> decoder_;
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<LineReader> lines_;
  /// multiLine: the whole file.
  std::string text_;
  bool header_seen_ = false;
};

arrow::Result<std::unique_ptr<FileReader>> OpenReader(const FileReadRequest& request) {
  ARROW_ASSIGN_OR_RAISE(CsvOptions options, CsvOptions::Parse(request.options, request.session));
  ARROW_ASSIGN_OR_RAISE(
      auto decoder,
      CsvDecoder::Make(
          {.schema = request.schema, .text_schema = request.file_schema, .options = options, .as_source = true},
          arrow::default_memory_pool()));
  auto reader = std::make_unique<CsvFileReader>(request, std::move(options), std::move(decoder));
  ARROW_RETURN_NOT_OK(FileReadError(request.path, reader->Open()));
  return reader;
}

class CsvFileWriter final : public FileWriter {
 public:
  CsvFileWriter(std::unique_ptr<CsvEncoder> encoder, std::shared_ptr<arrow::io::OutputStream> stream,
                std::string separator, Charset charset)
      : encoder_(std::move(encoder)),
        stream_(std::move(stream)),
        separator_(std::move(separator)),
        charset_(std::move(charset)) {}

  arrow::Status WriteHeader() { return WriteText(encoder_->Header() + separator_); }

  arrow::Status Write(const arrow::RecordBatch& batch) override {
    arrow::StructArray rows(arrow::struct_(batch.schema()->fields()), batch.num_rows(), batch.columns());
    ARROW_ASSIGN_OR_RAISE(auto encoded, encoder_->Encode(rows, arrow::default_memory_pool()));
    const auto& texts = static_cast<const arrow::StringArray&>(*encoded);
    block_.clear();
    for (int64_t i = 0; i < texts.length(); ++i) {
      if (texts.IsNull(i)) continue;  // an empty record is no line
      block_.append(texts.GetView(i));
      block_.append(separator_);
    }
    num_rows_ += batch.num_rows();
    return WriteText(block_);
  }

  arrow::Result<WrittenFile> Finish() override {
    ARROW_RETURN_NOT_OK(stream_->Close());
    ARROW_ASSIGN_OR_RAISE(int64_t size, stream_->Tell());
    return WrittenFile{num_rows_, size};
  }

 private:
  arrow::Status WriteText(const std::string& text) {
    if (charset_.is_utf8()) return stream_->Write(text.data(), static_cast<int64_t>(text.size()));
    std::string bytes = charset_.FromUtf8(text, /*at_start=*/!has_text_);
    has_text_ = has_text_ || !text.empty();
    return stream_->Write(bytes.data(), static_cast<int64_t>(bytes.size()));
  }

  std::unique_ptr<CsvEncoder> encoder_;
  std::shared_ptr<arrow::io::OutputStream> stream_;
  std::string separator_;
  Charset charset_;
  bool has_text_ = false;
  std::string block_;
  int64_t num_rows_ = 0;
};

arrow::Result<std::unique_ptr<FileWriter>> OpenWriter(const FileWriteRequest& request) {
  ARROW_ASSIGN_OR_RAISE(CsvOptions options, CsvOptions::Parse(request.options, request.session));
  for (const types::StructField& field : request.schema->fields()) {
    if (!SupportsCsvFile(*field.type)) {
      return UserError("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", {{"format", "CSV"},
                                                                {"columnName", QuoteIdentifier(field.name)},
                                                                {"columnType", QuoteSqlType(field.type->Sql())}});
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto encoder, CsvEncoder::Make(request.schema, options));
  ARROW_ASSIGN_OR_RAISE(auto stream, OpenTextOutput(request.file_system, request.path,
                                                    request.durability == Durability::kMachine, options.compression));
  auto writer = std::make_unique<CsvFileWriter>(std::move(encoder), std::move(stream),
                                                options.line_separator.value_or("\n"), options.charset);
  if (options.header) ARROW_RETURN_NOT_OK(writer->WriteHeader());
  return writer;
}

/// Calls `visit(values)` for each record of a file, the header included.
template <typename Visit>
arrow::Status VisitRecords(const std::string& path, const CsvOptions& options, Visit&& visit) {
  CsvTokenizer tokenizer(options);
  if (options.multi_line) {
    ARROW_ASSIGN_OR_RAISE(std::string bytes, ReadTextFile(path));
    std::string text = options.charset.ToUtf8(bytes);
    tokenizer.Start(WithoutByteOrderMark(text), /*one_record=*/false);
    while (tokenizer.Next()) ARROW_RETURN_NOT_OK(visit(tokenizer.values()));
    return arrow::Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(auto stream, OpenTextInput(path));
  LineReader lines(std::move(stream), options.line_separator);
  bool first = true;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(auto batch, lines.Next(64 * 1024));
    if (batch == nullptr) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(batch, options.charset.ToUtf8(std::move(batch)));
    ARROW_ASSIGN_OR_RAISE(batch, DataLines(*batch, options, false));
    const auto& texts = static_cast<const arrow::StringArray&>(*batch);
    for (int64_t i = 0; i < texts.length(); ++i) {
      tokenizer.Start(first ? WithoutByteOrderMark(texts.GetView(i)) : texts.GetView(i), /*one_record=*/true);
      first = false;
      if (tokenizer.Next()) ARROW_RETURN_NOT_OK(visit(tokenizer.values()));
    }
  }
}

arrow::Result<types::DataTypePtr> InferSchema(const std::vector<std::string>& paths, const OptionMap& given,
                                              const SessionFormat& session) {
  ARROW_ASSIGN_OR_RAISE(CsvOptions options, CsvOptions::Parse(given, session));
  if (paths.empty()) return UserError("UNABLE_TO_INFER_SCHEMA", {{"format", "CSV"}});
  std::vector<std::string> names;
  std::optional<CsvSchemaInference> inference;
  std::mt19937 random(1);  // the same rows whenever the schema is inferred again
  std::bernoulli_distribution sampled(std::clamp(options.sampling_ratio, 0.0, 1.0));
  for (const std::string& path : paths) {
    bool first = true;
    arrow::Status visited = VisitRecords(path, options, [&](const CsvSchemaInference::Values& values) -> arrow::Status {
      if (!inference) {
        names = CsvSchemaInference::ColumnNames(values, options);
        ARROW_ASSIGN_OR_RAISE(inference, CsvSchemaInference::Make(options, names.size()));
      }
      bool is_header = first && options.header;
      first = false;
      if (is_header || !options.infer_schema) return arrow::Status::OK();
      if (options.sampling_ratio >= 1.0 || sampled(random)) inference->Add(values);
      return arrow::Status::OK();
    });
    // What the mode of malformed records raises is told as it is: nothing is read yet.
    ARROW_RETURN_NOT_OK(GetErrorDetail(visited) != nullptr ? visited : FileReadError(path, visited));
    if (inference && !options.infer_schema) break;
  }
  if (!inference) return types::Struct({});
  return inference->Finish(names);
}

}  // namespace

extern const FileFormat kCsvFormat{
    .name = "csv",
    .description = "Comma-separated values.",
    .options = &CsvOptions::Table,
    .extension = [](const OptionMap& given) -> arrow::Result<std::string> {
      ARROW_ASSIGN_OR_RAISE(CsvOptions options, CsvOptions::Parse(given, {}));
      ARROW_ASSIGN_OR_RAISE(std::string suffix, CompressionSuffix(options.compression));
      return ".csv" + suffix;
    },
    .open_reader = OpenReader,
    .open_writer = OpenWriter,
    .infer_schema = InferSchema,
    .supports = SupportsCsvFile,
    .splittable =
        [](const std::string& path, const OptionMap& given) {
          auto options = CsvOptions::Parse(given, {});
          return options.ok() && !options->multi_line && !IsCompressed(path);
        },
};

}  // namespace millrace::format
