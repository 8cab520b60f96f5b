#include "physical/poisson_draws.h"

#include <cmath>

namespace millrace::physical {

namespace {

/// Nothing that is drawn of a partition but its seed comes from here: java.util.Random, in the order of partitions.
int64_t SeedOfPartition(int64_t seed, int partition) {
  constexpr uint64_t kMultiplier = 0x5DEECE66D;
  constexpr uint64_t kMask = (uint64_t{1} << 48) - 1;
  uint64_t state = (static_cast<uint64_t>(seed) ^ kMultiplier) & kMask;
  auto next = [&state] {
    state = (state * kMultiplier + 0xB) & kMask;
    return static_cast<int64_t>(static_cast<int32_t>(state >> 16));
  };
  uint64_t drawn = 0;
  for (int i = 0; i <= partition; ++i) {
    auto high = static_cast<uint64_t>(next());
    drawn = (high << 32) + static_cast<uint64_t>(next());
  }
  return static_cast<int64_t>(drawn);
}

}  // namespace

PoissonDraws::PoissonDraws(double mean, int64_t seed, int partition) : mean_(mean), limit_(std::exp(-mean)) {
  auto own = static_cast<uint64_t>(SeedOfPartition(seed, partition));
  state_[0] = static_cast<uint32_t>(own >> 32);
  state_[1] = static_cast<uint32_t>(own);
  for (size_t i = 2; i < kWords; ++i) {
    int64_t before = static_cast<int32_t>(state_[i - 2]);
    state_[i] = static_cast<uint32_t>(uint64_t{1812433253} * static_cast<uint64_t>(before ^ (before >> 30)) + i);
  }
}

uint32_t PoissonDraws::NextBits(int bits) {
  constexpr size_t kM1 = 70;
  constexpr size_t kM2 = 179;
  constexpr size_t kM3 = 449;
  auto at = [this](size_t distance) -> uint32_t& { return state_[(index_ + distance) % kWords]; };
  uint32_t& last = at(kWords - 1);
  uint32_t& last_but_one = at(kWords - 2);
  uint32_t z0 = (0x80000000u & last) ^ (0x7FFFFFFFu & last_but_one);
  uint32_t z1 = (at(0) ^ (at(0) << 25)) ^ (at(kM1) ^ (at(kM1) >> 27));
  uint32_t z2 = (at(kM2) >> 9) ^ (at(kM3) ^ (at(kM3) >> 1));
  uint32_t z3 = z1 ^ z2;
  uint32_t z4 = z0 ^ (z1 ^ (z1 << 9)) ^ (z2 ^ (z2 << 21)) ^ (z3 ^ (z3 >> 21));
  at(0) = z3;
  last = z4;
  last_but_one &= 0x80000000u;
  index_ = (index_ + kWords - 1) % kWords;
  // Tempering, the "c" of its name.
  z4 ^= (z4 << 7) & 0xE46E1700u;
  z4 ^= (z4 << 15) & 0x9B868000u;
  return z4 >> (32 - bits);
}

double PoissonDraws::NextDouble() {
  uint64_t high = NextBits(26);
  return static_cast<double>((high << 26) | NextBits(26)) * 0x1.0p-52;
}

int64_t PoissonDraws::Next() {
  int64_t count = 0;
  double product = 1;
  while (static_cast<double>(count) < 1000 * mean_) {
    product *= NextDouble();
    if (product < limit_) break;
    ++count;
  }
  return count;
}

}  // namespace millrace::physical
