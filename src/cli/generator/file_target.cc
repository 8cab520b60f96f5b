#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/error.h"
#include "cli/generator/record_target.h"

namespace millrace::cli {

namespace {

class StandardOutput final : public RecordTarget {
 public:
  arrow::Status Write(const RecordTexts& batch) override {
    text_.clear();
    for (size_t i = 0; i < batch.size(); ++i) {
      text_ += batch.value(i);
      text_ += '\n';
    }
    if (std::fwrite(text_.data(), 1, text_.size(), stdout) != text_.size()) {
      return WorldError("Writing to standard output failed");
    }
    return arrow::Status::OK();
  }
  arrow::Status Flush() override {
    return std::fflush(stdout) == 0 ? arrow::Status::OK() : WorldError("Writing to standard output failed");
  }

 private:
  std::string text_;
};

class DirectoryTarget final : public RecordTarget {
 public:
  DirectoryTarget(FileSystem* files, FileTargetOptions options) : files_(files), options_(std::move(options)) {}

  arrow::Status Write(const RecordTexts& batch) override {
    for (size_t i = 0; i < batch.size();) {
      auto room = static_cast<size_t>(options_.records_per_file - num_in_file_);
      size_t end = std::min(batch.size(), i + room);
      for (; i < end; ++i, ++num_in_file_) {
        text_ += batch.value(i);
        text_ += '\n';
      }
      constexpr size_t kWriteBytes = 4 << 20;
      if (text_.size() >= kWriteBytes) ARROW_RETURN_NOT_OK(WriteText());
      if (num_in_file_ == options_.records_per_file) ARROW_RETURN_NOT_OK(Flush());
    }
    return arrow::Status::OK();
  }

  arrow::Status Flush() override {
    if (num_in_file_ == 0) return arrow::Status::OK();
    ARROW_RETURN_NOT_OK(WriteText());
    ARROW_RETURN_NOT_OK(file_->Close());
    file_.reset();
    num_in_file_ = 0;
    std::string name = fmt::format("part-{:05}.{}", next_file_++, options_.extension);
    return files_->Rename(TemporaryPath(), JoinPath(options_.directory, name));
  }

 private:
  // Readers of a directory skip names that begin with a dot.
  std::string TemporaryPath() const { return JoinPath(options_.directory, ".part.tmp"); }

  arrow::Status WriteText() {
    if (file_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(file_, files_->OpenForWrite(TemporaryPath()));
    }
    ARROW_RETURN_NOT_OK(file_->Append(text_));
    text_.clear();
    return arrow::Status::OK();
  }

  FileSystem* files_;
  FileTargetOptions options_;
  std::unique_ptr<OutputFile> file_;
  std::string text_;
  int64_t num_in_file_ = 0;
  int next_file_ = 0;
};

}  // namespace

arrow::Result<std::unique_ptr<RecordTarget>> OpenFileTarget(FileSystem* files, const FileTargetOptions& options) {
  if (options.directory == "-") return std::make_unique<StandardOutput>();
  ARROW_RETURN_NOT_OK(files->CreateDirectories(options.directory));
  return std::make_unique<DirectoryTarget>(files, options);
}

}  // namespace millrace::cli
