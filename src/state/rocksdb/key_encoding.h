#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>

#include "state/store.h"

namespace millrace::state {

/// Keys and values as Spark's RocksDB store writes them: a version byte and the row; keys of stores that are scanned by
/// a prefix as size of the prefix row (with its byte), prefix row, the other columns' row. Immutable, thread-safe.
class RocksDbEncoding {
 public:
  explicit RocksDbEncoding(const StateStoreSchema& schema);

  void EncodeKey(std::string_view key, std::string* out) const;
  void EncodePrefix(std::string_view prefix, std::string* out) const;
  /// Errors: Invalid.
  arrow::Result<std::string_view> DecodeKey(std::string_view bytes, std::string* scratch) const;
  static void EncodeValue(std::string_view value, std::string* out);
  static arrow::Result<std::string_view> DecodeValue(std::string_view bytes);

 private:
  std::vector<types::DataTypePtr> key_types_;
  size_t num_prefix_columns_;
};

}  // namespace millrace::state
