#include "state/unsafe_row.h"

#include <bit>
#include <cstring>

namespace millrace::state {

void UnsafeRows::Reserve(int64_t num_bytes) {
  if (num_bytes <= capacity_) return;
  int64_t capacity = std::max<int64_t>(num_bytes, capacity_ * 2);
  std::unique_ptr<char[]> bytes(new char[static_cast<size_t>(capacity)]);
  if (!ends_.empty()) std::memcpy(bytes.get(), bytes_.get(), static_cast<size_t>(ends_.back()));
  bytes_ = std::move(bytes);
  capacity_ = capacity;
}

void UnsafeRows::Append(std::string_view row) {
  int64_t begin = num_bytes();
  Reserve(begin + static_cast<int64_t>(row.size()));
  if (!row.empty()) std::memcpy(bytes_.get() + begin, row.data(), row.size());
  ends_.push_back(begin + static_cast<int64_t>(row.size()));
}

std::vector<types::DataTypePtr> FieldTypes(const types::DataType& struct_type) {
  std::vector<types::DataTypePtr> types;
  types.reserve(struct_type.fields().size());
  for (const auto& field : struct_type.fields()) types.push_back(field.type);
  return types;
}

bool IsNullAt(std::string_view row, int ordinal) {
  return (static_cast<uint8_t>(row[static_cast<size_t>(ordinal / 8)]) >> (ordinal % 8) & 1) != 0;
}

int64_t LongAt(std::string_view row, int num_fields, int ordinal) {
  int64_t value;
  std::memcpy(&value, row.data() + NullBitsBytes(num_fields) + 8 * int64_t{ordinal}, 8);
  return value;
}

uint32_t HashRow(std::string_view row) {
  uint32_t hash = 42;
  for (size_t i = 0; i + 4 <= row.size(); i += 4) {
    uint32_t word;
    std::memcpy(&word, row.data() + i, 4);
    hash = std::rotl(hash ^ (std::rotl(word * 0xcc9e2d51U, 15) * 0x1b873593U), 13) * 5 + 0xe6546b64U;
  }
  hash ^= static_cast<uint32_t>(row.size());
  hash = (hash ^ (hash >> 16)) * 0x85ebca6bU;
  hash = (hash ^ (hash >> 13)) * 0xc2b2ae35U;
  return hash ^ (hash >> 16);
}

}  // namespace millrace::state
