#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "expression/compare.h"

namespace millrace::function {

/// Distinct elements of one array row: places in a child column, NULL equal to NULL. Small sets are searched one by
/// one, larger ones by hash. Reused from row to row.
class ElementSet {
 public:
  ElementSet(const types::DataType& type, const arrow::ArrayData& values) : type_(type), values_(values) {}

  void Clear() {
    items_.clear();
    by_hash_.clear();
  }

  bool Contains(int64_t index) const {
    if (items_.size() <= kSmall) {
      for (int64_t item : items_) {
        if (expression::SameOrBothNull(type_, values_, index, values_, item)) return true;
      }
      return false;
    }
    auto [begin, end] = by_hash_.equal_range(Hash(index));
    for (auto it = begin; it != end; ++it) {
      if (expression::SameOrBothNull(type_, values_, index, values_, it->second)) return true;
    }
    return false;
  }

  /// False when an equal element is there already.
  bool Insert(int64_t index) {
    if (Contains(index)) return false;
    items_.push_back(index);
    if (items_.size() > kSmall) {
      if (by_hash_.empty()) {
        for (int64_t item : items_) by_hash_.emplace(Hash(item), item);
      } else {
        by_hash_.emplace(Hash(index), index);
      }
    }
    return true;
  }

 private:
  static constexpr size_t kSmall = 16;
  uint64_t Hash(int64_t index) const {
    return values_.IsNull(index) ? 0 : expression::HashValue(type_, values_, index);
  }

  const types::DataType& type_;
  const arrow::ArrayData& values_;
  std::vector<int64_t> items_;
  std::unordered_multimap<uint64_t, int64_t> by_hash_;
};

}  // namespace millrace::function
