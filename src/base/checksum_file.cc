#include "base/checksum_file.h"

#include <arrow/util/crc32.h>

#include <algorithm>
#include <filesystem>

namespace millrace {

namespace {

// "crc", a zero byte, how many bytes each checksum is of; then the checksums.
constexpr std::string_view kMagic("crc\0", 4);
constexpr size_t kHeaderSize = 8, kSumSize = 4;

int32_t IntAt(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (char c : bytes.substr(at, kSumSize)) value = value << 8 | static_cast<uint8_t>(c);
  return static_cast<int32_t>(value);
}

}  // namespace

std::string ChecksumFileOf(const std::string& path) {
  std::filesystem::path file(path);
  return JoinPath(file.parent_path().string(), "." + file.filename().string() + ".crc");
}

bool IsChecksumFile(std::string_view name) { return name.starts_with('.') && name.ends_with(".crc"); }

arrow::Result<std::string> ReadCheckedFile(const FileSystem& file_system, const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(std::string bytes, file_system.ReadFile(path));
  arrow::Result<std::string> sums = file_system.ReadFile(ChecksumFileOf(path));
  // Hadoop goes on without a checksum file that is none.
  if (!sums.ok() || sums->size() < kHeaderSize || !sums->starts_with(kMagic)) return bytes;
  int32_t chunk_size = IntAt(*sums, kMagic.size());
  if (chunk_size <= 0) return bytes;
  size_t at_sum = kHeaderSize;
  for (size_t at = 0; at < bytes.size(); at += static_cast<size_t>(chunk_size), at_sum += kSumSize) {
    size_t size = std::min(static_cast<size_t>(chunk_size), bytes.size() - at);
    auto got = static_cast<int32_t>(arrow::internal::crc32(0, bytes.data() + at, size));
    int32_t expected = at_sum + kSumSize <= sums->size() ? IntAt(*sums, at_sum) : 0;
    if (at_sum + kSumSize > sums->size() || got != expected) {
      return arrow::Status::IOError("Checksum error: file:", path, " at ", at, " exp: ", expected, " got: ", got);
    }
  }
  return bytes;
}

}  // namespace millrace
