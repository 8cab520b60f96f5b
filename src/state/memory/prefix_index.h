#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "state/store.h"

namespace millrace::state {

/// Keys of a store by their first columns.
///
/// The prefix of a key is an UnsafeRow of these columns, encoded anew: Spark compares prefixes by their bytes.
/// Thread: confined.
class PrefixIndex {
 public:
  PrefixIndex(const types::DataType& key_type, int num_columns);

  void Add(std::string_view key);
  void Remove(std::string_view key);
  void Clear() { keys_.clear(); }
  /// nullptr when no key begins so.
  const std::vector<std::string>* Find(std::string_view prefix) const;

 private:
  std::string PrefixOf(std::string_view key) const;

  struct Column {
    bool is_variable;
    bool is_long_decimal;
  };
  std::vector<Column> columns_;
  int num_key_columns_;
  std::unordered_map<std::string, std::vector<std::string>> keys_;
};

}  // namespace millrace::state
