#include "state/rocksdb/local_folder.h"

#include <filesystem>
#include <system_error>

#include "base/file_system.h"
#include "base/ids.h"

namespace millrace::state {

LocalFolder::LocalFolder(const StateStoreConf& conf)
    : path_(JoinPath(
          conf.local_directory.empty() ? std::filesystem::temp_directory_path().string() : conf.local_directory,
          "millrace-rocksdb-" + RandomUuid())) {}

LocalFolder::~LocalFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace millrace::state
