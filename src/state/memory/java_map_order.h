#pragma once

#include <cstdint>

namespace millrace::state {

/// The capacity that java.util.concurrent.ConcurrentHashMap would have, since Spark's default state store iterates one:
/// rows come by bucket, within a bucket in an order that insertion and each doubling decide.
///
/// Spark makes a new map for each version and copies the old one into it (putAll), so the capacity is decided anew at
/// each version and may shrink. Buckets that Java turns into trees (8 colliding keys) are not modelled.
class JavaMapOrder {
 public:
  /// What the in-bucket order must go through.
  enum class Step : uint8_t {
    kNone,
    kCopied,   ///< entries were inserted anew, in iteration order, into fewer buckets
    kDoubled,  ///< each bucket was split in two, as ConcurrentHashMap.transfer does
  };

  /// A new map gets the rows of the one before, `size` of them.
  Step BeginVersion(int64_t size);
  /// A key was added, there are `size` now. To be called until it says kNone: each kDoubled is one doubling.
  Step AfterInsert(int64_t size);

  int64_t capacity() const { return capacity_; }
  /// Capacity before the last step.
  int64_t previous_capacity() const { return previous_capacity_; }

  static uint32_t Spread(uint32_t hash) { return (hash ^ (hash >> 16)) & 0x7fffffffU; }
  uint32_t BucketOf(uint32_t hash) const { return Spread(hash) & static_cast<uint32_t>(capacity_ - 1); }

 private:
  int64_t capacity_ = 16;
  int64_t threshold_ = 12;
  int64_t previous_capacity_ = 16;
};

}  // namespace millrace::state
