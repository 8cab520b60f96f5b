#pragma once

#include <optional>
#include <span>

namespace millrace::function {

/// How much HyperLogLog overestimates: `biases[i]` where the raw estimate is near `estimates[i]` (ascending).
struct HyperLogLogBias {
  std::span<const double> estimates;
  std::span<const double> biases;
};

/// The table of 2^precision registers; nullopt for precisions we do not offer.
std::optional<HyperLogLogBias> FindHyperLogLogBias(int precision);

}  // namespace millrace::function
