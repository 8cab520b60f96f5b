#pragma once

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/datum.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/util/bit_util.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "expression/eval_context.h"

/// How kernels read columns: a typed view over an array or a scalar, without a virtual call or a branch on the kind
/// inside the loop, and loops over rows that keep validity apart from values.

namespace millrace::expression {

/// Typed view of a fixed-width column. T is the C type of the Arrow storage (int64_t for timestamps).
template <typename T>
class FixedColumn {
 public:
  explicit FixedColumn(const arrow::Datum& datum) {
    if (datum.is_scalar()) {
      const auto& scalar = static_cast<const arrow::internal::PrimitiveScalarBase&>(*datum.scalar());
      is_scalar_ = true;
      scalar_valid_ = scalar.is_valid;
      if (scalar.is_valid) std::memcpy(&scalar_value_, scalar.data(), sizeof(T));
      values_ = &scalar_value_;
    } else {
      const arrow::ArrayData& data = *datum.array();
      values_ = data.GetValues<T>(1);
      offset_ = data.offset;
      if (data.GetNullCount() > 0) validity_ = data.buffers[0]->data();
    }
  }
  FixedColumn(const FixedColumn&) = delete;

  bool IsNull(int64_t i) const {
    if (is_scalar_) return !scalar_valid_;
    return validity_ != nullptr && !arrow::bit_util::GetBit(validity_, i + offset_);
  }
  T operator[](int64_t i) const { return values_[is_scalar_ ? 0 : i]; }
  bool may_have_nulls() const { return is_scalar_ ? !scalar_valid_ : validity_ != nullptr; }
  /// The values from row 0 on; one value when is_scalar().
  const T* data() const { return values_; }
  bool is_scalar() const { return is_scalar_; }

 private:
  const T* values_ = nullptr;
  const uint8_t* validity_ = nullptr;
  int64_t offset_ = 0;
  T scalar_value_{};
  bool is_scalar_ = false;
  bool scalar_valid_ = true;
};

/// Typed view of a boolean column.
class BooleanColumn {
 public:
  explicit BooleanColumn(const arrow::Datum& datum) {
    if (datum.is_scalar()) {
      is_scalar_ = true;
      scalar_valid_ = datum.scalar()->is_valid;
      scalar_value_ = scalar_valid_ && static_cast<const arrow::BooleanScalar&>(*datum.scalar()).value;
    } else {
      const arrow::ArrayData& data = *datum.array();
      bits_ = data.buffers[1]->data();
      offset_ = data.offset;
      if (data.GetNullCount() > 0) validity_ = data.buffers[0]->data();
    }
  }
  bool IsNull(int64_t i) const {
    if (is_scalar_) return !scalar_valid_;
    return validity_ != nullptr && !arrow::bit_util::GetBit(validity_, i + offset_);
  }
  bool operator[](int64_t i) const { return is_scalar_ ? scalar_value_ : arrow::bit_util::GetBit(bits_, i + offset_); }
  bool may_have_nulls() const { return is_scalar_ ? !scalar_valid_ : validity_ != nullptr; }

 private:
  const uint8_t* bits_ = nullptr;
  const uint8_t* validity_ = nullptr;
  int64_t offset_ = 0;
  bool is_scalar_ = false;
  bool scalar_valid_ = true;
  bool scalar_value_ = false;
};

/// Typed view of a string or binary column (32-bit offsets).
class StringColumn {
 public:
  explicit StringColumn(const arrow::Datum& datum) {
    if (datum.is_scalar()) {
      is_scalar_ = true;
      const auto& scalar = static_cast<const arrow::BaseBinaryScalar&>(*datum.scalar());
      scalar_valid_ = scalar.is_valid;
      if (scalar.is_valid) scalar_value_ = scalar.view();
    } else {
      const arrow::ArrayData& data = *datum.array();
      offsets_ = data.GetValues<int32_t>(1);
      bytes_ = data.buffers[2] == nullptr ? nullptr : reinterpret_cast<const char*>(data.buffers[2]->data());
      offset_ = data.offset;
      if (data.GetNullCount() > 0) validity_ = data.buffers[0]->data();
    }
  }
  bool IsNull(int64_t i) const {
    if (is_scalar_) return !scalar_valid_;
    return validity_ != nullptr && !arrow::bit_util::GetBit(validity_, i + offset_);
  }
  std::string_view operator[](int64_t i) const {
    if (is_scalar_) return scalar_value_;
    return {bytes_ + offsets_[i], static_cast<size_t>(offsets_[i + 1] - offsets_[i])};
  }
  bool may_have_nulls() const { return is_scalar_ ? !scalar_valid_ : validity_ != nullptr; }

