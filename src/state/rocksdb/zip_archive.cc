#include "state/rocksdb/zip_archive.h"

#include <zlib.h>

#include <cstdint>
#include <vector>

namespace millrace::state {

using arrow::Result;
using arrow::Status;

namespace {

constexpr uint32_t kLocalHeader = 0x04034b50, kCentralHeader = 0x02014b50, kEnd = 0x06054b50;
constexpr size_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22;
constexpr uint16_t kStored = 0, kDeflated = 8;
constexpr uint32_t kLargestFile = 1U << 30;

uint32_t Get(std::string_view bytes, size_t at, size_t num_bytes) {
  uint32_t value = 0;
  for (size_t k = num_bytes; k-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[at + k]);
  return value;
}

void Put(uint32_t value, size_t num_bytes, std::string* out) {
  for (size_t k = 0; k < num_bytes; ++k) out->push_back(static_cast<char>(value >> (8 * k)));
}

uint32_t Crc(std::string_view bytes) {
  return static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

Result<std::string> Inflate(std::string_view data, uint32_t size) {
  std::string out(size, '\0');
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return Status::OutOfMemory("zlib");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = size;
  int result = inflate(&stream, Z_FINISH);
  bool whole = result == Z_STREAM_END && stream.avail_out == 0;
  inflateEnd(&stream);
  if (!whole) return Status::Invalid("a file of the zip archive cannot be decompressed");
  return out;
}

void AppendHeaderFields(std::string_view name, uint32_t crc, size_t size, std::string* out) {
  Put(20, 2, out);  // version needed
  Put(0, 2, out);   // flags
  Put(kStored, 2, out);
  Put(0, 2, out);     // time
  Put(0x21, 2, out);  // date: 1980-01-01
  Put(crc, 4, out);
  Put(static_cast<uint32_t>(size), 4, out);
  Put(static_cast<uint32_t>(size), 4, out);
  Put(static_cast<uint32_t>(name.size()), 2, out);
  Put(0, 2, out);  // extra field
}

}  // namespace

Result<std::map<std::string, std::string>> ReadZip(std::string_view bytes) {
  if (bytes.size() < kEndBytes) return Status::Invalid("it is too short for a zip archive");
  size_t end = bytes.size() - kEndBytes;
  while (Get(bytes, end, 4) != kEnd) {
    if (end == 0 || bytes.size() - end > 0x10000 + kEndBytes) return Status::Invalid("its zip directory is missing");
    --end;
  }
  std::map<std::string, std::string> files;
  size_t count = Get(bytes, end + 10, 2), at = Get(bytes, end + 16, 4);
  for (size_t i = 0; i < count; ++i) {
    if (at + kCentralBytes > bytes.size() || Get(bytes, at, 4) != kCentralHeader) {
      return Status::Invalid("its zip directory is damaged");
    }
    uint32_t method = Get(bytes, at + 10, 2), crc = Get(bytes, at + 16, 4), packed = Get(bytes, at + 20, 4),
             size = Get(bytes, at + 24, 4);
    size_t name_size = Get(bytes, at + 28, 2), local = Get(bytes, at + 42, 4);
    size_t next = at + kCentralBytes + name_size + Get(bytes, at + 30, 2) + Get(bytes, at + 32, 2);
    if (next > bytes.size() || local + kLocalBytes > bytes.size() || size > kLargestFile) {
      return Status::Invalid("its zip directory is damaged");
    }
    size_t data = local + kLocalBytes + Get(bytes, local + 26, 2) + Get(bytes, local + 28, 2);
    if (data > bytes.size() || packed > bytes.size() - data) return Status::Invalid("it ends within a file of the zip");
    // Only contents have a checksum; the names stand there twice.
    std::string_view name = bytes.substr(at + kCentralBytes, name_size);
    if (bytes.substr(local + kLocalBytes, name_size) != name) return Status::Invalid("its zip directory is damaged");
    std::string content;
    if (method == kStored && packed == size) {
      content = std::string(bytes.substr(data, packed));
    } else if (method == kDeflated) {
      ARROW_ASSIGN_OR_RAISE(content, Inflate(bytes.substr(data, packed), size));
    } else {
      return Status::Invalid("a file of the zip archive has an unknown form");
    }
    if (Crc(content) != crc) return Status::Invalid("a file of the zip archive does not have its checksum");
    files[std::string(name)] = std::move(content);
    at = next;
  }
  return files;
}

std::string WriteZip(const std::map<std::string, std::string>& files) {
  std::string out, directory;
  for (const auto& [name, content] : files) {
    auto local = static_cast<uint32_t>(out.size());
    uint32_t crc = Crc(content);
    Put(kLocalHeader, 4, &out);
    AppendHeaderFields(name, crc, content.size(), &out);
    out += name;
    out += content;
    Put(kCentralHeader, 4, &directory);
    Put(20, 2, &directory);  // made by
    AppendHeaderFields(name, crc, content.size(), &directory);
    Put(0, 2, &directory);  // comment
    Put(0, 2, &directory);  // disk
    Put(0, 2, &directory);  // internal attributes
    Put(0, 4, &directory);  // external attributes
    Put(local, 4, &directory);
    directory += name;
  }
  auto begin = static_cast<uint32_t>(out.size());
  out += directory;
  Put(kEnd, 4, &out);
  Put(0, 4, &out);  // disks
  Put(static_cast<uint32_t>(files.size()), 2, &out);
  Put(static_cast<uint32_t>(files.size()), 2, &out);
  Put(static_cast<uint32_t>(directory.size()), 4, &out);
  Put(begin, 4, &out);
  Put(0, 2, &out);
  return out;
}

}  // namespace millrace::state
