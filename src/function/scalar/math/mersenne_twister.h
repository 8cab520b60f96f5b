#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace millrace::function {

/// MT19937 seeded from the two halves of a long, as Apache Commons Math seeds it. Confined.
/// Spec: Matsumoto and Nishimura, init_by_array.
class MersenneTwister {
 public:
  explicit MersenneTwister(int64_t seed) {
    auto bits = static_cast<uint64_t>(seed);
    const uint32_t key[] = {static_cast<uint32_t>(bits >> 32), static_cast<uint32_t>(bits)};
    state_[0] = 19650218U;
    for (uint32_t i = 1; i < kSize; ++i) state_[i] = 1812433253U * (state_[i - 1] ^ (state_[i - 1] >> 30)) + i;
    size_t i = 1;
    auto next = [&] {
      if (++i < kSize) return;
      state_[0] = state_[kSize - 1];
      i = 1;
    };
    for (uint32_t k = 0; k < kSize; ++k) {
      state_[i] = (state_[i] ^ ((state_[i - 1] ^ (state_[i - 1] >> 30)) * 1664525U)) + key[k % 2] + k % 2;
      next();
    }
    for (uint32_t k = 1; k < kSize; ++k) {
      state_[i] = (state_[i] ^ ((state_[i - 1] ^ (state_[i - 1] >> 30)) * 1566083941U)) - static_cast<uint32_t>(i);
      next();
    }
    state_[0] = 0x80000000U;
  }

  /// In [0, bound).
  int32_t NextInt(int32_t bound) {
    if ((bound & -bound) == bound) return static_cast<int32_t>((int64_t{bound} * Next31()) >> 31);
    int32_t bits = Next31();
    while (bits - bits % bound > INT32_MAX - (bound - 1)) bits = Next31();
    return bits % bound;
  }

  uint64_t NextLong() {
    uint64_t high = Next();
    return high << 32 | Next();
  }

 private:
  static constexpr size_t kSize = 624;
  static constexpr size_t kShift = 397;

  int32_t Next31() { return static_cast<int32_t>(Next() >> 1); }

  uint32_t Next() {
    if (index_ == kSize) Twist();
    uint32_t y = state_[index_++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9D2C5680U;
    y ^= (y << 15) & 0xEFC60000U;
    return y ^ (y >> 18);
  }

  void Twist() {
    for (size_t k = 0; k < kSize; ++k) {
      uint32_t y = (state_[k] & 0x80000000U) | (state_[(k + 1) % kSize] & 0x7FFFFFFFU);
      state_[k] = state_[(k + kShift) % kSize] ^ (y >> 1) ^ ((y & 1) != 0 ? 0x9908B0DFU : 0U);
    }
    index_ = 0;
  }

  std::array<uint32_t, kSize> state_{};
  size_t index_ = kSize;
};

}  // namespace millrace::function
