#pragma once

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/result.h>
#include <arrow/util/bit_util.h>

#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

#include "types/data_type.h"

namespace millrace::function {

/// One fixed-width value a group. T is the C type of the column's storage; booleans are held as bytes.
template <typename T>
class GroupValues {
 public:
  using Stored = std::conditional_t<std::is_same_v<T, bool>, uint8_t, T>;

  explicit GroupValues(T initial = T{}, bool initially_valid = false)
      : initial_(initial), initially_valid_(initially_valid) {}

  void Resize(int64_t num_groups) {
    values_.resize(static_cast<size_t>(num_groups), initial_);
    valid_.resize(static_cast<size_t>(num_groups), initially_valid_ ? 1 : 0);
  }
  size_t size() const { return values_.size(); }
  Stored& operator[](size_t group) { return values_[group]; }
  const Stored& operator[](size_t group) const { return values_[group]; }
  bool IsValid(size_t group) const { return valid_[group] != 0; }
  void SetValid(size_t group, bool valid) { valid_[group] = valid ? 1 : 0; }
  void Set(size_t group, T value) {
    values_[group] = value;
    valid_[group] = 1;
  }

  /// A column of one value a group.
  arrow::Result<std::shared_ptr<arrow::Array>> ToArray(std::shared_ptr<arrow::DataType> type,
                                                       arrow::MemoryPool* pool) const {
    auto n = static_cast<int64_t>(values_.size());
    std::shared_ptr<arrow::Buffer> values, validity;
    int64_t null_count = 0;
    for (uint8_t valid : valid_) null_count += valid == 0;
    if (null_count > 0) {
      ARROW_ASSIGN_OR_RAISE(validity, arrow::AllocateEmptyBitmap(n, pool));
      for (int64_t i = 0; i < n; ++i) {
        if (valid_[static_cast<size_t>(i)] != 0) arrow::bit_util::SetBit(validity->mutable_data(), i);
      }
    }
    if constexpr (std::is_same_v<T, bool>) {
      ARROW_ASSIGN_OR_RAISE(values, arrow::AllocateEmptyBitmap(n, pool));
      for (int64_t i = 0; i < n; ++i) {
        if (values_[static_cast<size_t>(i)] != 0) arrow::bit_util::SetBit(values->mutable_data(), i);
      }
    } else {
      ARROW_ASSIGN_OR_RAISE(values, arrow::AllocateBuffer(n * static_cast<int64_t>(sizeof(T)), pool));
      if (n > 0) std::memcpy(values->mutable_data(), values_.data(), static_cast<size_t>(n) * sizeof(T));
    }
    return arrow::MakeArray(
        arrow::ArrayData::Make(std::move(type), n, {std::move(validity), std::move(values)}, null_count));
  }

 private:
  T initial_;
  bool initially_valid_;
  std::vector<Stored> values_;
  std::vector<uint8_t> valid_;
};

/// Calls `fn(std::type_identity<C type>())` for the storage of a fixed-width type; returns `otherwise` for the others.
template <typename Result, typename Fn>
Result WithStorageType(types::TypeId id, Result otherwise, Fn&& fn) {
  using types::TypeId;
  switch (id) {
    case TypeId::kBoolean:
      return fn(std::type_identity<bool>());
    case TypeId::kByte:
      return fn(std::type_identity<int8_t>());
    case TypeId::kShort:
      return fn(std::type_identity<int16_t>());
    case TypeId::kInteger:
    case TypeId::kDate:
    case TypeId::kYearMonthInterval:
      return fn(std::type_identity<int32_t>());
    case TypeId::kLong:
    case TypeId::kTimestamp:
    case TypeId::kTimestampNtz:
    case TypeId::kDayTimeInterval:
    case TypeId::kTime:
      return fn(std::type_identity<int64_t>());
    case TypeId::kFloat:
      return fn(std::type_identity<float>());
    case TypeId::kDouble:
      return fn(std::type_identity<double>());
    case TypeId::kDecimal:
      return fn(std::type_identity<__int128>());
    default:
      return otherwise;
  }
}

}  // namespace millrace::function
