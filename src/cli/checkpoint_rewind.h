#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/file_system.h"

namespace millrace::cli {

/// Makes micro-batch `batch` the last one a query has done: what lies behind it in a checkpoint is planned and read
/// anew at the next start. Sinks that know the batches they have (files, Delta) skip those they know.
struct Rewind {
  /// Files that go, relative to the checkpoint, in the order in which they go.
  std::vector<std::string> files;
  /// Where they are kept, relative to the checkpoint.
  std::string kept_in;
};

/// What a rewind would do; changes nothing.
/// Errors: Invalid when the batch is not there or not done, when files of its sources' logs were compacted beyond it,
/// and for a checkpoint with state, whose versions before `batch` + 1 may be gone.
arrow::Result<Rewind> PlanRewind(FileSystem& file_system, const std::string& directory, int64_t batch);

/// Moves the files aside. The query must not run.
/// Crash: commits go before offsets, newest first, so that any part of it is a checkpoint of a batch in between.
arrow::Status ApplyRewind(FileSystem& file_system, const std::string& directory, const Rewind& rewind);

}  // namespace millrace::cli
