#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace millrace::state {

/// Where the event time stands in UnsafeRows of some columns: a timestamp, or a window, whose end counts. Immutable.
class RowTime {
 public:
  RowTime(int num_columns, int index, bool is_window)
      : num_columns_(num_columns), index_(index), is_window_(is_window) {}

  /// In µs; nullopt for NULL or bytes that are no such row.
  std::optional<int64_t> Of(std::string_view row) const;

 private:
  int num_columns_;
  int index_;
  bool is_window_;
};

/// The event time of a store's rows: by it they are evicted (StateStore::ScanUpTo).
struct StoreTime {
  RowTime column;
  bool in_value = false;  ///< of the value's columns, not the key's

  std::optional<int64_t> Of(std::string_view key, std::string_view value) const {
    return column.Of(in_value ? value : key);
  }
};

}  // namespace millrace::state
