#pragma once

#include <arrow/result.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/ids.h"

namespace millrace::streaming {

/// A directory with one small file for each micro-batch, named by its number: what Spark's HDFSMetadataLog is to the
/// offset log, the commit log and the logs of sources.
///
/// Format: docs/formats/metadata_log.md.
/// Crash: an entry is there whole or not at all; a half-written `.tmp` is ignored.
/// Thread: confined to the query's thread.
class MetadataLog {
 public:
  /// `directory` is made at the first Add.
  MetadataLog(FileSystem* file_system, std::string directory, Durability durability)
      : file_system_(file_system), directory_(std::move(directory)), durability_(durability) {}

  /// Durable when it returns. Errors: UserError CONCURRENT_STREAM_LOG_UPDATE when the entry exists: another query
  /// writes here.
  arrow::Status Add(BatchId batch_id, std::string_view text);
  /// nullopt when there is no such entry.
  arrow::Result<std::optional<std::string>> Get(BatchId batch_id) const;
  /// The highest entry, nullopt for none.
  arrow::Result<std::optional<BatchId>> LatestId() const;
  /// All ids, ascending. A directory that does not exist is empty.
  arrow::Result<std::vector<BatchId>> Ids() const;
  /// Removes entries below `threshold`. Their loss is harmless, so they are not synced.
  arrow::Status Purge(BatchId threshold);

  const std::string& directory() const { return directory_; }
  std::string PathOf(BatchId batch_id) const { return JoinPath(directory_, batch_id.ToString()); }

 private:
  FileSystem* file_system_;
  std::string directory_;
  Durability durability_;
  bool directory_made_ = false;
};

}  // namespace millrace::streaming
