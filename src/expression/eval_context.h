#pragma once

#include <arrow/memory_pool.h>

#include <cstdint>
#include <string>

#include "types/time_zone.h"

namespace millrace::expression {

/// What an evaluation may ask for beside its rows. Fixed for a query run but for the time and partition.
/// Thread: read-only while tasks run.
struct EvalContext {
  /// Session time zone, never null.
  const types::TimeZone* time_zone = types::TimeZone::Utc();
  /// spark.sql.ansi.enabled.
  bool ansi = true;
  /// spark.sql.caseSensitive.
  bool case_sensitive = false;
  /// What current_timestamp() gives: one value a query, or a micro-batch (its batchTimestampMs).
  int64_t current_timestamp_us = 0;
  /// Index of the partition the rows belong to (spark_partition_id).
  int32_t partition_index = 0;
  /// Number of rows of this partition before this batch (monotonically_increasing_id).
  int64_t row_offset = 0;
  arrow::MemoryPool* memory_pool = arrow::default_memory_pool();
};

}  // namespace millrace::expression
