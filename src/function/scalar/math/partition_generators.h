#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

namespace millrace::function {

/// A generator a partition, seeded with seed + partition, that goes on from batch to batch and begins anew when the
/// partition is read from its first row. Not thread-safe.
template <typename Random>
class PartitionGenerators {
 public:
  struct Position {
    Random random;
    int64_t row = 0;  ///< how many were drawn, where the caller counts
  };

  explicit PartitionGenerators(int64_t seed) : seed_(seed) {}

  Position Begin(int32_t partition) const { return {Random(seed_ + partition)}; }

  /// The partition's. Those forgotten begin anew: a stream has other partitions in each micro-batch.
  Position& At(int32_t partition, int64_t first_row) {
    if (first_row == 0 && positions_.size() >= kMost) positions_.clear();
    auto it = positions_.find(partition);
    if (it == positions_.end()) return positions_.emplace(partition, Begin(partition)).first->second;
    if (first_row == 0) it->second = Begin(partition);
    return it->second;
  }

 private:
  static constexpr size_t kMost = sizeof(Random) > 1024 ? 1024 : 4096;

  int64_t seed_;
  std::map<int32_t, Position> positions_;
};

}  // namespace millrace::function
