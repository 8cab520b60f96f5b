#pragma once

#include <string>

#include "base/file_system.h"
#include "streaming/log/commit_log.h"
#include "streaming/log/offset_log.h"

namespace millrace::streaming {

/// A query's checkpoint location, opened.
struct Checkpoint {
  std::string location;
  /// From `metadata`, or new.
  std::string query_id;
  bool is_new = false;
  OffsetLog offset_log;
  CommitLog commit_log;

  std::string SourcePath(size_t index) const { return JoinPath(location, "sources/" + std::to_string(index)); }
};

/// Opens `location`, or makes it with a fresh query id (durable when it returns).
///
/// Errors: UserError for a location that holds logs but no metadata, or state but no logs
/// (STREAMING_CHECKPOINT_MISSING_METADATA_FILE and the like); an unreadable metadata file, by name. Nothing is written
/// then.
arrow::Result<Checkpoint> OpenCheckpoint(FileSystem* file_system, const std::string& location, Durability durability,
                                         bool verify_metadata_exists, bool verify_empty_on_start);

}  // namespace millrace::streaming
