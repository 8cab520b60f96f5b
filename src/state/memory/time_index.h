#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace millrace::state {

/// References by event time, in buckets: what is due is found without a look at the rest. 4 to 8 bytes a reference.
///
/// A bucket covers a range of time; it is as wide as makes some dozens of references a bucket, and is split where the
/// watermark stands within a large one, so that the rest is not gone through at each step of the watermark.
/// References are not taken out when their rows go or change: `TimesOf` tells which ones still count. Thread: confined.
class TimeIndex {
 public:
  /// Writes the times of references now; nullopt where the row is gone.
  using TimesOf = std::function<void(std::span<const uint32_t> references, std::optional<int64_t>* times)>;

  void Add(int64_t time_us, uint32_t reference);
  /// Removes references whose time is at or below `time_us` and appends them to `taken`, some dozens or hundreds at a
  /// time, so that what they refer to is still in the cache; false when none is left. One that was added several times
  /// may come several times.
  bool TakeSomeUpTo(int64_t time_us, const TimesOf& times_of, std::vector<uint32_t>* taken);
  /// The least time of what is there; INT64_MAX when nothing is.
  int64_t Earliest(const TimesOf& times_of);

  int64_t num_references() const { return num_references_; }
  /// An estimate.
  int64_t memory_bytes() const;

 private:
  struct Bucket {
    int64_t end_us = 0;          ///< exclusive
    int64_t min_us = INT64_MAX;  ///< no reference is earlier
    std::vector<uint32_t> references;
  };
  using Buckets = std::map<int64_t, Bucket>;  // by begin; they do not overlap

  /// A bucket that times were found to belong to, by their number at the usual width: a walk of the tree for each
  /// reference would cost more than the rest of its insertion.
  struct Known {
    int64_t begin_us = 0;
    int64_t end_us = 0;
    Bucket* bucket = nullptr;
  };

  Bucket& BucketOf(int64_t time_us);
  Bucket& FindOrMake(int64_t time_us, Known* known);
  void ForgetKnown();
  void Split(Buckets::iterator bucket, const TimesOf& times_of);
  void Widen();
  bool ShouldWiden() const;

  Buckets buckets_;
  std::vector<Known> known_ = std::vector<Known>(16);  // a power of two
  int width_bits_ = 20;                                // usual width in µs: 2 to the power of this
  int64_t num_references_ = 0;
};

}  // namespace millrace::state
