#pragma once

#include <arrow/status.h>

#include <string>
#include <vector>

#include "base/file_system.h"

namespace millrace {

/// A file system that can sync many paths at once; both of ours can.
class PathSyncer {
 public:
  virtual ~PathSyncer() = default;
  virtual arrow::Status SyncAll(const std::vector<std::string>& files, const std::vector<std::string>& directories) = 0;
};

/// Makes the bytes of `files`, which are written and closed, and the names in `directories` survive a crash of the
/// machine: as syncing each, but the disk is waited for about once, not once a path. In no order among them.
/// REQUIRES: `file_system` is a PathSyncer. Errors: IOErrors naming a path; KeyError when one does not exist.
arrow::Status SyncAll(FileSystem* file_system, const std::vector<std::string>& files,
                      const std::vector<std::string>& directories);

/// SyncAll of the machine's own file system.
///
/// Each sync waits for the journal of the file system, milliseconds long, and those that wait at once share one write
/// of it: a few threads sync side by side. Many paths are synced by writing out the whole file system (syncfs), which
/// is one wait; unless much else is dirty, whose writing would be waited for too. Blocks; makes threads of its own,
/// since those of the engine's pool are for computing.
arrow::Status SyncLocalPaths(const std::vector<std::string>& files, const std::vector<std::string>& directories);

}  // namespace millrace
