#pragma once

#include "function/bind.h"

namespace millrace::function {

/// What a time window call says besides its time column. All in µs.
struct TimeWindowSpec {
  int64_t window_us = 0;
  int64_t slide_us = 0;
  int64_t start_us = 0;

  bool tumbling() const { return window_us == slide_us; }
  /// How many windows may hold one instant.
  int64_t num_overlapping() const { return (window_us + slide_us - 1) / slide_us; }
  /// False when an instant is in every one of its `num_overlapping()` windows.
  bool needs_range_filter() const { return window_us % slide_us != 0; }
};

/// Reads duration, slide and start of window(time, duration[, slide[, start]]).
/// Errors: UserError CANNOT_PARSE_INTERVAL, DATATYPE_MISMATCH.…, as Spark words them.
arrow::Result<TimeWindowSpec> ParseTimeWindow(const BindInput& input);

/// The `index`-th window (0 = the latest that begins at or before it) around `time`: struct<start, end>, never NULL as
/// a struct; its fields are NULL where `time` is. `time` is a TIMESTAMP or TIMESTAMP_NTZ. Who resolves a window also
/// drops rows whose time is NULL, and where needs_range_filter() keeps only rows with start <= time < end (Spark's
/// TimeWindowing).
ExpressionPtr TimeWindowAt(const ExpressionPtr& time, const TimeWindowSpec& spec, int64_t index);

/// The time column of a window call as TIMESTAMP or TIMESTAMP_NTZ; a window struct stands for its window_time.
arrow::Result<ExpressionPtr> TimeWindowColumn(const BindInput& input);

}  // namespace millrace::function
