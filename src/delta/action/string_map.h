#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::delta {

/// Configuration, tags, format options.
using StringMap = std::map<std::string, std::string, std::less<>>;

/// Physical name of a partition column → the text of its value, or none for NULL; in the table's column order.
class PartitionValues {
 public:
  using Entry = std::pair<std::string, std::optional<std::string>>;

  PartitionValues() = default;
  explicit PartitionValues(std::vector<Entry> entries) : entries_(std::move(entries)) {}

  void Add(std::string column, std::optional<std::string> value) {
    entries_.emplace_back(std::move(column), std::move(value));
  }
  /// Null when the column is not there.
  const std::optional<std::string>* Find(std::string_view column) const {
    for (const Entry& entry : entries_) {
      if (entry.first == column) return &entry.second;
    }
    return nullptr;
  }
  const std::vector<Entry>& entries() const { return entries_; }
  bool empty() const { return entries_.empty(); }
  bool operator==(const PartitionValues&) const = default;

 private:
  std::vector<Entry> entries_;
};

}  // namespace millrace::delta
