#include "format/text/line_reader.h"

#include <arrow/builder.h>
#include <arrow/io/file.h>

#include <cstring>

#include "format/compression.h"

namespace millrace::format {

namespace {

constexpr int64_t kBlockSize = 1 << 20;
constexpr int64_t kBatchBytes = 64 << 20;

}  // namespace

LineReader::LineReader(std::shared_ptr<arrow::io::InputStream> stream, std::optional<std::string> separator)
    : stream_(std::move(stream)), separator_(std::move(separator)) {}

arrow::Result<std::unique_ptr<LineReader>> LineReader::Open(const std::string& path, const FileBlock& block,
                                                            std::optional<std::string> separator) {
  if (block.whole()) {
    ARROW_ASSIGN_OR_RAISE(auto stream, OpenTextInput(path));
    return std::make_unique<LineReader>(std::move(stream), std::move(separator));
  }
  ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path));
  ARROW_RETURN_NOT_OK(file->Seek(block.start));
  auto reader = std::make_unique<LineReader>(std::move(file), std::move(separator));
  reader->buffer_start_ = block.start;
  if (block.length >= 0) reader->last_start_ = block.start + block.length;
  reader->skip_line_ = block.start > 0;
  return reader;
}

arrow::Status LineReader::SkipLine() {
  skip_line_ = false;
  size_t end = 0;
  size_t next = 0;
  while (!FindEnd(position_, &end, &next)) ARROW_RETURN_NOT_OK(Fill());
  position_ = next;
  return arrow::Status::OK();
}

arrow::Status LineReader::Fill() {
  buffer_start_ += static_cast<int64_t>(position_);
  buffer_.erase(0, position_);
  position_ = 0;
  ARROW_ASSIGN_OR_RAISE(auto block, stream_->Read(kBlockSize));
  at_end_ = block->size() == 0;
  buffer_.append(reinterpret_cast<const char*>(block->data()), static_cast<size_t>(block->size()));
  return arrow::Status::OK();
}

bool LineReader::FindEnd(size_t start, size_t* end, size_t* next) const {
  std::string_view text(buffer_);
  if (separator_) {
    *end = text.find(*separator_, start);
    if (*end != std::string_view::npos) {
      *next = *end + separator_->size();
      return true;
    }
  } else {
    const char* from = text.data() + start;
    size_t left = text.size() - start;
    const auto* feed = static_cast<const char*>(std::memchr(from, '\n', left));
    // A carriage return before the line feed ends the line as well.
    const auto* back = static_cast<const char*>(std::memchr(from, '\r', feed == nullptr ? left : feed - from));
    if (back != nullptr) {
      *end = static_cast<size_t>(back - text.data());
      if (*end + 1 == text.size() && !at_end_) return false;
      *next = *end + (back + 1 == feed ? 2 : 1);
      return true;
    }
    if (feed != nullptr) {
      *end = static_cast<size_t>(feed - text.data());
      *next = *end + 1;
      return true;
    }
  }
  if (!at_end_) return false;
  *end = *next = text.size();
  return true;
}

arrow::Result<std::shared_ptr<arrow::Array>> LineReader::Next(int64_t num_lines) {
  arrow::StringBuilder builder;
  if (skip_line_) ARROW_RETURN_NOT_OK(SkipLine());
  while (builder.length() < num_lines && builder.value_data_length() < kBatchBytes) {
    if (buffer_start_ + static_cast<int64_t>(position_) > last_start_) break;
    if (position_ == buffer_.size()) {
      if (at_end_) break;
      ARROW_RETURN_NOT_OK(Fill());
      continue;
    }
    size_t end = 0, next = 0;
    if (!FindEnd(position_, &end, &next)) {
      ARROW_RETURN_NOT_OK(Fill());
      continue;
    }
    ARROW_RETURN_NOT_OK(builder.Append(std::string_view(buffer_).substr(position_, end - position_)));
    position_ = next;
  }
  if (builder.length() == 0) return nullptr;
  return builder.Finish();
}

}  // namespace millrace::format
