#pragma once

#include <arrow/array/data.h>
#include <arrow/status.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "types/data_type.h"

/// Spark's two hashes of rows. Columns are folded left to right, each hash being the seed of the next; NULL leaves it
/// unchanged. Murmur3 with seed 42 decides which partition holds a row: pmod(hash, number of partitions).
/// Format: CHECKPOINT-FORMAT, "Which partition holds a key". All functions are thread-safe.

namespace millrace::expression {

/// The hash of each of `num_rows` rows, over the columns (Arrow form of `types`, `num_rows` values each).
std::vector<int32_t> Murmur3Hash(const std::vector<std::shared_ptr<arrow::ArrayData>>& columns,
                                 const std::vector<types::DataTypePtr>& types, int64_t num_rows, int32_t seed = 42);
std::vector<int64_t> XxHash64(const std::vector<std::shared_ptr<arrow::ArrayData>>& columns,
                              const std::vector<types::DataTypePtr>& types, int64_t num_rows, int64_t seed = 42);

int32_t Murmur3Int(int32_t value, int32_t seed);
int32_t Murmur3Long(int64_t value, int32_t seed);
int32_t Murmur3Bytes(std::string_view bytes, int32_t seed);

/// The remainder with the sign of the divisor: `Pmod(hash, n)` is 0 … n-1.
constexpr int32_t Pmod(int32_t value, int32_t divisor) {
  int32_t rest = value % divisor;
  return rest < 0 ? rest + divisor : rest;
}

}  // namespace millrace::expression
