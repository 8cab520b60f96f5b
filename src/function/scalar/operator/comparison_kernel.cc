#include <arrow/util/bitmap_generate.h>
#include <arrow/util/decimal.h>

#include <cmath>

#include "expression/compare.h"
#include "expression/vector.h"
#include "function/scalar/operator/comparison.h"

namespace millrace::function {

using arrow::Datum;
using types::TypeId;

namespace {

// NaN equals NaN and is above every number.
template <typename T>
bool Equal(const T& l, const T& r) {
  if constexpr (std::is_floating_point_v<T>)
    return l == r || (std::isnan(l) && std::isnan(r));
  else
    return l == r;
}

template <typename T>
bool Less(const T& l, const T& r) {
  if constexpr (std::is_floating_point_v<T>)
    return l < r || (std::isnan(r) && !std::isnan(l));
  else
    return l < r;
}

template <Comparison kOp, typename T>
bool Holds(const T& l, const T& r) {
  if constexpr (kOp == Comparison::kEqual || kOp == Comparison::kNullSafeEqual)
    return Equal(l, r);
  else if constexpr (kOp == Comparison::kLess)
    return Less(l, r);
  else if constexpr (kOp == Comparison::kLessOrEqual)
    return !Less(r, l);
  else if constexpr (kOp == Comparison::kGreater)
    return Less(r, l);
  else
    return !Less(l, r);
}

template <Comparison kOp>
bool OrderHolds(int order) {
  return Holds<kOp>(order, 0);
}

using Bitmap = std::shared_ptr<arrow::Buffer>;

template <typename Next>
arrow::Result<Bitmap> Generate(int64_t num_rows, arrow::MemoryPool* pool, Next&& next) {
  ARROW_ASSIGN_OR_RAISE(Bitmap bits, arrow::AllocateEmptyBitmap(num_rows, pool));
  arrow::internal::GenerateBitsUnrolled(bits->mutable_data(), 0, num_rows, next);
  return bits;
}

template <Comparison kOp, typename T>
arrow::Result<Bitmap> FixedBits(const std::vector<Datum>& arguments, int64_t num_rows, arrow::MemoryPool* pool) {
  expression::FixedColumn<T> left(arguments[0]);
  expression::FixedColumn<T> right(arguments[1]);
  const T* l = left.data();
  const T* r = right.data();
  if (right.is_scalar()) {
    if (left.is_scalar()) return Generate(num_rows, pool, [&] { return Holds<kOp>(*l, *r); });
    const T value = *r;
    return Generate(num_rows, pool, [&] { return Holds<kOp>(*l++, value); });
  }
  if (left.is_scalar()) {
    const T value = *l;
    return Generate(num_rows, pool, [&] { return Holds<kOp>(value, *r++); });
  }
  return Generate(num_rows, pool, [&] { return Holds<kOp>(*l++, *r++); });
}

template <Comparison kOp, typename Column>
arrow::Result<Bitmap> ColumnBits(const std::vector<Datum>& arguments, int64_t num_rows, arrow::MemoryPool* pool) {
  Column left(arguments[0]);
  Column right(arguments[1]);
  int64_t i = 0;
  return Generate(num_rows, pool, [&] {
    bool holds = Holds<kOp>(left[i], right[i]);
    ++i;
    return holds;
  });
}

template <Comparison kOp>
arrow::Result<Bitmap> AnyBits(const std::vector<Datum>& arguments, const types::DataType& type, int64_t num_rows,
                              arrow::MemoryPool* pool) {
  auto rows = [&](const Datum& datum) { return datum.is_scalar() ? 1 : num_rows; };
  ARROW_ASSIGN_OR_RAISE(auto left, expression::ToArray(arguments[0], rows(arguments[0]), pool));
  ARROW_ASSIGN_OR_RAISE(auto right, expression::ToArray(arguments[1], rows(arguments[1]), pool));
  int64_t i = 0;
  return Generate(num_rows, pool, [&] {
    int64_t l = arguments[0].is_scalar() ? 0 : i;
    int64_t r = arguments[1].is_scalar() ? 0 : i;
    ++i;
    if (left->IsNull(l) || right->IsNull(r)) return false;
    return OrderHolds<kOp>(expression::CompareValues(type, *left->data(), l, *right->data(), r));
  });
}

template <Comparison kOp>
arrow::Result<Bitmap> Bits(const std::vector<Datum>& arguments, const types::DataType& type, int64_t num_rows,
                           arrow::MemoryPool* pool) {
  switch (type.id()) {
    case TypeId::kBoolean:
      return ColumnBits<kOp, expression::BooleanColumn>(arguments, num_rows, pool);
    case TypeId::kByte:
      return FixedBits<kOp, int8_t>(arguments, num_rows, pool);
    case TypeId::kShort:
      return FixedBits<kOp, int16_t>(arguments, num_rows, pool);
    case TypeId::kInteger:
    case TypeId::kDate:
    case TypeId::kYearMonthInterval:
      return FixedBits<kOp, int32_t>(arguments, num_rows, pool);
    case TypeId::kLong:
    case TypeId::kTimestamp:
    case TypeId::kTimestampNtz:
    case TypeId::kDayTimeInterval:
    case TypeId::kTime:
      return FixedBits<kOp, int64_t>(arguments, num_rows, pool);
    case TypeId::kFloat:
      return FixedBits<kOp, float>(arguments, num_rows, pool);
    case TypeId::kDouble:
      return FixedBits<kOp, double>(arguments, num_rows, pool);
    case TypeId::kDecimal:
      return FixedBits<kOp, arrow::Decimal128>(arguments, num_rows, pool);
    case TypeId::kString:
    case TypeId::kBinary:
      return ColumnBits<kOp, expression::StringColumn>(arguments, num_rows, pool);
    default:
      return AnyBits<kOp>(arguments, type, num_rows, pool);
  }
}

bool IsNullAt(const Datum& datum, int64_t i) {
  if (datum.is_scalar()) return !datum.scalar()->is_valid;
  const arrow::ArrayData& data = *datum.array();
  if (data.type->id() == arrow::Type::NA) return true;
  return data.buffers[0] != nullptr && !arrow::bit_util::GetBit(data.buffers[0]->data(), i + data.offset);
}

// <=>: where a side is null, both must be.
arrow::Result<Datum> NullSafe(const EvalContext& context, const std::vector<Datum>& arguments,
                              const types::DataType& type, int64_t num_rows) {
  bool null_side = expression::AnyNullScalar(arguments);
  Bitmap bits;
  if (null_side) {
    ARROW_ASSIGN_OR_RAISE(bits, arrow::AllocateEmptyBitmap(num_rows, context.memory_pool));
  } else {
    ARROW_ASSIGN_OR_RAISE(bits, Bits<Comparison::kNullSafeEqual>(arguments, type, num_rows, context.memory_pool));
  }
  bool nulls = null_side || arguments[0].null_count() > 0 || arguments[1].null_count() > 0;
  for (int64_t i = 0; nulls && i < num_rows; ++i) {
    bool l = IsNullAt(arguments[0], i);
    bool r = IsNullAt(arguments[1], i);
    if (l || r) arrow::bit_util::SetBitTo(bits->mutable_data(), i, l && r);
  }
  return Datum(arrow::ArrayData::Make(arrow::boolean(), num_rows, {nullptr, std::move(bits)}, 0));
}

template <Comparison kOp>
ScalarKernel KernelOf(const DataTypePtr& type) {
  return [type](const EvalContext& context, const std::vector<Datum>& arguments,
                int64_t num_rows) -> arrow::Result<Datum> {
    if constexpr (kOp == Comparison::kNullSafeEqual) {
      return expression::OneRowIfScalars(arguments, num_rows,
                                         [&](int64_t rows) { return NullSafe(context, arguments, *type, rows); });
    } else {
      if (expression::AnyNullScalar(arguments)) return Datum(arrow::MakeNullScalar(arrow::boolean()));
      return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) -> arrow::Result<Datum> {
        ARROW_ASSIGN_OR_RAISE(auto validity, expression::CombinedValidity(arguments, rows, context.memory_pool));
        ARROW_ASSIGN_OR_RAISE(Bitmap bits, Bits<kOp>(arguments, *type, rows, context.memory_pool));
        return Datum(arrow::ArrayData::Make(arrow::boolean(), rows, {std::move(validity), std::move(bits)}));
      });
    }
  };
}

}  // namespace

ScalarKernel CompareKernel(Comparison op, const DataTypePtr& type) {
  switch (op) {
    case Comparison::kEqual:
      return KernelOf<Comparison::kEqual>(type);
    case Comparison::kNullSafeEqual:
      return KernelOf<Comparison::kNullSafeEqual>(type);
    case Comparison::kLess:
      return KernelOf<Comparison::kLess>(type);
    case Comparison::kLessOrEqual:
      return KernelOf<Comparison::kLessOrEqual>(type);
    case Comparison::kGreater:
      return KernelOf<Comparison::kGreater>(type);
    case Comparison::kGreaterOrEqual:
      return KernelOf<Comparison::kGreaterOrEqual>(type);
  }
  return {};
}

}  // namespace millrace::function
