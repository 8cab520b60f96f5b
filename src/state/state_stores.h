#pragma once

#include <arrow/result.h>

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/file_system.h"
#include "state/store.h"
#include "state/unsynced_files.h"

namespace millrace::state {

inline constexpr std::string_view kHdfsBackedProvider =
    "org.apache.spark.sql.execution.streaming.state.HDFSBackedStateStoreProvider";
inline constexpr std::string_view kRocksDbProvider =
    "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider";

/// spark.sql.streaming.* settings of the query's stores.
struct StateStoreConf {
  std::string provider_class{kHdfsBackedProvider};
  std::string compression_codec = "lz4";    ///< stateStore.compression.codec: lz4, zstd, snappy, lzf
  int64_t min_versions_to_retain = 100;     ///< minBatchesToRetain
  int64_t min_deltas_for_snapshot = 10;     ///< stateStore.minDeltasForSnapshot
  int64_t maintenance_interval_ms = 60000;  ///< stateStore.maintenanceInterval
  bool schema_check = true;                 ///< stateStore.stateSchemaCheck
  /// stateStore.rocksdb.changelogCheckpointing.enabled
  bool rocksdb_changelog = false;
  /// stateStore.rocksdb.mergeOperatorVersion = 1: lists have commas between what was appended.
  bool rocksdb_merges_with_comma = false;
  /// stateStore.checkpointFormatVersion 2: each version of a store has an id of its own in its files' names.
  bool has_unique_ids = false;
  /// stateStore.rowChecksum.enabled: each row has a checksum before it (row_checksum.h).
  bool has_row_checksums = false;
  Durability durability = Durability::kMachine;
  /// A folder of this machine for what RocksDB works on; empty: one below the system's temporary folder.
  std::string local_directory;
};

/// A stateful operator as the checkpoint knows it.
struct StatefulOperatorInfo {
  int64_t operator_id = 0;
  std::string operator_name;  ///< "stateStoreSave", "dedupe", "symmetricHashJoin" …
  struct Store {
    std::string name{kDefaultStoreName};
    StateStoreSchema schema;
    /// False where Spark does not compare the value's schema at a restart (dropDuplicates).
    bool validates_value = true;
    /// Below 2 Spark reads a schema file that is there and writes none: where it checks schemas, no query starts.
    int schema_version = 2;
  };
  std::vector<Store> stores = {};
  int num_partitions = 1;
  /// A store of column families (transformWithState) instead: the only one, which needs RocksDB.
  struct Family {
    std::string name;
    types::DataTypePtr key;
    types::DataTypePtr value;
    std::string key_encoder_json;
    types::DataTypePtr user_key = nullptr;  ///< of maps
  };
  std::vector<Family> families = {};
  bool has_families = false;
  /// With families: "operatorPropertiesJson".
  std::string properties_json = {};
};

/// Keeps one store's versions in files. One for each StateStoreId.
/// Thread: Open and the store from one task at a time; Maintain from the maintenance thread.
class StateStoreProvider {
 public:
  virtual ~StateStoreProvider() = default;
  /// The store at `version`, of the files with `unique_id` (empty: those of checkpoint format 1); what was changed and
  /// not committed is gone.
  virtual arrow::Result<StateStore*> Open(StateVersion version, const std::string& unique_id) = 0;
  arrow::Result<StateStore*> Open(StateVersion version) { return Open(version, {}); }
  /// Writes a snapshot when due, removes versions that nobody asks for any more.
  virtual arrow::Status Maintain() = 0;
};

/// All state of one run of a query: `<checkpoint>/state`.
///
/// Life: DeclareOperators for all stateful operators when the query starts (driver thread) → for each micro-batch Open
/// each (operator, partition, store) from the task that owns the partition, at version == batch id → Commit each, Sync
/// all → destroyed when the query ends. Format: docs/formats/state_store.md. Thread: Open is thread-safe.
class StateStores {
 public:
  StateStores(FileSystem* file_system, std::string directory, StateStoreConf conf);
  ~StateStores();
  StateStores(const StateStores&) = delete;
  StateStores& operator=(const StateStores&) = delete;

  /// Says what all stateful operators of the query are, once a run. Writes their metadata and schema files, or checks
  /// those that are there: another operator under an id, other schemas are UserErrors of Spark's conditions
  /// (STREAMING_STATEFUL_OPERATOR_NOT_MATCH_IN_STATE_METADATA, STATE_STORE_KEY_SCHEMA_NOT_COMPATIBLE …) and nothing is
  /// changed. `batch_id`: the first micro-batch of the run; above 0 one was committed before.
  arrow::Status DeclareOperators(const std::vector<StatefulOperatorInfo>& operators, int64_t batch_id);

  /// REQUIRES: the operator was declared, and nobody else has this store open.
  arrow::Result<StateStore*> Open(const StateStoreId& id, StateVersion version, const std::string& unique_id = {});

  /// Makes all versions that stores committed since the last call survive a crash of the machine (with Durability::
  /// kProcess nothing is to do). Nothing that depends on them may be shown before: the sink commits after it.
  arrow::Status Sync() { return unsynced_.Sync(file_system_); }

  /// Maintains all stores once, on the calling thread.
  arrow::Status Maintain();
  /// Maintains them on a thread of its own, each maintenance_interval_ms, until StopMaintenance.
  void StartMaintenance();
  /// Ends that thread: from now on another run, or another engine, may own the files.
  void StopMaintenance();

  const std::string& directory() const { return directory_; }

 private:
  arrow::Result<StateStoreProvider*> ProviderOf(const StateStoreId& id);
  void RunMaintenance();

  FileSystem* file_system_;
  std::string directory_;
  StateStoreConf conf_;
  UnsyncedFiles unsynced_;

  std::mutex mutex_;
  std::map<int64_t, StatefulOperatorInfo> operators_;
  std::map<StateStoreId, std::unique_ptr<StateStoreProvider>> providers_;

  std::mutex maintenance_mutex_;
  std::condition_variable maintenance_wake_;
  bool stopping_ = false;
  std::thread maintenance_;
};

/// `<state directory>/<operator>/<partition>[/<store>]`: the default store has no folder of its own.
std::string StoreDirectory(const std::string& state_directory, const StateStoreId& id);

}  // namespace millrace::state
