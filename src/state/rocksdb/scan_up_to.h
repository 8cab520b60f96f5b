#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "state/row_time.h"
#include "state/store.h"

namespace millrace::state {

/// StateStore::ScanUpTo by going through all rows, as Spark does: no order of RocksDB is that of time. `scan(visitor)`
/// visits them all.
template <typename Scan>
arrow::Status ScanAllUpTo(const StoreTime& time_of, int64_t time_us, const StateStore::Visitor& visit,
                          int64_t* earliest_us, const Scan& scan) {
  int64_t earliest = INT64_MAX;
  std::vector<StateEntry> due;
  ARROW_RETURN_NOT_OK(scan([&](std::span<const StateEntry> entries) {
    due.clear();
    for (const StateEntry& entry : entries) {
      std::optional<int64_t> time = time_of.Of(entry.key, entry.value);
      if (!time) continue;
      if (*time <= time_us) {
        due.push_back(entry);
      } else {
        earliest = std::min(earliest, *time);
      }
    }
    return due.empty() ? arrow::Status::OK() : visit(due);
  }));
  if (earliest_us != nullptr) *earliest_us = earliest;
  return arrow::Status::OK();
}

}  // namespace millrace::state
