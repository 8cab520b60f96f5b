#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace millrace::cli {

/// A small generator (SplitMix64) with the same numbers on every machine: same seed, same data.
class SeededRandom {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  /// 0 … bound − 1.
  uint32_t Below(uint32_t bound) { return static_cast<uint32_t>(((Next() >> 32) * bound) >> 32); }
  /// first … last.
  int Between(int first, int last) { return first + static_cast<int>(Below(static_cast<uint32_t>(last - first + 1))); }
  bool OneIn(uint32_t n) { return Below(n) == 0; }

  template <typename T, size_t N>
  const T& Pick(const std::array<T, N>& choices) {
    return choices[Below(static_cast<uint32_t>(N))];
  }

 private:
  uint64_t state_;
};

}  // namespace millrace::cli
