#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "connector/source.h"
#include "streaming/log/metadata_log.h"

namespace millrace::streaming {

/// What a micro-batch will read, fixed before it runs.
struct OffsetEntry {
  /// Of the file's format: 1, or 2 (spark.sql.streaming.offsetLog.formatVersion).
  int version = 1;
  /// One a source, in the order sources stand in the plan; nullopt for a source that has nothing yet.
  std::vector<std::optional<connector::SourceOffset>> offsets;
  /// Watermark in force while the batch runs, ms since 1970 UTC; 0 before any data.
  int64_t watermark_ms = 0;
  /// The batch's current_timestamp(), ms since 1970 UTC: the same when it runs again.
  int64_t timestamp_ms = 0;
  /// Settings that must not change while the checkpoint lives (kCheckpointedConf), as text.
  std::map<std::string, std::string> conf;
};

/// offsets/N: the write-ahead log of intents (Spark's OffsetSeqLog). Format: docs/formats/offset_log.md.
/// Crash: written and durable before anything of batch N is read; after a crash N runs again with exactly this entry.
class OffsetLog {
 public:
  OffsetLog(FileSystem* file_system, const std::string& checkpoint_location, Durability durability)
      : log_(file_system, JoinPath(checkpoint_location, "offsets"), durability) {}

  arrow::Status Add(BatchId batch_id, const OffsetEntry& entry);
  /// Errors: Invalid naming the file when it is corrupt, of a newer format, or of another number of sources than
  /// `num_sources` (negative: any).
  arrow::Result<std::optional<OffsetEntry>> Get(BatchId batch_id, int num_sources) const;
  MetadataLog& log() { return log_; }
  const MetadataLog& log() const { return log_; }

 private:
  MetadataLog log_;
};

/// Text of an entry and back. `path` only names the file in errors. Errors: sources that have names of the user's.
std::string EncodeOffsetEntry(const OffsetEntry& entry);
arrow::Result<OffsetEntry> DecodeOffsetEntry(std::string_view text, const std::string& path);

struct CheckpointedConf {
  std::string_view key;
  /// What Spark 4.2 writes for a new query when the session says nothing.
  std::string_view default_value;
  /// What an old checkpoint without the key was made with; empty: the session's value.
  std::string_view value_if_absent;
};
/// The settings an offset log carries, as Spark 4.2 does.
std::span<const CheckpointedConf> CheckpointedConfs();

}  // namespace millrace::streaming
