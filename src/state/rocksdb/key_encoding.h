#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>

#include "state/store.h"

namespace millrace::state {

/// Keys and values as Spark's RocksDB store writes them: a version byte and the row; keys of stores that are scanned by
/// a prefix as size of the prefix row (with its byte), prefix row, the other columns' row. With row checksums these
/// stand before values (row_checksum.h), and in changelogs before keys that were removed. Immutable, thread-safe.
class RocksDbEncoding {
 public:
  /// `checked_store`: rows have checksums, and the store is called so; empty: they have none.
  RocksDbEncoding(const StateStoreSchema& schema, std::string checked_store);

  void EncodeKey(std::string_view key, std::string* out) const;
  void EncodePrefix(std::string_view prefix, std::string* out) const;
  /// Errors: Invalid.
  arrow::Result<std::string_view> DecodeKey(std::string_view bytes, std::string* scratch) const;
  /// `key`: as EncodeKey made it.
  void EncodeValue(std::string_view key, std::string_view value, std::string* out) const;
  /// Errors: Invalid; of checksums.
  arrow::Result<std::string_view> DecodeValue(std::string_view key, std::string_view bytes, std::string* scratch) const;
  /// An encoded key as changelogs say that it was removed.
  std::string_view EncodeRemoved(std::string_view key, std::string* scratch) const;
  arrow::Result<std::string_view> DecodeRemoved(std::string_view bytes) const;

 private:
  std::vector<types::DataTypePtr> key_types_;
  size_t num_prefix_columns_;
  std::string checked_store_;
};

}  // namespace millrace::state
