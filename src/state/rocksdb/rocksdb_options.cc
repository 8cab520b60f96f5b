#include "state/rocksdb/rocksdb_options.h"

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <memory>
#include <string>

#include "base/error.h"
#include "state/rocksdb/local_env.h"

namespace millrace::state {

arrow::Status FromRocksDb(const rocksdb::Status& status, std::string_view what) {
  if (status.ok()) return arrow::Status::OK();
  if (status.IsCorruption()) {
    arrow::Status error = UserError("CANNOT_LOAD_STATE_STORE.UNCATEGORIZED");
    return error.WithMessage(error.message(), "\nRocksDB, ", what, ": ", status.ToString());
  }
  return WorldError("RocksDB, " + std::string(what) + ": " + status.ToString());
}

namespace {

constexpr size_t kBlockCacheBytes = size_t{64} << 20;

class NullLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

}  // namespace

rocksdb::Options RocksDbOptions() {
  rocksdb::Options options;
  options.max_background_jobs = 2;
  options.env = UnsyncedRocksDbEnv();
  // Stores are many, small, and often opened: nothing is reserved on the disk, looked at or kept that the checkpoint
  // has.
  options.allow_fallocate = false;
  options.avoid_flush_during_shutdown = true;
  options.skip_stats_update_on_db_open = true;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  // A log of its own for each store would be written at every start.
  options.info_log = std::make_shared<NullLogger>();
  rocksdb::BlockBasedTableOptions table;
  table.format_version = 5;  // as spark.sql.streaming.stateStore.rocksdb.formatVersion
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
  // One for all stores of the process: a query may have hundreds.
  static const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(kBlockCacheBytes);
  table.block_cache = cache;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

}  // namespace millrace::state
