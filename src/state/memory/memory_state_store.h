#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "state/memory/prefix_index.h"
#include "state/memory/row_table.h"
#include "state/state_stores.h"
#include "state/version_files.h"

namespace millrace::state {

/// Spark's default store, HDFSBackedStateStoreProvider: all rows in memory, each version a delta file.
class MemoryStateStoreProvider final : public StateStoreProvider {
 public:
  MemoryStateStoreProvider(FileSystem* file_system, std::string directory, StateStoreId id, StateStoreSchema schema,
                           StateStoreConf conf, UnsyncedFiles* unsynced);
  ~MemoryStateStoreProvider() override;

  arrow::Result<StateStore*> Open(StateVersion version, const std::string& unique_id) override;
  using StateStoreProvider::Open;
  arrow::Status Maintain() override;

 private:
  class Store;

  VersionFiles files_;
  StateStoreId id_;
  StateStoreSchema schema_;
  StateStoreConf conf_;
  std::atomic<int64_t> committed_version_{0};
  std::atomic<int64_t> last_snapshot_{-1};
  // How often the wished-for version was in memory, and not.
  int64_t num_hits_ = 0;
  int64_t num_loads_ = 0;
  std::unique_ptr<Store> store_;
};

}  // namespace millrace::state
