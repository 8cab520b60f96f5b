#pragma once

#include <arrow/status.h>
#include <rocksdb/options.h>
#include <rocksdb/status.h>

#include <string_view>

namespace millrace::state {

/// How databases of state are opened.
rocksdb::Options RocksDbOptions();
/// Errors: UserError CANNOT_LOAD_STATE_STORE for damage, IOError of the world; `what` was being done.
arrow::Status FromRocksDb(const rocksdb::Status& status, std::string_view what);

}  // namespace millrace::state
