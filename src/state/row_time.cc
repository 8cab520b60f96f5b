#include "state/row_time.h"

#include "state/unsafe_row.h"

namespace millrace::state {

namespace {

bool Fits(std::string_view row, int num_columns) {
  return static_cast<int64_t>(row.size()) >= NullBitsBytes(num_columns) + 8 * num_columns;
}

}  // namespace

std::optional<int64_t> RowTime::Of(std::string_view row) const {
  if (!Fits(row, num_columns_) || IsNullAt(row, index_)) return std::nullopt;
  int64_t slot = LongAt(row, num_columns_, index_);
  if (!is_window_) return slot;
  auto offset = static_cast<uint64_t>(slot) >> 32, size = static_cast<uint64_t>(slot) & 0xFFFFFFFFu;
  if (offset > row.size() || size > row.size() - offset) return std::nullopt;
  std::string_view window = row.substr(offset, size);
  if (!Fits(window, 2) || IsNullAt(window, 1)) return std::nullopt;
  return LongAt(window, 2, 1);
}

}  // namespace millrace::state
