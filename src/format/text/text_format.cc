#include <array>

#include "base/error.h"
#include "format/compression.h"
#include "format/file_format.h"
#include "format/text/line_reader.h"
#include "types/arrow_type.h"

/// The text source and sink: one string column `value`, one row a line.

namespace millrace::format {

namespace {

constexpr std::array kOptions = {
    OptionDoc{"wholetext", "false", "A file is one row."},
    OptionDoc{"lineSep", "", "What ends a line; empty: \\r, \\r\\n and \\n when reading, \\n when writing."},
    OptionDoc{"compression", "", "Codec of written files: none, gzip, deflate, bzip2, zstd."},
};

arrow::Result<std::optional<std::string>> LineSeparator(const OptionReader& options) {
  std::optional<std::string> separator = options.Given("lineSep");
  if (separator && separator->empty()) {
    return arrow::Status::Invalid("requirement failed: 'lineSep' cannot be an empty string.");
  }
  return separator;
}

class TextFileReader final : public FileReader {
 public:
  TextFileReader(FileReadRequest request, std::unique_ptr<LineReader> lines)
      : request_(std::move(request)), lines_(std::move(lines)), schema_(types::ToArrowSchema(*request_.schema)) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    auto lines = NextLines();
    if (!lines.ok()) return FileReadError(request_.path, lines.status());
    if (*lines == nullptr) return nullptr;
    arrow::ArrayVector columns(static_cast<size_t>(schema_->num_fields()), *lines);
    return arrow::RecordBatch::Make(schema_, (*lines)->length(), std::move(columns));
  }

 private:
  arrow::Result<std::shared_ptr<arrow::Array>> NextLines() {
    if (lines_ != nullptr) return lines_->Next(request_.batch_rows);
    if (done_) return nullptr;
    done_ = true;
    arrow::StringBuilder builder;
    ARROW_ASSIGN_OR_RAISE(std::string text, ReadTextFile(request_.path));
    ARROW_RETURN_NOT_OK(builder.Append(text));
    return builder.Finish();
  }

  FileReadRequest request_;
  /// Null with wholetext.
  std::unique_ptr<LineReader> lines_;
  std::shared_ptr<arrow::Schema> schema_;
  bool done_ = false;
};

arrow::Result<std::unique_ptr<FileReader>> OpenReader(const FileReadRequest& request) {
  OptionReader options(request.options, kOptions);
  ARROW_ASSIGN_OR_RAISE(bool whole, options.Boolean("wholetext"));
  ARROW_ASSIGN_OR_RAISE(auto separator, LineSeparator(options));
  std::unique_ptr<LineReader> lines;
  if (!whole) {
    auto opened = LineReader::Open(request.path, request.block, std::move(separator));
    if (!opened.ok()) return FileReadError(request.path, opened.status());
    lines = *std::move(opened);
  }
  return std::make_unique<TextFileReader>(request, std::move(lines));
}

class TextFileWriter final : public FileWriter {
 public:
  TextFileWriter(std::shared_ptr<arrow::io::OutputStream> stream, std::string separator)
      : stream_(std::move(stream)), separator_(std::move(separator)) {}

  arrow::Status Write(const arrow::RecordBatch& batch) override {
    const auto& column = static_cast<const arrow::StringArray&>(*batch.column(0));
    for (int64_t i = 0; i < column.length(); ++i) {
      if (!column.IsNull(i)) block_.append(column.GetView(i));
      block_ += separator_;
      if (block_.size() > (1 << 20)) ARROW_RETURN_NOT_OK(Flush());
    }
    num_rows_ += batch.num_rows();
    return arrow::Status::OK();
  }

  arrow::Result<WrittenFile> Finish() override {
    ARROW_RETURN_NOT_OK(Flush());
    ARROW_RETURN_NOT_OK(stream_->Close());
    ARROW_ASSIGN_OR_RAISE(int64_t size, stream_->Tell());
    return WrittenFile{num_rows_, size};
  }

 private:
  arrow::Status Flush() {
    ARROW_RETURN_NOT_OK(stream_->Write(block_.data(), static_cast<int64_t>(block_.size())));
    block_.clear();
    return arrow::Status::OK();
  }

  std::shared_ptr<arrow::io::OutputStream> stream_;
  std::string separator_;
  std::string block_;
  int64_t num_rows_ = 0;
};

arrow::Result<std::unique_ptr<FileWriter>> OpenWriter(const FileWriteRequest& request) {
  OptionReader options(request.options, kOptions);
  const auto& fields = request.schema->fields();
  if (fields.size() != 1) {
    return UserError("_LEGACY_ERROR_TEMP_1290", {{"schemaSize", std::to_string(fields.size())}});
  }
  ARROW_ASSIGN_OR_RAISE(auto separator, LineSeparator(options));
  ARROW_ASSIGN_OR_RAISE(auto stream,
                        OpenTextOutput(request.file_system, request.path, request.durability == Durability::kMachine,
                                       options.Text("compression")));
  return std::make_unique<TextFileWriter>(std::move(stream), separator.value_or("\n"));
}

}  // namespace

extern const FileFormat kTextFormat{
    .name = "text",
    .description = "Lines of text.",
    .options = []() -> std::span<const OptionDoc> { return kOptions; },
    .extension = [](const OptionMap& options) -> arrow::Result<std::string> {
      ARROW_ASSIGN_OR_RAISE(std::string suffix, CompressionSuffix(OptionReader(options, kOptions).Text("compression")));
      return ".txt" + suffix;
    },
    .open_reader = OpenReader,
    .open_writer = OpenWriter,
    .infer_schema = [](const std::vector<std::string>&, const OptionMap&, const SessionFormat&)
        -> arrow::Result<types::DataTypePtr> { return types::Struct({{"value", types::String()}}); },
    .supports = [](const types::DataType& type) { return type.id() == types::TypeId::kString; },
    .splittable =
        [](const std::string& path, const OptionMap& options) {
          return !OptionReader(options, kOptions).Boolean("wholetext").ValueOr(true) && !IsCompressed(path);
        },
};

}  // namespace millrace::format
