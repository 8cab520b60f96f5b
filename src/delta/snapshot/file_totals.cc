#include "delta/snapshot/file_totals.h"

#include <algorithm>

namespace millrace::delta {

void FileTotals::Count(int64_t size_bytes, int64_t sign) {
  const auto* above = std::upper_bound(kFileSizeClasses.begin(), kFileSizeClasses.end(), size_bytes);
  auto index = static_cast<size_t>(above - kFileSizeClasses.begin());
  if (index > 0) --index;
  num_files_ += sign;
  size_bytes_ += sign * size_bytes;
  counts_[index] += sign;
  bytes_[index] += sign * size_bytes;
}

}  // namespace millrace::delta
