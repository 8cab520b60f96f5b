#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"

namespace millrace::connector::file {

/// A log of lines, one small file a batch: `<id>` holds the batch's lines, every so many batches `<id>.compact` holds
/// all lines so far. What Spark's CompactibleFileStreamLog is to the file source (sources/<i>) and the file sink
/// (`_spark_metadata`).
///
/// Format: docs/formats/file_log.md.
/// Crash: an entry is there whole or not at all.
/// Thread: confined.
class CompactibleLog {
 public:
  struct Settings {
    std::string directory;
    Durability durability = Durability::kMachine;
    /// Interval of a new log; an old one keeps its own.
    int64_t compact_interval = 10;
    /// Old files are deleted when that many younger batches are kept and they are that old.
    bool delete_expired = true;
    int64_t min_batches_to_retain = 100;
    int64_t cleanup_delay_ms = 600000;
  };
  CompactibleLog(FileSystem* file_system, const Clock* clock, Settings settings)
      : file_system_(file_system), clock_(clock), settings_(std::move(settings)) {}

  const std::string& directory() const { return settings_.directory; }
  /// nullopt: the log is empty, or there is none.
  arrow::Result<std::optional<int64_t>> LatestId() const;
  /// All lines up to the newest batch. Errors: Invalid naming a corrupt or missing file.
  arrow::Result<std::vector<std::string>> AllLines() const;
  /// The lines in batch `id`'s file (all so far, when that is a compacted one); nullopt when it is not there.
  arrow::Result<std::optional<std::vector<std::string>>> Lines(int64_t id) const;
  /// Durable when it returns. `compact` (may be empty) thins the lines of a compacted file. Errors: UserError
  /// CONCURRENT_STREAM_LOG_UPDATE when the batch is there already.
  arrow::Status Add(int64_t id, const std::vector<std::string>& lines,
                    const std::function<std::vector<std::string>(std::vector<std::string>)>& compact = {});

 private:
  struct Entry {
    int64_t id = 0;
    bool compacted = false;
    int64_t modified_ms = 0;
  };
  /// Ascending.
  arrow::Result<std::vector<Entry>> List() const;
  arrow::Result<int64_t> CompactInterval() const;
  arrow::Result<std::string> PathOf(int64_t id) const;
  /// The failure that a file of this path is not there.
  using MissingFile = std::function<arrow::Status(const std::string& path)>;
  arrow::Result<std::vector<std::string>> LinesUpTo(int64_t id, const MissingFile& missing) const;
  arrow::Status DeleteExpired(int64_t id);

  FileSystem* file_system_;
  const Clock* clock_;
  Settings settings_;
  mutable std::optional<int64_t> compact_interval_;
};

/// The interval of a log whose only compacted file is `compacted_id`: the smallest divisor of its length that is not
/// below `wanted`.
int64_t DeriveCompactInterval(int64_t wanted, int64_t compacted_id);

}  // namespace millrace::connector::file
