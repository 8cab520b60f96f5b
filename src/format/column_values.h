#pragma once

#include <arrow/util/bit_util.h>

#include <cstdint>
#include <string_view>

namespace millrace::format {

/// The buffers of one Arrow column of a batch, for encoders that go row by row. A view: the column must live on.
struct ColumnValues {
  const uint8_t* values = nullptr;
  const int32_t* offsets = nullptr;
  /// Null: no row is NULL.
  const uint8_t* validity = nullptr;
  int64_t offset = 0;
  bool all_null = false;

  bool IsNull(int64_t row) const {
    return all_null || (validity != nullptr && !arrow::bit_util::GetBit(validity, offset + row));
  }
  template <typename T>
  T Value(int64_t row) const {
    return reinterpret_cast<const T*>(values)[offset + row];
  }
  /// REQUIRES: a column of strings or bytes.
  std::string_view Bytes(int64_t row) const {
    int32_t begin = offsets[offset + row];
    return {reinterpret_cast<const char*>(values) + begin, static_cast<size_t>(offsets[offset + row + 1] - begin)};
  }
};

}  // namespace millrace::format
