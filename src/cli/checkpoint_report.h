#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "streaming/log/offset_log.h"

namespace millrace::cli {

/// One micro-batch as its checkpoint tells it.
struct BatchReport {
  int64_t batch_id = 0;
  streaming::OffsetEntry offsets;
  bool committed = false;
  /// From the batch's own clock to its commit entry; nullopt while it is not done.
  std::optional<int64_t> duration_ms;
  /// Kafka records in it, from its offsets and those before; nullopt for other sources.
  std::optional<int64_t> num_records;
};

/// What lies in a checkpoint location. Spark's checkpoints and Millrace's read the same.
struct CheckpointReport {
  std::string directory;
  std::optional<std::string> query_id;
  /// Ascending; what the logs still hold.
  std::vector<BatchReport> batches;
  bool has_state = false;
};

/// Reads a checkpoint without touching it. `newest`: only so many of the newest micro-batches (0: all).
/// Errors: a corrupt log, by file; Invalid when `directory` holds no checkpoint.
arrow::Result<CheckpointReport> ReadCheckpoint(FileSystem& file_system, const std::string& directory, int newest = 0);

/// Text for `millrace checkpoint show`.
std::string FormatReport(const CheckpointReport& report, int num_batches);

/// Sum of the positions in a Kafka offset ({"topic":{"0":12}}); nullopt for another source's.
std::optional<int64_t> KafkaPositionSum(const std::string& offset_json);

struct WatchOptions {
  std::string directory;
  std::string kafka;
  double seconds = 0;
  int64_t interval_ms = 500;
  bool lines = false;
};

/// Draws what a running query does until the time is over or Ctrl-C.
arrow::Status WatchCheckpoint(const WatchOptions& options);

}  // namespace millrace::cli
