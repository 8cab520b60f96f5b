#include "delta/deletion_vector/deletion_vector.h"

#include <zlib.h>

#include <array>

#include "base/error.h"
#include "base/ids.h"
#include "delta/log/log_paths.h"

namespace millrace::delta {

namespace {

constexpr std::string_view kAlphabet =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

constexpr std::array<int8_t, 256> MakeDigits() {
  std::array<int8_t, 256> digits{};
  for (auto& digit : digits) digit = -1;
  for (size_t i = 0; i < kAlphabet.size(); ++i)
    digits[static_cast<unsigned char>(kAlphabet[i])] = static_cast<int8_t>(i);
  return digits;
}
constexpr std::array<int8_t, 256> kDigits = MakeDigits();

constexpr size_t kUuidDigits = 20;

uint32_t BigEndian(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

std::string UuidText(std::string_view bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    auto byte = static_cast<unsigned char>(bytes[i]);
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

arrow::Result<RoaringBitmap> ParseChecked(std::string_view bytes, const DeletionVectorDescriptor& descriptor) {
  ARROW_ASSIGN_OR_RAISE(RoaringBitmap bitmap, RoaringBitmap::Parse(bytes));
  if (bitmap.cardinality() != static_cast<uint64_t>(descriptor.cardinality)) {
    return UserError("DELTA_DELETION_VECTOR_CARDINALITY_MISMATCH");
  }
  return bitmap;
}

arrow::Result<RoaringBitmap> ReadFromFile(const FileSystem& file_system, const std::string& path,
                                          const DeletionVectorDescriptor& descriptor) {
  ARROW_ASSIGN_OR_RAISE(std::string file, file_system.ReadFile(path));
  if (file.empty() || file[0] != 1) return arrow::Status::Invalid("unknown format version");
  // Without an offset the vector is the only one, behind the version.
  auto offset = static_cast<size_t>(descriptor.offset.value_or(1));
  if (file.size() < offset || file.size() - offset < 8) return UserError("DELTA_DELETION_VECTOR_SIZE_MISMATCH");
  std::string_view rest = std::string_view(file).substr(offset);
  uint32_t size = BigEndian(rest);
  if (size != static_cast<uint32_t>(descriptor.size_bytes) || rest.size() - 8 < size) {
    return UserError("DELTA_DELETION_VECTOR_SIZE_MISMATCH");
  }
  std::string_view bytes = rest.substr(4, size);
  uLong checksum = ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), size);
  if (checksum != BigEndian(rest.substr(4 + size))) return UserError("DELTA_DELETION_VECTOR_CHECKSUM_MISMATCH");
  return ParseChecked(bytes, descriptor);
}

void AppendBigEndian(uint32_t value, std::string* out) {
  for (int shift = 24; shift >= 0; shift -= 8) out->push_back(static_cast<char>(value >> shift));
}

std::string UuidBytes(std::string_view uuid) {
  std::string bytes;
  auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (size_t i = 0; i + 1 < uuid.size();) {
    if (uuid[i] == '-') {
      ++i;
      continue;
    }
    bytes.push_back(static_cast<char>(digit(uuid[i]) << 4 | digit(uuid[i + 1])));
    i += 2;
  }
  return bytes;
}

}  // namespace

arrow::Result<std::vector<DeletionVectorDescriptor>> WriteDeletionVectors(FileSystem* file_system,
                                                                          const std::string& table_path,
                                                                          const std::vector<RoaringBitmap>& vectors,
                                                                          Durability durability) {
  std::string uuid = RandomUuid();
  std::string bytes(1, char{1});
  std::vector<DeletionVectorDescriptor> descriptors;
  for (const RoaringBitmap& vector : vectors) {
    std::string serialized = vector.Serialize();
    DeletionVectorDescriptor descriptor;
    descriptor.storage_type = 'u';
    descriptor.path_or_inline = EncodeBase85(UuidBytes(uuid));
    descriptor.offset = static_cast<int32_t>(bytes.size());
    descriptor.size_bytes = static_cast<int32_t>(serialized.size());
    descriptor.cardinality = static_cast<int64_t>(vector.cardinality());
    AppendBigEndian(static_cast<uint32_t>(serialized.size()), &bytes);
    bytes += serialized;
    uLong checksum =
        ::crc32(0, reinterpret_cast<const Bytef*>(serialized.data()), static_cast<uInt>(serialized.size()));
    AppendBigEndian(static_cast<uint32_t>(checksum), &bytes);
    if (bytes.size() > INT32_MAX) return arrow::Status::Invalid("The deletion vectors of one commit are too large");
    descriptors.push_back(std::move(descriptor));
  }
  std::string path = JoinPath(table_path, "deletion_vector_" + uuid + ".bin");
  ARROW_ASSIGN_OR_RAISE(auto file, file_system->OpenForWrite(path));
  ARROW_RETURN_NOT_OK(file->Append(bytes));
  if (durability == Durability::kMachine) ARROW_RETURN_NOT_OK(file->Sync());
  ARROW_RETURN_NOT_OK(file->Close());
  if (durability == Durability::kMachine) ARROW_RETURN_NOT_OK(file_system->SyncDirectory(table_path));
  return descriptors;
}

std::string EncodeBase85(std::string_view bytes) {
  std::string text;
  for (size_t i = 0; i + 4 <= bytes.size(); i += 4) {
    uint32_t value = BigEndian(bytes.substr(i, 4));
    std::array<char, 5> block;
    for (size_t digit = 5; digit-- > 0;) {
      block[digit] = kAlphabet[value % 85];
      value /= 85;
    }
    text.append(block.data(), block.size());
  }
  return text;
}

arrow::Result<std::string> DecodeBase85(std::string_view text) {
  if (text.size() % 5 != 0) return arrow::Status::Invalid("'", text, "' is not Base85: its length is no multiple of 5");
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 5) {
    uint64_t value = 0;
    for (size_t j = 0; j < 5; ++j) {
      int8_t digit = kDigits[static_cast<unsigned char>(text[i + j])];
      if (digit < 0) return arrow::Status::Invalid("'", text, "' is not Base85");
      value = value * 85 + static_cast<uint64_t>(digit);
    }
    if (value > UINT32_MAX) return arrow::Status::Invalid("'", text, "' is not Base85");
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(value >> shift));
  }
  return bytes;
}

