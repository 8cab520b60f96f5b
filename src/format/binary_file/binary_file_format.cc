#include <arrow/builder.h>
#include <arrow/io/file.h>

#include "base/error.h"
#include "base/file_system.h"
#include "format/file_format.h"
#include "types/arrow_type.h"
#include "types/scala_text.h"

/// The binaryFile source: a file is one row, its content one value. Source: Spark SQL guide, "Binary File Data Source".

namespace millrace::format {

namespace {

types::DataTypePtr Schema() {
  return types::Struct({{"path", types::String(), false, {}},
                        {"modificationTime", types::Timestamp(), false, {}},
                        {"length", types::Long(), false, {}},
                        {"content", types::Binary(), true, {}}});
}

/// A value of binary has 31 bits of length.
constexpr int64_t kMaxLength = INT32_MAX;

class BinaryFileReader final : public FileReader {
 public:
  explicit BinaryFileReader(FileReadRequest request) : request_(std::move(request)) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (done_) return nullptr;
    done_ = true;
    auto row = Read();
    if (!row.ok()) return FileReadError(request_.path, row.status());
    return row;
  }

 private:
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Read() {
    ARROW_ASSIGN_OR_RAISE(auto info, LocalFileSystem()->Stat(request_.path));
    if (!info) return UserError("FAILED_READ_FILE.FILE_NOT_EXIST", {{"path", request_.path}});
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (const types::StructField& field : request_.schema->fields()) {
      std::unique_ptr<arrow::ArrayBuilder> builder;
      ARROW_RETURN_NOT_OK(arrow::MakeBuilder(arrow::default_memory_pool(), types::ToArrow(*field.type), &builder));
      if (field.name == "path") {
        ARROW_RETURN_NOT_OK(static_cast<arrow::StringBuilder&>(*builder).Append("file:" + request_.path));
      } else if (field.name == "modificationTime") {
        ARROW_RETURN_NOT_OK(static_cast<arrow::TimestampBuilder&>(*builder).Append(info->modified_ms * 1000));
      } else if (field.name == "length") {
        ARROW_RETURN_NOT_OK(static_cast<arrow::Int64Builder&>(*builder).Append(info->size_bytes));
      } else {
        ARROW_ASSIGN_OR_RAISE(auto content, Content(info->size_bytes));
        ARROW_RETURN_NOT_OK(static_cast<arrow::BinaryBuilder&>(*builder).Append(content->data(),
                                                                                static_cast<int32_t>(content->size())));
      }
      ARROW_ASSIGN_OR_RAISE(auto column, builder->Finish());
      columns.push_back(std::move(column));
    }
    return arrow::RecordBatch::Make(types::ToArrowSchema(*request_.schema), 1, std::move(columns));
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> Content(int64_t size) const {
    if (size > kMaxLength) {
      return arrow::Status::Invalid("The length of ", FileUri(request_.path), " is ", size,
                                    ", which exceeds the max length allowed: ", kMaxLength, ".");
    }
    ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(request_.path));
    return file->Read(size);
  }

  FileReadRequest request_;
  bool done_ = false;
};

}  // namespace

extern const FileFormat kBinaryFileFormat{
    .name = "binaryFile",
    .description = "Whole files: path, modificationTime, length, content.",
    .options = []() -> std::span<const OptionDoc> { return {}; },
    .extension = [](const OptionMap&) -> arrow::Result<std::string> { return std::string(); },
    .open_reader = [](const FileReadRequest& request) -> arrow::Result<std::unique_ptr<FileReader>> {
      for (const types::StructField& field : request.schema->fields()) {
        int place = Schema()->FieldIndex(field.name, /*case_sensitive=*/true);
        if (place < 0 || !Schema()->fields()[static_cast<size_t>(place)].type->Equals(*field.type)) {
          return arrow::Status::Invalid(
              "requirement failed: Binary file data source expects dataSchema: ", types::ScalaText(*Schema()),
              ", but got: ", types::ScalaText(*request.schema), ".");
        }
      }
      return std::make_unique<BinaryFileReader>(request);
    },
    .open_writer = [](const FileWriteRequest&) -> arrow::Result<std::unique_ptr<FileWriter>> {
      return UserError("UNSUPPORTED_FEATURE.WRITE_FOR_BINARY_SOURCE");
    },
    .infer_schema = [](const std::vector<std::string>&, const OptionMap&,
                       const SessionFormat&) -> arrow::Result<types::DataTypePtr> { return Schema(); },
    .supports = [](const types::DataType&) { return true; },
    .splittable = [](const std::string&, const OptionMap&) { return false; },
};

}  // namespace millrace::format
