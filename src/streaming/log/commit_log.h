#pragma once

#include <optional>
#include <string>

#include "state/state_ids.h"
#include "streaming/log/metadata_log.h"

namespace millrace::streaming {

/// What is known once a micro-batch is done.
struct CommitEntry {
  /// Watermark for the next batch, ms since 1970 UTC.
  int64_t next_watermark_ms = 0;
  /// With checkpoint format 2 of state: what the files of the state that this micro-batch left are called.
  std::optional<state::StateIds> state_ids = {};
};

/// commits/N: micro-batch N is in the sink, durably (Spark's CommitLog). Format: docs/formats/commit_log.md.
class CommitLog {
 public:
  CommitLog(FileSystem* file_system, const std::string& checkpoint_location, Durability durability)
      : log_(file_system, JoinPath(checkpoint_location, "commits"), durability) {}

  arrow::Status Add(BatchId batch_id, const CommitEntry& entry);
  /// Errors: Invalid naming the file when it is corrupt or of a newer format.
  arrow::Result<std::optional<CommitEntry>> Get(BatchId batch_id) const;
  MetadataLog& log() { return log_; }
  const MetadataLog& log() const { return log_; }

 private:
  MetadataLog log_;
};

std::string EncodeCommitEntry(const CommitEntry& entry);
arrow::Result<CommitEntry> DecodeCommitEntry(std::string_view text, const std::string& path);

}  // namespace millrace::streaming
