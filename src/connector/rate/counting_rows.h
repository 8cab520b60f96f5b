#pragma once

#include "connector/source.h"

namespace millrace::connector {

/// The columns of both rate sources: timestamp, value.
types::DataTypePtr RateSchema();

/// What the values `begin` … `end` − 1 look like.
struct CountingRange {
  int64_t begin = 0;
  int64_t end = 0;
  /// Timestamp of `begin`, and how much later the next value is, both in ms since 1970 UTC.
  int64_t start_ms = 0;
  double ms_per_value = 0;
};

/// `num_partitions` parts of a range: partition p has the values begin + p, begin + p + num_partitions, …
InputPartitions PlanCountingRange(const CountingRange& range, int num_partitions, const ReadColumns& columns);

}  // namespace millrace::connector
