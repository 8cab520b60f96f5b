#include "state/memory/java_map_order.h"

#include <bit>

namespace millrace::state {

JavaMapOrder::Step JavaMapOrder::BeginVersion(int64_t size) {
  previous_capacity_ = capacity_;
  // ConcurrentHashMap.tryPresize: allocates the wished-for size, then doubles, because three quarters of it are less.
  auto wished = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(size + (size >> 1) + 1)));
  capacity_ = wished;
  threshold_ = wished - (wished >> 2);
  while (wished > threshold_) {
    threshold_ = (capacity_ << 1) - (capacity_ >> 1);
    capacity_ <<= 1;
  }
  return capacity_ < previous_capacity_ ? Step::kCopied : Step::kNone;
}

JavaMapOrder::Step JavaMapOrder::AfterInsert(int64_t size) {
  if (size < threshold_) return Step::kNone;
  previous_capacity_ = capacity_;
  threshold_ = (capacity_ << 1) - (capacity_ >> 1);
  capacity_ <<= 1;
  return Step::kDoubled;
}

}  // namespace millrace::state
