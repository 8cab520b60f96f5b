#include "state/unsynced_files.h"

#include <filesystem>

namespace millrace::state {

void UnsyncedFiles::AddFile(std::string path) {
  std::string directory = std::filesystem::path(path).parent_path().string();
  std::lock_guard lock(mutex_);
  files_.push_back(std::move(path));
  directories_.insert(std::move(directory));
}

void UnsyncedFiles::AddDirectory(std::string path) {
  std::lock_guard lock(mutex_);
  directories_.insert(std::move(path));
}

arrow::Status UnsyncedFiles::Sync(FileSystem* file_system) {
  std::vector<std::string> files, directories;
  {
    std::lock_guard lock(mutex_);
    files.swap(files_);
    directories.assign(directories_.begin(), directories_.end());
    directories_.clear();
  }
  if (files.empty() && directories.empty()) return arrow::Status::OK();
  return file_system->SyncAll(files, directories);
}

}  // namespace millrace::state
