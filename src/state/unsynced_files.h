#pragma once

#include <arrow/status.h>

#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/file_system.h"

namespace millrace::state {

/// Files of a micro-batch that are written but may not survive a loss of power yet: they are synced together, so that
/// the disk is waited for once a batch and not once a store. Thread-safe.
class UnsyncedFiles {
 public:
  /// A file under its final name, closed; its directory's names are meant too.
  void AddFile(std::string path);
  void AddDirectory(std::string path);

  /// Makes all that were added survive, and forgets them, also when it fails.
  arrow::Status Sync(FileSystem* file_system);

 private:
  std::mutex mutex_;
  std::vector<std::string> files_;
  std::set<std::string> directories_;
};

}  // namespace millrace::state
