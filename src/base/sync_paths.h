#pragma once

#include <arrow/status.h>

#include <string>
#include <vector>

namespace millrace {

/// FileSystem::SyncAll of the machine's own file system.
///
/// Each sync waits for the journal of the file system, milliseconds long, and those that wait at once share one write
/// of it: a few threads sync side by side. Many paths are synced by writing out the whole file system (syncfs), which
/// is one wait; unless much else is dirty, whose writing would be waited for too. Blocks; makes threads of its own,
/// since those of the engine's pool are for computing.
arrow::Status SyncLocalPaths(const std::vector<std::string>& files, const std::vector<std::string>& directories);

}  // namespace millrace
