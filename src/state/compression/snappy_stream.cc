#include <snappy.h>

#include "state/compression/formats.h"

/// snappy-java's SnappyOutputStream: a header of 16 bytes, then chunks of a big-endian size and a raw snappy block.

namespace millrace::state {

using arrow::Result;
using arrow::Status;

namespace {

constexpr std::string_view kHeader("\x82SNAPPY\0\0\0\0\1\0\0\0\1", 16);
constexpr size_t kBlockBytes = 32 * 1024;
constexpr size_t kLargestBlock = 64 << 20;

class SnappyWriter final : public BlockWriter {
 public:
  explicit SnappyWriter(OutputFile* file) : BlockWriter(file, kBlockBytes) {}

 protected:
  Status WriteBlock(std::string_view block) override {
    ARROW_RETURN_NOT_OK(WriteHeader());
    snappy::Compress(block.data(), block.size(), &buffer_);
    auto size = static_cast<uint32_t>(buffer_.size());
    char prefix[4] = {static_cast<char>(size >> 24), static_cast<char>(size >> 16), static_cast<char>(size >> 8),
                      static_cast<char>(size)};
    ARROW_RETURN_NOT_OK(file()->Append({prefix, 4}));
    return file()->Append(buffer_);
  }
  Status WriteEnd() override { return WriteHeader(); }

 private:
  Status WriteHeader() {
    if (header_written_) return Status::OK();
    header_written_ = true;
    return file()->Append(kHeader);
  }

  bool header_written_ = false;
  std::string buffer_;
};

class SnappyReader final : public CompressedReader {
 public:
  explicit SnappyReader(std::string_view bytes) : bytes_(bytes) {}

  Result<std::string_view> Next() override {
    // A header stands at the beginning, and again where streams were put one after another.
    while (bytes_.substr(at_).starts_with(kHeader.substr(0, 8))) {
      if (bytes_.size() - at_ < kHeader.size()) return Status::Invalid("it ends within the snappy header");
      at_ += kHeader.size();
      begun_ = true;
    }
    if (!begun_) return Status::Invalid("it has no snappy header");
    if (at_ == bytes_.size()) return std::string_view();
    if (bytes_.size() - at_ < 4) return Status::Invalid("it ends within a snappy chunk");
    uint32_t size = 0;
    for (size_t k = 0; k < 4; ++k) size = size << 8 | static_cast<uint8_t>(bytes_[at_ + k]);
    if (size > bytes_.size() - at_ - 4) return Status::Invalid("it ends within a snappy chunk");
    const char* data = bytes_.data() + at_ + 4;
    size_t length;
    if (!snappy::GetUncompressedLength(data, size, &length) || length > kLargestBlock) {
      return Status::Invalid("the snappy chunk at byte ", at_, " is damaged");
    }
    block_.resize(length);
    if (!snappy::RawUncompress(data, size, block_.data())) {
      return Status::Invalid("the snappy chunk at byte ", at_, " is damaged");
    }
    at_ += 4 + size;
    return block_.empty() ? Next() : std::string_view(block_);
  }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
  bool begun_ = false;
  std::string block_;
};

}  // namespace

std::unique_ptr<CompressedWriter> MakeSnappyWriter(OutputFile* file) { return std::make_unique<SnappyWriter>(file); }
std::unique_ptr<CompressedReader> MakeSnappyReader(std::string_view bytes) {
  return std::make_unique<SnappyReader>(bytes);
}

}  // namespace millrace::state
