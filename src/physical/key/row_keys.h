#pragma once

#include <arrow/array.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace millrace::physical {

/// Rows of key columns as byte strings, equal exactly when Spark takes the rows for one group: NULL equals NULL, every
/// NaN equals every other, -0.0 equals 0.0, maps are equal whatever the order of their entries.
/// A row's bytes are a multiple of 8 long.
class RowKeys {
 public:
  /// Encodes `num_rows` rows; the arrays have that length. Buffers are reused by the next call.
  /// Errors: CapacityError when the keys of one batch exceed 4 GiB.
  arrow::Status Encode(const arrow::ArrayVector& columns, int64_t num_rows);

  int64_t num_rows() const { return num_rows_; }
  const uint8_t* row(int64_t i) const { return bytes_.data() + (fixed_ ? i * stride_ : offsets_[i]); }
  uint32_t size(int64_t i) const { return fixed_ ? stride_ : offsets_[i + 1] - offsets_[i]; }

 private:
  int64_t num_rows_ = 0;
  bool fixed_ = true;
  uint32_t stride_ = 0;
  std::vector<uint8_t> bytes_;
  std::vector<uint32_t> offsets_;
};

/// The column with 0.0 for -0.0, as Spark shows keys of groups (NormalizeFloatingNumbers); other types as they are.
arrow::Result<std::shared_ptr<arrow::Array>> WithoutNegativeZero(const std::shared_ptr<arrow::Array>& array,
                                                                 arrow::MemoryPool* pool);

/// A hash of a RowKeys row (not Spark's: see expression/murmur3.h for that). REQUIRES: size % 8 == 0.
inline uint64_t HashRowKey(const uint8_t* row, uint32_t size) {
  constexpr uint64_t kMultiplier = 0x9E3779B97F4A7C15u;
  uint64_t hash = 0x2545F4914F6CDD1Du ^ size;
  for (uint32_t i = 0; i < size; i += 8) {
    uint64_t word;
    __builtin_memcpy(&word, row + i, 8);
    unsigned __int128 product = static_cast<unsigned __int128>(hash ^ word) * kMultiplier;
    hash = static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }
  hash ^= hash >> 32;
  return hash * kMultiplier;
}

/// REQUIRES: size % 8 == 0.
inline bool EqualRowKeys(const uint8_t* a, const uint8_t* b, uint32_t size) {
  for (uint32_t i = 0; i < size; i += 8) {
    uint64_t x, y;
    __builtin_memcpy(&x, a + i, 8);
    __builtin_memcpy(&y, b + i, 8);
    if (x != y) return false;
  }
  return true;
}

}  // namespace millrace::physical
