#include "state/row_checksum.h"

#include <array>
#include <cstring>

#include "base/error.h"

namespace millrace::state {

using arrow::Result;
using arrow::Status;

namespace {

constexpr size_t kChecksumBytes = 4;
constexpr size_t kSizeBytes = 4;

// Tables for eight bytes at once.
constexpr std::array<std::array<uint32_t, 256>, 8> MakeTables() {
  constexpr uint32_t kReversedPolynomial = 0x82F63B78U;
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? kReversedPolynomial : 0U);
    tables[0][byte] = crc;
  }
  for (size_t k = 1; k < tables.size(); ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      tables[k][byte] = (tables[k - 1][byte] >> 8) ^ tables[0][tables[k - 1][byte] & 255U];
    }
  }
  return tables;
}

constexpr auto kTables = MakeTables();

void AppendInt(uint32_t value, std::string* out) {
  char bytes[4];
  std::memcpy(bytes, &value, 4);
  out->append(bytes, 4);
}

uint32_t IntAt(std::string_view bytes, size_t offset) {
  uint32_t value;
  std::memcpy(&value, bytes.data() + offset, 4);
  return value;
}

Status Verify(uint32_t expected, uint32_t computed, const std::string& store) {
  if (expected == computed) return Status::OK();
  auto text = [](uint32_t checksum) { return std::to_string(static_cast<int32_t>(checksum)); };
  return UserError(
      "STATE_STORE_ROW_CHECKSUM_VERIFICATION_FAILED",
      {{"stateStoreId", store}, {"expectedChecksum", text(expected)}, {"computedChecksum", text(computed)}});
}

}  // namespace

uint32_t Crc32c(std::string_view bytes, uint32_t crc) {
  crc = ~crc;
  const char* p = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; left -= 8, p += 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    word ^= crc;
    crc = 0;
    for (size_t k = 0; k < 8; ++k) crc ^= kTables[7 - k][(word >> (8 * k)) & 255U];
  }
  for (; left > 0; --left, ++p) crc = (crc >> 8) ^ kTables[0][(crc ^ static_cast<uint8_t>(*p)) & 255U];
  return ~crc;
}

void AddChecksum(std::string_view key, std::string_view value, std::string* out) {
  out->clear();
  AppendInt(Crc32c(value, Crc32c(key)), out);
  out->append(value);
}

void AddKeyChecksum(std::string_view key, std::string* out) {
  out->clear();
  AppendInt(Crc32c(key), out);
  out->append(key);
}

Result<std::string_view> CheckedValue(std::string_view key, std::string_view stored, const std::string& store) {
  if (stored.size() < kChecksumBytes) return Status::Invalid("a value without a checksum");
  std::string_view value = stored.substr(kChecksumBytes);
  ARROW_RETURN_NOT_OK(Verify(IntAt(stored, 0), Crc32c(value, Crc32c(key)), store));
  return value;
}

Result<std::string_view> CheckedKey(std::string_view stored, const std::string& store) {
  if (stored.size() < kChecksumBytes) return Status::Invalid("a key without a checksum");
  std::string_view key = stored.substr(kChecksumBytes);
  ARROW_RETURN_NOT_OK(Verify(IntAt(stored, 0), Crc32c(key), store));
  return key;
}

void AddSizedChecksum(std::string_view key, std::string_view value, std::string* out) {
  AppendInt(Crc32c(value, Crc32c(key)), out);
  AppendInt(static_cast<uint32_t>(value.size()), out);
  out->append(value);
}

Status CheckedSizedValues(std::string_view key, std::string_view stored, size_t delimiter_bytes,
                          const std::string& store, std::string* out) {
  out->clear();
  uint32_t of_key = Crc32c(key);
  while (!stored.empty()) {
    constexpr size_t kHead = kChecksumBytes + kSizeBytes;
    if (stored.size() < kHead || IntAt(stored, kChecksumBytes) > stored.size() - kHead) {
      return Status::Invalid("a value that is shorter than it says");
    }
    std::string_view value = stored.substr(kHead, IntAt(stored, kChecksumBytes));
    ARROW_RETURN_NOT_OK(Verify(IntAt(stored, 0), Crc32c(value, of_key), store));
    out->append(value);
    stored.remove_prefix(kHead + value.size());
    if (stored.empty()) break;
    if (stored.size() < delimiter_bytes) return Status::Invalid("a list that ends too early");
    out->append(stored.substr(0, delimiter_bytes));
    stored.remove_prefix(delimiter_bytes);
  }
  return Status::OK();
}

}  // namespace millrace::state
