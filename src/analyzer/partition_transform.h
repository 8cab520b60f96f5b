#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace millrace::analyzer {

/// Functions of pyspark.sql.functions.partitioning: what a table is partitioned by, and no values.
inline bool IsPartitionTransform(std::string_view function) {
  static constexpr std::array<std::string_view, 5> kTransforms = {"bucket", "years", "months", "days", "hours"};
  return std::find(kTransforms.begin(), kTransforms.end(), function) != kTransforms.end();
}

}  // namespace millrace::analyzer
