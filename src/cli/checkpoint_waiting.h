#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "cli/checkpoint_report.h"

namespace millrace::cli {

/// What one operator (of a join: one of its sides, of transformWithState: a variable) keeps in state as of the last
/// micro-batch that is done.
struct StateReport {
  int64_t operator_id = 0;
  std::string operator_name;
  /// "left" or "right" of a join, a variable of transformWithState or "timers", else empty.
  std::string part;
  int64_t num_rows = 0;
  /// Least and greatest event time of these rows, in µs since 1970 UTC; of a window its end. nullopt when the rows have
  /// none: they stay for ever.
  std::optional<int64_t> earliest_us;
  std::optional<int64_t> latest_us;
  /// Why it could not be read; empty when it could.
  std::string error;
};

/// Reads the state of every operator. Errors: none of a single store, which are told in its report.
arrow::Result<std::vector<StateReport>> ReadState(FileSystem& file_system, const std::string& directory);

/// The watermark of the next micro-batch, and which input keeps it there, as far as the logs tell.
struct WatermarkReport {
  int64_t watermark_ms = 0;
  /// The micro-batch whose rows moved it to where it is; nullopt when it has not moved in what the log still holds.
  std::optional<int64_t> moved_by_batch;
  struct Input {
    std::string offset_json;
    /// The newest micro-batch in which it had something new; nullopt: none in what the log still holds.
    std::optional<int64_t> last_batch;
  };
  std::vector<Input> inputs;
  /// Position of the input that keeps the watermark back: the one that has been silent longest, since the watermark
  /// moved at the latest. nullopt when all of them had something new since, whose rows were no newer.
  std::optional<size_t> silent_input;
};

/// REQUIRES: at least one micro-batch in the report.
arrow::Result<WatermarkReport> ReportWatermark(FileSystem& file_system, const CheckpointReport& report);

/// The lines that tell why nothing comes out; empty for a query without state.
std::string FormatWaiting(const CheckpointReport& report, const WatermarkReport& watermark,
                          const std::vector<StateReport>& state);

}  // namespace millrace::cli
