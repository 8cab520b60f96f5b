#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>

#include "expression/murmur3.h"
#include "function/scalar/math/strict_math.h"

namespace millrace::function {

/// Spark's XORShiftRandom: the same numbers from the same seed. Confined.
class XorShiftRandom {
 public:
  explicit XorShiftRandom(int64_t seed) {
    char bytes[8];
    for (int k = 0; k < 8; ++k) bytes[k] = static_cast<char>(static_cast<uint64_t>(seed) >> (56 - 8 * k));
    std::string_view view(bytes, sizeof(bytes));
    int32_t low = expression::Murmur3Bytes(view, 0x3c074a61);
    int32_t high = expression::Murmur3Bytes(view, low);
    state_ = (static_cast<uint64_t>(static_cast<uint32_t>(high)) << 32) | static_cast<uint32_t>(low);
  }

  double NextDouble() {
    uint64_t high = Next(26);
    uint64_t low = Next(27);
    return static_cast<double>((high << 27) + low) * 0x1.0p-53;
  }

  // The polar method of java.util.Random, which makes two values at a time.
  double NextGaussian() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    double x = 0;
    double y = 0;
    double square = 0;
    do {
      x = 2 * NextDouble() - 1;
      y = 2 * NextDouble() - 1;
      square = x * x + y * y;
    } while (square >= 1 || square == 0);
    double factor = std::sqrt(-2 * StrictLog(square) / square);
    spare_ = y * factor;
    has_spare_ = true;
    return x * factor;
  }

  /// java.util.Random.nextInt().
  int32_t NextInt() { return static_cast<int32_t>(static_cast<uint32_t>(Next(32))); }

  /// java.util.Random.nextInt(bound).
  int32_t NextInt(int32_t bound) {
    auto number = static_cast<int32_t>(Next(31));
    if ((bound & (bound - 1)) == 0) return static_cast<int32_t>((int64_t{bound} * number) >> 31);
    // Numbers beyond the last multiple of `bound` are drawn again.
    int32_t result = number % bound;
    while (int64_t{number} - result + (bound - 1) > INT32_MAX) {
      number = static_cast<int32_t>(Next(31));
      result = number % bound;
    }
    return result;
  }

 private:
  uint64_t Next(int bits) {
    state_ ^= state_ << 21;
    state_ ^= state_ >> 35;
    state_ ^= state_ << 4;
    return state_ & ((uint64_t{1} << bits) - 1);
  }

  uint64_t state_;
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace millrace::function
