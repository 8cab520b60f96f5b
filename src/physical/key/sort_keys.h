#pragma once

#include <arrow/array.h>
#include <arrow/result.h>

#include <cstdint>
#include <cstring>
#include <vector>

namespace millrace::physical {

struct KeyOrder {
  bool ascending = true;
  bool nulls_first = true;
};

/// Rows of sort keys as byte strings whose byte order is Spark's order of the rows: NaN is the largest number,
/// -0.0 equals 0.0, strings go by their bytes, arrays and structs by their elements with NULL smallest.
class SortKeys {
 public:
  /// `orders` aligns with `columns`.
  arrow::Status Encode(const arrow::ArrayVector& columns, const std::vector<KeyOrder>& orders, int64_t num_rows);

  int64_t num_rows() const { return static_cast<int64_t>(prefixes_.size()); }
  /// Row numbers in order, equal rows in the order they came; only the first `limit`.
  std::vector<int32_t> SortedRows(int64_t limit) const;

  /// Below 0, 0, above 0: row i of this against row j of `other`.
  int Compare(int64_t i, const SortKeys& other, int64_t j) const {
    if (prefixes_[i] != other.prefixes_[j]) return prefixes_[i] < other.prefixes_[j] ? -1 : 1;
    uint64_t size = offsets_[i + 1] - offsets_[i];
    uint64_t other_size = other.offsets_[j + 1] - other.offsets_[j];
    int order = std::memcmp(bytes_.data() + offsets_[i], other.bytes_.data() + other.offsets_[j],
                            size < other_size ? size : other_size);
    if (order != 0 || size == other_size) return order;
    return size < other_size ? -1 : 1;
  }

 private:
  std::vector<uint8_t> bytes_;
  std::vector<uint64_t> offsets_;
  /// The first 8 bytes of each row, big-endian: decides most comparisons.
  std::vector<uint64_t> prefixes_;
};

}  // namespace millrace::physical
