#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/ascii.h"

namespace millrace {

/// Options of a reader or writer: keys in any case, values as the user wrote them. A value type.
class Options {
 public:
  Options() = default;

  void Set(std::string key, std::string value) {
    std::string lower = ToLowerAscii(key);
    values_[std::move(lower)] = Entry{std::move(key), std::move(value)};
  }
  std::optional<std::string> Get(std::string_view key) const {
    auto it = values_.find(ToLowerAscii(key));
    if (it == values_.end()) return std::nullopt;
    return it->second.value;
  }
  std::string GetOr(std::string_view key, std::string_view fallback) const {
    return Get(key).value_or(std::string(fallback));
  }
  bool Has(std::string_view key) const { return values_.count(ToLowerAscii(key)) > 0; }

  /// "true"/"false" in any case. Errors: Invalid naming option and value.
  arrow::Result<bool> GetBool(std::string_view key, bool fallback) const;
  arrow::Result<int64_t> GetInt64(std::string_view key, int64_t fallback) const;

  struct Entry {
    std::string key;  ///< as the user wrote it
    std::string value;
  };
  /// By lower-case key.
  const std::map<std::string, Entry>& entries() const { return values_; }

 private:
  std::map<std::string, Entry> values_;
};

}  // namespace millrace
