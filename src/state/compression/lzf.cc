#include <array>
#include <cstring>

#include "state/compression/formats.h"

/// compress-lzf's LZFOutputStream: chunks "ZV", 0 (raw) or 1 (LZF), big-endian 16-bit sizes, data.
/// LZF: control byte below 32 = that many literals plus one; else length (3 bits, 7 = one more byte) and distance.

namespace millrace::state {

using arrow::Result;
using arrow::Status;

namespace {

constexpr size_t kChunkBytes = 0xFFFF;
constexpr size_t kLongestMatch = 264, kFarthest = 8192, kMostLiterals = 32;

void AppendLiterals(std::string_view literals, std::string* out) {
  while (!literals.empty()) {
    size_t count = std::min(literals.size(), kMostLiterals);
    out->push_back(static_cast<char>(count - 1));
    out->append(literals.substr(0, count));
    literals.remove_prefix(count);
  }
}

std::string Compress(std::string_view in) {
  std::string out;
  std::array<uint32_t, 1 << 13> last{};  // position + 1 of the last three bytes of this hash
  size_t literals = 0, at = 0;
  while (at + 4 < in.size()) {
    auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(in[i])); };
    uint32_t three = byte(at) << 16 | byte(at + 1) << 8 | byte(at + 2);
    uint32_t& slot = last[(three * 2654435761U) >> 19];
    size_t candidate = slot;
    slot = static_cast<uint32_t>(at + 1);
    if (candidate == 0 || at - (candidate - 1) > kFarthest || in.compare(candidate - 1, 3, in, at, 3) != 0) {
      ++at;
      continue;
    }
    size_t from = candidate - 1, length = 3;
    while (length < kLongestMatch && at + length < in.size() && in[from + length] == in[at + length]) ++length;
    AppendLiterals(in.substr(literals, at - literals), &out);
    size_t distance = at - from - 1, code = length - 2;
    if (code < 7) {
      out.push_back(static_cast<char>(code << 5 | distance >> 8));
    } else {
      out.push_back(static_cast<char>(7 << 5 | distance >> 8));
      out.push_back(static_cast<char>(code - 7));
    }
    out.push_back(static_cast<char>(distance));
    at += length;
    literals = at;
  }
  AppendLiterals(in.substr(literals), &out);
  return out;
}

bool Decompress(std::string_view in, size_t size, std::string* out) {
  out->clear();
  size_t at = 0;
  while (at < in.size()) {
    size_t control = static_cast<uint8_t>(in[at++]);
    if (control < 32) {
      if (control + 1 > in.size() - at || out->size() + control + 1 > size) return false;
      out->append(in.substr(at, control + 1));
      at += control + 1;
      continue;
    }
    size_t length = (control >> 5) + 2;
    if (control >> 5 == 7) {
      if (at == in.size()) return false;
      length += static_cast<uint8_t>(in[at++]);
    }
    if (at == in.size()) return false;
    size_t distance = ((control & 31) << 8 | static_cast<uint8_t>(in[at++])) + 1;
    if (distance > out->size() || out->size() + length > size) return false;
    for (size_t k = 0; k < length; ++k) out->push_back((*out)[out->size() - distance]);
  }
  return out->size() == size;
}

class LzfWriter final : public BlockWriter {
 public:
  explicit LzfWriter(OutputFile* file) : BlockWriter(file, kChunkBytes) {}

 protected:
  Status WriteBlock(std::string_view block) override {
    std::string compressed = Compress(block);
    bool shrinks = compressed.size() + 2 < block.size();
    std::string header = shrinks ? std::string("ZV\1", 3) : std::string("ZV\0", 3);
    auto append16 = [&header](size_t size) {
      header.push_back(static_cast<char>(size >> 8));
      header.push_back(static_cast<char>(size));
    };
    if (shrinks) append16(compressed.size());
    append16(block.size());
    ARROW_RETURN_NOT_OK(file()->Append(header));
    return file()->Append(shrinks ? std::string_view(compressed) : block);
  }
};

class LzfReader final : public CompressedReader {
 public:
  explicit LzfReader(std::string_view bytes) : bytes_(bytes) {}

  Result<std::string_view> Next() override {
    if (at_ == bytes_.size()) return std::string_view();
    std::string_view rest = bytes_.substr(at_);
    if (rest.size() < 5 || rest[0] != 'Z' || rest[1] != 'V' || static_cast<uint8_t>(rest[2]) > 1) {
      return Status::Invalid("no LZF chunk begins at byte ", at_);
    }
    auto read16 = [&rest](size_t i) {
      return static_cast<size_t>(static_cast<uint8_t>(rest[i])) << 8 | static_cast<uint8_t>(rest[i + 1]);
    };
    bool is_raw = rest[2] == 0;
    size_t header = is_raw ? 5 : 7, size = read16(3);
    if (rest.size() < header || size > rest.size() - header) return Status::Invalid("it ends within an LZF chunk");
    at_ += header + size;
    std::string_view data = rest.substr(header, size);
    if (is_raw) return data.empty() ? Next() : data;
    if (!Decompress(data, read16(5), &block_)) {
      return Status::Invalid("the LZF chunk at byte ", at_ - header - size, " is damaged");
    }
    return block_.empty() ? Next() : std::string_view(block_);
  }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
  std::string block_;
};

}  // namespace

std::unique_ptr<CompressedWriter> MakeLzfWriter(OutputFile* file) { return std::make_unique<LzfWriter>(file); }
std::unique_ptr<CompressedReader> MakeLzfReader(std::string_view bytes) { return std::make_unique<LzfReader>(bytes); }

}  // namespace millrace::state
