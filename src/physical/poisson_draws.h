#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace millrace::physical {

/// How often each row of a partition is taken when one samples with replacement: Poisson draws, the same as Spark's
/// from the same seed. Confined.
/// Source: Spark, PartitionwiseSampledRDD and PoissonSampler, over the WELL19937c generator (F. Panneton, P. L'Ecuyer,
/// M. Matsumoto, Improved Long-Period Generators Based on Linear Recurrences Modulo 2, 2006).
class PoissonDraws {
 public:
  /// `seed` is that of the whole sample: each partition has a generator of its own.
  PoissonDraws(double mean, int64_t seed, int partition);

  int64_t Next();

 private:
  static constexpr size_t kWords = 624;

  uint32_t NextBits(int bits);
  double NextDouble();

  const double mean_;
  const double limit_;
  std::array<uint32_t, kWords> state_{};
  size_t index_ = 0;
};

}  // namespace millrace::physical
