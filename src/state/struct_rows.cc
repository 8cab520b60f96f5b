#include "state/struct_rows.h"

#include <cstring>

#include "state/unsafe_row.h"

namespace millrace::state {

namespace {

constexpr size_t kWord = 8;

void SetSlot(std::string* row, size_t ordinal, int64_t value) {
  std::memcpy(row->data() + kWord * (1 + ordinal), &value, sizeof(value));
}

int64_t SlotOf(size_t offset, size_t size) { return static_cast<int64_t>(offset) << 32 | static_cast<int64_t>(size); }

}  // namespace

std::string RowOfStructs(std::initializer_list<std::string_view> structs) {
  std::string row(kWord * (1 + structs.size()), '\0');
  size_t ordinal = 0;
  for (std::string_view one : structs) {
    SetSlot(&row, ordinal++, SlotOf(row.size(), one.size()));
    row.append(one);
  }
  return row;
}

std::string LongRow(int64_t value) {
  std::string row(2 * kWord, '\0');
  SetSlot(&row, 0, value);
  return row;
}

std::string RowWithTime(std::string_view value, int64_t time_ms) {
  std::string row(3 * kWord, '\0');
  SetSlot(&row, 0, SlotOf(row.size(), value.size()));
  SetSlot(&row, 1, time_ms);
  return row.append(value);
}

std::string_view NullRow() { return {"\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 2 * kWord}; }

std::string_view StructAt(std::string_view row, int num_columns, int ordinal) {
  auto fixed = static_cast<size_t>(NullBitsBytes(num_columns)) + kWord * static_cast<size_t>(num_columns);
  if (row.size() < fixed) return {};
  auto slot = static_cast<uint64_t>(LongAt(row, num_columns, ordinal));
  size_t offset = slot >> 32, size = slot & 0xFFFFFFFFU;
  if (offset > row.size() || size > row.size() - offset) return {};
  return row.substr(offset, size);
}

}  // namespace millrace::state