arrow::Result<std::string> DeletionVectorPath(const std::string& table_path,
                                              const DeletionVectorDescriptor& descriptor) {
  if (descriptor.storage_type == 'p') return DataFilePath(table_path, descriptor.path_or_inline);
  std::string_view text = descriptor.path_or_inline;
  if (descriptor.storage_type != 'u' || text.size() < kUuidDigits) {
    return arrow::Status::Invalid("The deletion vector descriptor '", descriptor.UniqueId(), "' names no file");
  }
  ARROW_ASSIGN_OR_RAISE(std::string uuid, DecodeBase85(text.substr(text.size() - kUuidDigits)));
  std::string directory(table_path);
  if (text.size() > kUuidDigits) directory = JoinPath(directory, text.substr(0, text.size() - kUuidDigits));
  return JoinPath(directory, "deletion_vector_" + UuidText(uuid) + ".bin");
}

arrow::Result<RoaringBitmap> ReadDeletionVector(const FileSystem& file_system, const std::string& table_path,
                                                const DeletionVectorDescriptor& descriptor) {
  if (descriptor.storage_type == 'i') {
    ARROW_ASSIGN_OR_RAISE(std::string bytes, DecodeBase85(descriptor.path_or_inline));
    // Padded to whole words.
    if (bytes.size() < static_cast<size_t>(std::max(0, descriptor.size_bytes))) {
      return UserError("DELTA_DELETION_VECTOR_SIZE_MISMATCH");
    }
    return ParseChecked(std::string_view(bytes).substr(0, static_cast<size_t>(std::max(0, descriptor.size_bytes))),
                        descriptor);
  }
  ARROW_ASSIGN_OR_RAISE(std::string path, DeletionVectorPath(table_path, descriptor));
  auto bitmap = ReadFromFile(file_system, path, descriptor);
  if (!bitmap.ok()) {
    const arrow::Status& status = bitmap.status();
    return status.WithMessage(status.message(), " (deletion vector file ", path, ")");
  }
  return bitmap;
}

}  // namespace millrace::delta