 private:
  const int32_t* offsets_ = nullptr;
  const char* bytes_ = nullptr;
  const uint8_t* validity_ = nullptr;
  int64_t offset_ = 0;
  std::string_view scalar_value_;
  bool is_scalar_ = false;
  bool scalar_valid_ = true;
};

/// The column view that reads C type T (bool, std::string_view, or a fixed-width type).
template <typename T>
using ColumnOf =
    std::conditional_t<std::is_same_v<T, bool>, BooleanColumn,
                       std::conditional_t<std::is_same_v<T, std::string_view>, StringColumn, FixedColumn<T>>>;

/// Fixed-width result: `fn(i, &out) -> arrow::Status | void` for every row where no input is null; the others are null.
/// For functions that give NULL themselves, use a builder.
template <typename Out, typename Fn, typename... Columns>
arrow::Result<arrow::Datum> MapFixed(const EvalContext& context, const std::shared_ptr<arrow::DataType>& type,
                                     int64_t num_rows, Fn&& fn, const Columns&... columns) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> values,
                        arrow::AllocateBuffer(num_rows * static_cast<int64_t>(sizeof(Out)), context.memory_pool));
  auto* out = reinterpret_cast<Out*>(values->mutable_data());
  std::shared_ptr<arrow::Buffer> validity;
  int64_t null_count = 0;
  auto one = [&](int64_t i) -> arrow::Status {
    if constexpr (std::is_void_v<decltype(fn(i, out))>) {
      fn(i, out + i);
      return arrow::Status::OK();
    } else {
      return fn(i, out + i);
    }
  };
  if ((columns.may_have_nulls() || ...)) {
    ARROW_ASSIGN_OR_RAISE(validity, arrow::AllocateEmptyBitmap(num_rows, context.memory_pool));
    uint8_t* bits = validity->mutable_data();
    for (int64_t i = 0; i < num_rows; ++i) {
      if ((columns.IsNull(i) || ...)) {
        out[i] = Out{};
        ++null_count;
      } else {
        arrow::bit_util::SetBit(bits, i);
        ARROW_RETURN_NOT_OK(one(i));
      }
    }
  } else {
    for (int64_t i = 0; i < num_rows; ++i) ARROW_RETURN_NOT_OK(one(i));
  }
  return arrow::Datum(arrow::ArrayData::Make(type, num_rows, {std::move(validity), std::move(values)}, null_count));
}

/// Result through a builder: `fn(i) -> arrow::Status` appends exactly one value (or null) for each row where no input
/// is null; null rows get AppendNull.
template <typename Builder, typename Fn, typename... Columns>
arrow::Result<arrow::Datum> MapBuilt(Builder& builder, int64_t num_rows, Fn&& fn, const Columns&... columns) {
  ARROW_RETURN_NOT_OK(builder.Reserve(num_rows));
  for (int64_t i = 0; i < num_rows; ++i) {
    if ((columns.IsNull(i) || ...)) {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
    } else {
      ARROW_RETURN_NOT_OK(fn(i));
    }
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> array, builder.Finish());
  return arrow::Datum(std::move(array));
}

/// Runs a kernel written for arrays when all arguments are scalars: evaluates one row and gives its scalar.
template <typename Fn>
arrow::Result<arrow::Datum> OneRowIfScalars(const std::vector<arrow::Datum>& arguments, int64_t num_rows, Fn&& fn) {
  for (const arrow::Datum& argument : arguments) {
    if (!argument.is_scalar()) return fn(num_rows);
  }
  ARROW_ASSIGN_OR_RAISE(arrow::Datum one, fn(int64_t{1}));
  if (one.is_scalar()) return one;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Scalar> scalar, one.make_array()->GetScalar(0));
  return arrow::Datum(std::move(scalar));
}

/// Calls `fn(l, r, i)` for all rows, null or not, in loops that the compiler can vectorise.
template <typename T, typename Fn>
void ForEachPair(const FixedColumn<T>& left, const FixedColumn<T>& right, int64_t num_rows, Fn&& fn) {
  const T* l = left.data();
  const T* r = right.data();
  if (left.is_scalar() && right.is_scalar()) {
    for (int64_t i = 0; i < num_rows; ++i) fn(*l, *r, i);
  } else if (left.is_scalar()) {
    const T value = *l;
    for (int64_t i = 0; i < num_rows; ++i) fn(value, r[i], i);
  } else if (right.is_scalar()) {
    const T value = *r;
    for (int64_t i = 0; i < num_rows; ++i) fn(l[i], value, i);
  } else {
    for (int64_t i = 0; i < num_rows; ++i) fn(l[i], r[i], i);
  }
}

/// Whether some argument is a NULL scalar: the result of most functions is NULL for all rows then.
bool AnyNullScalar(const std::vector<arrow::Datum>& arguments);
/// A bitmap from bit 0 on of the rows where every array argument is valid; null when all rows are.
arrow::Result<std::shared_ptr<arrow::Buffer>> CombinedValidity(const std::vector<arrow::Datum>& arguments,
                                                               int64_t num_rows, arrow::MemoryPool* pool);

/// `datum` as an array of `num_rows` values.
arrow::Result<std::shared_ptr<arrow::Array>> ToArray(const arrow::Datum& datum, int64_t num_rows,
                                                     arrow::MemoryPool* pool);

/// The same values under `type`, which differs from the array's type in names and nullability of nested fields only.
std::shared_ptr<arrow::ArrayData> WithType(const std::shared_ptr<arrow::ArrayData>& data,
                                           const std::shared_ptr<arrow::DataType>& type);

/// Rows of `batch` at `indices` (int32/int64), only the columns in `columns`; the other columns have the right
/// type and unspecified values. Used to evaluate a branch for the rows that take it.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> TakeColumns(const arrow::RecordBatch& batch,
                                                               const arrow::Array& indices,
                                                               const std::vector<int>& columns,
                                                               arrow::MemoryPool* pool);

}  // namespace millrace::expression
