#pragma once

#include <cstddef>
#include <span>

namespace millrace::function {

inline constexpr int kMinHllLog2 = 4, kMaxHllLog2 = 21;
inline constexpr size_t kHllTableSize = 257;

/// Raw estimates of a sketch of 2^log2_size registers, one for each cardinality that is a multiple of HllTableStride.
std::span<const double> HllRawEstimates(int log2_size);
double HllTableStride(int log2_size);

}  // namespace millrace::function
