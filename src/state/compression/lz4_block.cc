#include <lz4.h>

#include <cstring>

#include "state/compression/formats.h"
#include "state/compression/xxhash32.h"

/// lz4-java's LZ4BlockOutputStream: blocks of a magic, a token (method and level), three little-endian sizes and the
/// data. An empty block ends a stream, after which another may follow.

namespace millrace::state {

using arrow::Result;
using arrow::Status;

namespace {

constexpr std::string_view kMagic = "LZ4Block";
constexpr size_t kBlockBytes = 32 * 1024;
constexpr size_t kHeaderBytes = 8 + 1 + 12;
constexpr uint32_t kSeed = 0x9747B28CU;
constexpr uint8_t kRaw = 0x10, kLz4 = 0x20;
constexpr uint8_t kLevel = 5;  // log2(block size) - 10

uint32_t Checksum(std::string_view bytes) { return XxHash32(bytes, kSeed) & 0x0FFFFFFFU; }

class Lz4Writer final : public BlockWriter {
 public:
  explicit Lz4Writer(OutputFile* file) : BlockWriter(file, kBlockBytes) {
    buffer_.resize(kHeaderBytes + static_cast<size_t>(LZ4_compressBound(static_cast<int>(kBlockBytes))));
  }

 protected:
  Status WriteBlock(std::string_view block) override {
    int size = LZ4_compress_default(block.data(), buffer_.data() + kHeaderBytes, static_cast<int>(block.size()),
                                    static_cast<int>(buffer_.size() - kHeaderBytes));
    bool shrinks = size > 0 && static_cast<size_t>(size) < block.size();
    if (!shrinks) {
      size = static_cast<int>(block.size());
      std::memcpy(buffer_.data() + kHeaderBytes, block.data(), block.size());
    }
    FillHeader(shrinks ? kLz4 : kRaw, static_cast<uint32_t>(size), static_cast<uint32_t>(block.size()),
               Checksum(block));
    return file()->Append({buffer_.data(), kHeaderBytes + static_cast<size_t>(size)});
  }

  Status WriteEnd() override {
    FillHeader(kRaw, 0, 0, 0);
    return file()->Append({buffer_.data(), kHeaderBytes});
  }

 private:
  void FillHeader(uint8_t method, uint32_t compressed, uint32_t original, uint32_t checksum) {
    char* out = buffer_.data();
    std::memcpy(out, kMagic.data(), kMagic.size());
    out[8] = static_cast<char>(method | kLevel);
    std::memcpy(out + 9, &compressed, 4);
    std::memcpy(out + 13, &original, 4);
    std::memcpy(out + 17, &checksum, 4);
  }

  std::string buffer_;
};

class Lz4Reader final : public CompressedReader {
 public:
  explicit Lz4Reader(std::string_view bytes) : bytes_(bytes) {}

  Result<std::string_view> Next() override {
    while (at_ < bytes_.size()) {
      std::string_view rest = bytes_.substr(at_);
      if (rest.size() < kHeaderBytes) return Status::Invalid("it ends within the header of an lz4 block");
      if (rest.substr(0, 8) != kMagic) return Status::Invalid("no lz4 block begins at byte ", at_);
      auto token = static_cast<uint8_t>(rest[8]);
      uint32_t compressed, original, checksum;
      std::memcpy(&compressed, rest.data() + 9, 4);
      std::memcpy(&original, rest.data() + 13, 4);
      std::memcpy(&checksum, rest.data() + 17, 4);
      uint8_t method = token & 0xF0;
      if ((method != kRaw && method != kLz4) || original > (1U << (10 + (token & 0x0F))) ||
          (original == 0) != (compressed == 0) || (method == kRaw && original != compressed)) {
        return Status::Invalid("the lz4 block at byte ", at_, " has a damaged header");
      }
      if (compressed > rest.size() - kHeaderBytes) return Status::Invalid("it ends within an lz4 block");
      size_t begin = at_;
      at_ += kHeaderBytes + compressed;
      ended_ = original == 0;
      if (ended_) {
        if (checksum != 0) return Status::Invalid("the lz4 block at byte ", begin, " has a damaged header");
        continue;
      }
      std::string_view data = rest.substr(kHeaderBytes, compressed);
      if (method == kLz4) {
        block_.resize(original);
        int size =
            LZ4_decompress_safe(data.data(), block_.data(), static_cast<int>(compressed), static_cast<int>(original));
        if (size != static_cast<int>(original)) {
          return Status::Invalid("the lz4 block at byte ", begin, " cannot be decompressed");
        }
        data = block_;
      }
      if (Checksum(data) != checksum) {
        return Status::Invalid("the lz4 block at byte ", begin, " does not have its checksum");
      }
      return data;
    }
    if (!ended_) return Status::Invalid("its last lz4 block is missing");
    return std::string_view();
  }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
  bool ended_ = false;
  std::string block_;
};

}  // namespace

std::unique_ptr<CompressedWriter> MakeLz4Writer(OutputFile* file) { return std::make_unique<Lz4Writer>(file); }
std::unique_ptr<CompressedReader> MakeLz4Reader(std::string_view bytes) { return std::make_unique<Lz4Reader>(bytes); }

}  // namespace millrace::state
