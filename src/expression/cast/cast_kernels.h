#pragma once

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/decimal.h>

#include <limits>
#include <memory>
#include <string>

#include "expression/cast.h"
#include "expression/vector.h"
#include "types/arrow_type.h"

/// What the families of casts share. Internal to expression/cast.

namespace millrace::expression {

/// One cast of one column.
struct CastInput {
  const EvalContext& context;
  std::shared_ptr<arrow::ArrayData> column;
  const types::DataType& from;
  const types::DataType& to;
  CastMode mode;

  int64_t length() const { return column->length; }
  /// Bad values raise; with kTry the same values are bad, but give NULL.
  bool raises() const { return mode == CastMode::kAnsi; }
  bool exact() const { return mode != CastMode::kLegacy; }
};

using CastResult = arrow::Result<std::shared_ptr<arrow::ArrayData>>;

CastResult CastColumnData(const CastInput& input);

CastResult CastFromString(const CastInput& input);
CastResult CastToText(const CastInput& input);
CastResult CastToBoolean(const CastInput& input);
CastResult CastToNumber(const CastInput& input);
CastResult CastToDecimal(const CastInput& input);
CastResult CastFromDecimal(const CastInput& input);
CastResult CastToDatetime(const CastInput& input);
CastResult CastFromDatetime(const CastInput& input);
CastResult CastToInterval(const CastInput& input);
CastResult CastFromInterval(const CastInput& input);
CastResult CastNested(const CastInput& input);
CastResult CastToBinary(const CastInput& input);
CastResult CastFromTime(const CastInput& input);
CastResult CastFromVariant(const CastInput& input);
CastResult CastToVariant(const CastInput& input);

enum class TextStyle : uint8_t {
  kCast,        ///< CAST … AS STRING
  kLegacyCast,  ///< the same with ANSI off: small decimals have an exponent
  kPretty,      ///< show(): NULL in capitals, binary as [01 0A]
};
/// The text of every value; nulls stay null at the top.
arrow::Result<std::shared_ptr<arrow::ArrayData>> TextOf(const EvalContext& context,
                                                        const std::shared_ptr<arrow::ArrayData>& column,
                                                        const types::DataType& type, TextStyle style);

/// CAST_OVERFLOW and CAST_INVALID_INPUT for the value of `row`.
arrow::Status CastOverflow(const CastInput& input, int64_t row);
arrow::Status CastInvalidInput(const CastInput& input, int64_t row);
/// NUMERIC_VALUE_OUT_OF_RANGE for a number written as `text`.
arrow::Status DecimalOutOfRange(const types::DataType& to, std::string_view text);

/// A fixed-width result: `convert(value, &out)` says whether the value is good; `fail(row)` is the error of a bad one.
template <typename Out, typename Column, typename Convert, typename Fail>
CastResult ConvertFixed(const CastInput& input, const Column& column, Convert&& convert, Fail&& fail) {
  const int64_t length = input.length();
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> values,
                        arrow::AllocateBuffer(length * static_cast<int64_t>(sizeof(Out)), input.context.memory_pool));
  auto* out = reinterpret_cast<Out*>(values->mutable_data());
  std::shared_ptr<arrow::DataType> type = types::ToArrow(input.to);
  if (!column.may_have_nulls()) {
    bool good = true;
    for (int64_t i = 0; i < length; ++i) good &= convert(column[i], out + i);
    if (good) return arrow::ArrayData::Make(std::move(type), length, {nullptr, std::move(values)}, 0);
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> validity,
                        arrow::AllocateEmptyBitmap(length, input.context.memory_pool));
  uint8_t* bits = validity->mutable_data();
  for (int64_t i = 0; i < length; ++i) {
    if (!column.IsNull(i)) {
      if (convert(column[i], out + i)) {
        arrow::bit_util::SetBit(bits, i);
        continue;
      }
      if (input.raises()) return fail(i);
    }
    out[i] = Out{};
  }
  return arrow::ArrayData::Make(std::move(type), length, {std::move(validity), std::move(values)});
}

/// The same for a boolean result.
template <typename Column, typename Convert, typename Fail>
CastResult ConvertBoolean(const CastInput& input, const Column& column, Convert&& convert, Fail&& fail) {
  const int64_t length = input.length();
  arrow::MemoryPool* pool = input.context.memory_pool;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> values, arrow::AllocateEmptyBitmap(length, pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> validity, arrow::AllocateEmptyBitmap(length, pool));
  for (int64_t i = 0; i < length; ++i) {
    if (column.IsNull(i)) continue;
    bool value = false;
    if (convert(column[i], &value)) {
      arrow::bit_util::SetBit(validity->mutable_data(), i);
      arrow::bit_util::SetBitTo(values->mutable_data(), i, value);
    } else if (input.raises()) {
      return fail(i);
    }
  }
  return arrow::ArrayData::Make(arrow::boolean(), length, {std::move(validity), std::move(values)});
}

/// Calls `visit(T{})` with the C type of a numeric type that is no decimal.
template <typename Visit>
auto VisitNumber(types::TypeId id, Visit&& visit) {
  switch (id) {
    case types::TypeId::kByte:
      return visit(int8_t{});
    case types::TypeId::kShort:
      return visit(int16_t{});
    case types::TypeId::kInteger:
      return visit(int32_t{});
    case types::TypeId::kLong:
      return visit(int64_t{});
    case types::TypeId::kFloat:
      return visit(float{});
    default:
      return visit(double{});
  }
}

}  // namespace millrace::expression
