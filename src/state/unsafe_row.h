#pragma once

#include <arrow/array/data.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "types/data_type.h"

/// Spark's UnsafeRow: null bits, one 8-byte slot a column, then what does not fit a slot; all in 8-byte words.
/// Format: docs/formats/state_unsafe_row.md

namespace millrace::state {

/// Rows in UnsafeRow bytes, one after another. Reused from batch to batch: Clear keeps the memory.
class UnsafeRows {
 public:
  int64_t num_rows() const { return static_cast<int64_t>(ends_.size()); }
  int64_t num_bytes() const { return ends_.empty() ? 0 : ends_.back(); }
  std::string_view row(int64_t i) const {
    int64_t begin = i == 0 ? 0 : ends_[static_cast<size_t>(i) - 1];
    return {bytes_.get() + begin, static_cast<size_t>(ends_[static_cast<size_t>(i)] - begin)};
  }
  std::string_view operator[](int64_t i) const { return row(i); }
  void Clear() { ends_.clear(); }
  void Append(std::string_view row);

 private:
  friend class UnsafeRowEncoder;
  void Reserve(int64_t num_bytes);

  std::unique_ptr<char[]> bytes_;
  int64_t capacity_ = 0;
  std::vector<int64_t> ends_;
};

/// Turns columns into rows, column by column. Immutable, thread-safe.
class UnsafeRowEncoder {
 public:
  enum class Floats : uint8_t {
    kAsTheyAre,
    kNormalized,  ///< one NaN, no -0.0: as Spark prepares grouping and join keys
  };

  explicit UnsafeRowEncoder(std::vector<types::DataTypePtr> types, Floats floats = Floats::kAsTheyAre);

  /// Replaces the content of `rows` by `num_rows` rows of `columns` (Arrow form of the types).
  void Encode(std::span<const std::shared_ptr<arrow::ArrayData>> columns, int64_t num_rows, UnsafeRows* rows) const;

  const std::vector<types::DataTypePtr>& types() const { return types_; }

 private:
  std::vector<types::DataTypePtr> types_;
  bool normalize_floats_;
};

/// Turns rows into columns. Immutable, thread-safe.
class UnsafeRowDecoder {
 public:
  explicit UnsafeRowDecoder(std::vector<types::DataTypePtr> types) : types_(std::move(types)) {}

  /// Columns of the Arrow form of the types. A row whose data() is nullptr is a row of NULLs.
  /// Errors: Invalid when bytes are not an UnsafeRow of these types (any bytes are safe to give).
  arrow::Result<std::vector<std::shared_ptr<arrow::ArrayData>>> Decode(std::span<const std::string_view> rows) const;
  arrow::Result<std::vector<std::shared_ptr<arrow::ArrayData>>> Decode(const UnsafeRows& rows) const;
  /// Only the column `ordinal` of the row type.
  arrow::Result<std::shared_ptr<arrow::ArrayData>> DecodeColumn(std::span<const std::string_view> rows,
                                                                int ordinal) const;

  const std::vector<types::DataTypePtr>& types() const { return types_; }

 private:
  std::vector<types::DataTypePtr> types_;
};

/// The types of a struct's fields.
std::vector<types::DataTypePtr> FieldTypes(const types::DataType& struct_type);

constexpr int64_t RoundUpToWord(int64_t num_bytes) { return (num_bytes + 7) & ~int64_t{7}; }
/// Bytes of the null bits of `num_fields` columns.
constexpr int64_t NullBitsBytes(int64_t num_fields) { return (num_fields + 63) / 64 * 8; }

/// Direct access to the fixed part of a row that is known to be well formed.
bool IsNullAt(std::string_view row, int ordinal);
int64_t LongAt(std::string_view row, int num_fields, int ordinal);

/// What java's UnsafeRow.hashCode gives: Murmur3 of the bytes (whole 4-byte words), seed 42.
uint32_t HashRow(std::string_view row);

}  // namespace millrace::state
