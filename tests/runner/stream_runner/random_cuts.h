#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "stream_runner/run_config.h"

namespace millrace::stream_runner {

struct RandomCutsOptions {
  /// How long new cases are drawn.
  double seconds = 10;
  /// How many new cases at most.
  int max_cases = std::numeric_limits<int>::max();
  /// New cases have this seed and those that follow; none: drawn too.
  std::optional<uint64_t> first_seed;
  /// One case to try again.
  std::optional<uint64_t> seed;
  /// Seeds of cases that failed once, a number a line, '#' for what was wrong; tried first. Empty for none.
  std::string kept_seeds;
  /// Only cases with this word among their operators; empty for all.
  std::string only;
  /// Prints each case's script.
  bool show = false;
};

struct RandomCutsOutcome {
  int passed = 0;
  int failed = 0;
};

/// Tries random cases (RandomCase). Of one that fails it prints the seed and, with as few rows as still make it fail,
/// its script, which real Spark can answer too (tests/stream/record.py).
RandomCutsOutcome TryRandomCuts(const RandomCutsOptions& options);

}  // namespace millrace::stream_runner
