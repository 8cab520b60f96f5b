#include "delta/snapshot/file_totals.h"

#include <algorithm>

namespace millrace::delta {

namespace {

// Of the last class that begins at or below `value`.
template <size_t N>
size_t ClassOf(const std::array<int64_t, N>& lower_ends, int64_t value) {
  const auto* above = std::upper_bound(lower_ends.begin(), lower_ends.end(), value);
  auto index = static_cast<size_t>(above - lower_ends.begin());
  return index > 0 ? index - 1 : 0;
}

}  // namespace

void FileTotals::Count(int64_t size_bytes, int64_t num_deleted, int64_t sign) {
  size_t index = ClassOf(kFileSizeClasses, size_bytes);
  num_files_ += sign;
  size_bytes_ += sign * size_bytes;
  counts_[index] += sign;
  bytes_[index] += sign * size_bytes;
  deleted_counts_[ClassOf(kDeletedRowClasses, num_deleted)] += sign;
  num_deleted_rows_ += sign * num_deleted;
  if (num_deleted > 0) num_deletion_vectors_ += sign;
}

}  // namespace millrace::delta
