#include <cmath>
#include <limits>

#include "base/error.h"
#include "expression/vector.h"
#include "function/scalar/operator/arithmetic.h"
#include "types/arrow_type.h"

namespace millrace::function {

using arrow::Datum;
using expression::FixedColumn;
using types::TypeId;

namespace {

// Each step computes one pair and says whether the result is bad (overflow, division by zero).
template <typename T>
bool Add(T l, T r, T* out) {
  if constexpr (std::is_floating_point_v<T>)
    return *out = l + r, false;
  else
    return __builtin_add_overflow(l, r, out);
}

template <typename T>
bool Subtract(T l, T r, T* out) {
  if constexpr (std::is_floating_point_v<T>)
    return *out = l - r, false;
  else
    return __builtin_sub_overflow(l, r, out);
}

template <typename T>
bool Multiply(T l, T r, T* out) {
  if constexpr (std::is_floating_point_v<T>)
    return *out = l * r, false;
  else
    return __builtin_mul_overflow(l, r, out);
}

template <typename T>
bool Divide(T l, T r, T* out) {
  if (r == 0) return *out = 0, true;
  if constexpr (std::is_integral_v<T>) {
    if (r == -1) return __builtin_sub_overflow(T{0}, l, out);
  }
  *out = static_cast<T>(l / r);
  return false;
}

template <typename T>
T RemainderOf(T l, T r) {
  if constexpr (std::is_floating_point_v<T>)
    return std::fmod(l, r);
  else
    return r == -1 ? T{0} : static_cast<T>(l % r);
}

template <typename T>
bool Remainder(T l, T r, T* out) {
  if (r == 0) return *out = 0, true;
  *out = RemainderOf(l, r);
  return false;
}

template <typename T>
bool Pmod(T l, T r, T* out) {
  if (r == 0) return *out = 0, true;
  T rest = RemainderOf(l, r);
  if constexpr (std::is_integral_v<T>) {
    // The sum may leave the small types for a moment, as it does in Java.
    if (rest < 0) rest = static_cast<T>((static_cast<int64_t>(rest) + r) % r);
  } else if (rest < 0) {
    rest = RemainderOf(rest + r, r);
  }
  *out = rest;
  return false;
}

template <typename T>
arrow::Status Failure(Arithmetic op, T l, T r) {
  if (op >= Arithmetic::kDivide) {
    if (r == 0) return DivideByZero(op);
    return ArithmeticOverflow("Overflow in integral divide", "try_divide");
  }
  constexpr const char* kTry[] = {"try_add", "try_subtract", "try_multiply"};
  const char* try_function = kTry[static_cast<size_t>(op)];
  if constexpr (sizeof(T) >= 4) {
    return ArithmeticOverflow("overflow", try_function);
  } else {
    return UserError("BINARY_ARITHMETIC_OVERFLOW", {{"value1", std::to_string(l) + "S"},
                                                    {"symbol", std::string(Symbol(op))},
                                                    {"value2", std::to_string(r) + "S"},
                                                    {"functionName", QuoteIdentifier(try_function)}});
  }
}

template <typename T, typename Step>
arrow::Result<Datum> Run(const EvalContext& context, const std::vector<Datum>& arguments, int64_t num_rows,
                         Arithmetic op, OnOverflow on_overflow, const std::shared_ptr<arrow::DataType>& type,
                         Step step) {
  FixedColumn<T> left(arguments[0]);
  FixedColumn<T> right(arguments[1]);
  ARROW_ASSIGN_OR_RAISE(auto validity, expression::CombinedValidity(arguments, num_rows, context.memory_pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> values,
                        arrow::AllocateBuffer(num_rows * static_cast<int64_t>(sizeof(T)), context.memory_pool));
  T* out = reinterpret_cast<T*>(values->mutable_data());
  bool bad = false;
  expression::ForEachPair(left, right, num_rows, [&](T l, T r, int64_t i) { bad |= step(l, r, out + i); });
  bool wraps = on_overflow == OnOverflow::kWrap && op < Arithmetic::kDivide;
  if (bad && !wraps) {
    // Rare: find the rows; those where an operand is null do not count.
    if (validity == nullptr && on_overflow != OnOverflow::kRaise) {
      ARROW_ASSIGN_OR_RAISE(validity, arrow::AllocateEmptyBitmap(num_rows, context.memory_pool));
      arrow::bit_util::SetBitsTo(validity->mutable_data(), 0, num_rows, true);
    }
    for (int64_t i = 0; i < num_rows; ++i) {
      if (validity != nullptr && !arrow::bit_util::GetBit(validity->data(), i)) continue;
      if (!step(left[i], right[i], out + i)) continue;
      if (on_overflow == OnOverflow::kRaise) return Failure(op, left[i], right[i]);
      // With ANSI off the one overflow of integral division wraps.
      if (on_overflow == OnOverflow::kNull || right[i] == 0) arrow::bit_util::ClearBit(validity->mutable_data(), i);
    }
  }
  return Datum(arrow::ArrayData::Make(type, num_rows, {std::move(validity), std::move(values)}));
}

template <typename T>
ScalarKernel KernelFor(Arithmetic op, OnOverflow on_overflow, std::shared_ptr<arrow::DataType> type) {
  auto make = [&](auto step) -> ScalarKernel {
    return [op, on_overflow, type, step](const EvalContext& context, const std::vector<Datum>& arguments,
                                         int64_t num_rows) -> arrow::Result<Datum> {
      if (expression::AnyNullScalar(arguments)) return Datum(arrow::MakeNullScalar(type));
      return expression::OneRowIfScalars(arguments, num_rows, [&](int64_t rows) {
        return Run<T>(context, arguments, rows, op, on_overflow, type, step);
      });
    };
  };
  switch (op) {
    case Arithmetic::kAdd:
      return make([](T l, T r, T* out) { return Add(l, r, out); });
    case Arithmetic::kSubtract:
      return make([](T l, T r, T* out) { return Subtract(l, r, out); });
    case Arithmetic::kMultiply:
      return make([](T l, T r, T* out) { return Multiply(l, r, out); });
    case Arithmetic::kDivide:
    case Arithmetic::kIntegralDivide:
      return make([](T l, T r, T* out) { return Divide(l, r, out); });
    case Arithmetic::kRemainder:
      return make([](T l, T r, T* out) { return Remainder(l, r, out); });
    case Arithmetic::kPmod:
      return make([](T l, T r, T* out) { return Pmod(l, r, out); });
  }
  return {};
}

}  // namespace

ScalarKernel NumberArithmetic(Arithmetic op, OnOverflow on_overflow, const DataTypePtr& type) {
  std::shared_ptr<arrow::DataType> arrow_type = types::ToArrow(*type);
  switch (type->id()) {
    case TypeId::kByte:
      return KernelFor<int8_t>(op, on_overflow, std::move(arrow_type));
    case TypeId::kShort:
      return KernelFor<int16_t>(op, on_overflow, std::move(arrow_type));
    case TypeId::kInteger:
    case TypeId::kYearMonthInterval:
      return KernelFor<int32_t>(op, on_overflow, std::move(arrow_type));
    case TypeId::kFloat:
      return KernelFor<float>(op, on_overflow, std::move(arrow_type));
    case TypeId::kDouble:
      return KernelFor<double>(op, on_overflow, std::move(arrow_type));
    default:
      return KernelFor<int64_t>(op, on_overflow, std::move(arrow_type));
  }
}

}  // namespace millrace::function
