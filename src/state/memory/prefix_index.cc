#include "state/memory/prefix_index.h"

#include <algorithm>
#include <cstring>

namespace millrace::state {

PrefixIndex::PrefixIndex(const types::DataType& key_type, int num_columns)
    : num_key_columns_(static_cast<int>(key_type.fields().size())) {
  using types::TypeId;
  for (int c = 0; c < num_columns; ++c) {
    const types::DataType& type = *key_type.fields()[static_cast<size_t>(c)].type;
    bool is_long_decimal = type.id() == TypeId::kDecimal && type.precision() > 18;
    bool reserves_space = is_long_decimal || type.id() == TypeId::kCalendarInterval;
    bool is_variable =
        reserves_space || type.is_nested() || type.id() == TypeId::kString || type.id() == TypeId::kBinary;
    columns_.push_back({is_variable, reserves_space});
  }
}

std::string PrefixIndex::PrefixOf(std::string_view key) const {
  auto num_columns = static_cast<int64_t>(columns_.size());
  int64_t slots = NullBitsBytes(num_columns), key_slots = NullBitsBytes(num_key_columns_);
  std::string prefix(static_cast<size_t>(slots + 8 * num_columns), '\0');
  for (int64_t c = 0; c < num_columns; ++c) {
    const Column& column = columns_[static_cast<size_t>(c)];
    bool is_null = IsNullAt(key, static_cast<int>(c));
    if (is_null)
      prefix[static_cast<size_t>(c / 8)] = static_cast<char>(prefix[static_cast<size_t>(c / 8)] | 1 << (c % 8));
    uint64_t slot;
    std::memcpy(&slot, key.data() + key_slots + 8 * c, 8);
    if (column.is_variable && (!is_null || column.is_long_decimal)) {
      uint64_t offset = slot >> 32, size = slot & 0xffffffffU;
      uint64_t reserved =
          column.is_long_decimal ? 16 : static_cast<uint64_t>(RoundUpToWord(static_cast<int64_t>(size)));
      slot = static_cast<uint64_t>(prefix.size()) << 32 | size;
      prefix.append(key.substr(offset, reserved));
    }
    std::memcpy(prefix.data() + slots + 8 * c, &slot, 8);
  }
  return prefix;
}

void PrefixIndex::Add(std::string_view key) { keys_[PrefixOf(key)].emplace_back(key); }

void PrefixIndex::Remove(std::string_view key) {
  auto it = keys_.find(PrefixOf(key));
  if (it == keys_.end()) return;
  std::erase_if(it->second, [key](const std::string& k) { return k == key; });
  if (it->second.empty()) keys_.erase(it);
}

const std::vector<std::string>* PrefixIndex::Find(std::string_view prefix) const {
  auto it = keys_.find(std::string(prefix));
  return it == keys_.end() ? nullptr : &it->second;
}

}  // namespace millrace::state
