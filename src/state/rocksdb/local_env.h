#pragma once

#include <rocksdb/env.h>

namespace millrace::state {

/// The machine's own file system for RocksDB folders that need not survive anything: nothing is synced, since the
/// checkpoint has what is to last. A flush or a RocksDB checkpoint would else wait for the disk several times. Living
/// as long as the process.
rocksdb::Env* UnsyncedRocksDbEnv();

}  // namespace millrace::state
