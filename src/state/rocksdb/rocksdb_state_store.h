#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "state/rocksdb/key_encoding.h"
#include "state/rocksdb/local_folder.h"
#include "state/rocksdb/rocksdb_files.h"
#include "state/state_stores.h"

namespace millrace::state {

/// Spark's RocksDBStateStoreProvider: state larger than memory. Rows lie in a RocksDB on the machine's own disk; what a
/// micro-batch reads and changes is in memory until it commits. Each version is a snapshot, or, with changelog
/// checkpointing, a changelog and now and then a snapshot.
/// Format: docs/formats/state_rocksdb.md.
class RocksDbStateStoreProvider final : public StateStoreProvider {
 public:
  /// `unsynced` gets the files of commits; null where nothing is committed.
  RocksDbStateStoreProvider(FileSystem* file_system, std::string directory, StateStoreId id, StateStoreSchema schema,
                            StateStoreConf conf, UnsyncedFiles* unsynced);
  ~RocksDbStateStoreProvider() override;

  using StateStoreProvider::Open;
  arrow::Result<StateStore*> Open(StateVersion version, const std::string& unique_id) override;
  arrow::Status Maintain() override;

  /// As Open, from exactly the snapshot `snapshot` and the changelogs after it.
  arrow::Result<StateStore*> OpenFrom(StateVersion snapshot, StateVersion version, const std::string& unique_id);
  /// Before ReadChanges of versions up to `version` and back to `earliest`: learns their ids.
  arrow::Status FindIds(int64_t earliest, int64_t version, const std::string& unique_id) {
    return files_.FindIds(earliest, version, unique_id);
  }
  /// Visits what `version` changed, rows as the store has them; value.data() == nullptr: removed. Errors:
  /// CANNOT_LOAD_STATE_STORE.CANNOT_READ_STREAMING_STATE_FILE where it has no changelog.
  arrow::Status ReadChanges(int64_t version, const StateRecordVisitor& visit) const;

 private:
  class Store;

  RocksDbEncoding encoding() const { return {schema_, conf_.has_row_checksums ? id_.ToString() : std::string()}; }

  RocksDbFiles files_;
  StateStoreId id_;
  StateStoreSchema schema_;
  StateStoreConf conf_;
  LocalFolder local_folder_;  // outlives what is open in it
  std::atomic<int64_t> committed_version_{0};
  std::atomic<int64_t> last_snapshot_{-1};
  std::unique_ptr<Store> store_;
};

}  // namespace millrace::state
