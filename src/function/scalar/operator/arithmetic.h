#pragma once

#include <string>
#include <string_view>

#include "function/bind.h"

/// What the arithmetic operators share: types, overflow, and their kernels. Internal to scalar/operator.

namespace millrace::function {

enum class Arithmetic : uint8_t { kAdd, kSubtract, kMultiply, kDivide, kIntegralDivide, kRemainder, kPmod };

/// What a value out of range, or a division by zero, gives.
enum class OnOverflow : uint8_t {
  kRaise,
  kNull,  ///< try_add and its like
  kWrap,  ///< ANSI off: whole numbers wrap, decimals and division by zero give NULL
};

/// Binds `left op right` for every type that has it. `tried`: the try_ variant, where failing casts give NULL too.
/// `shown_name` empty: written as the operator.
arrow::Result<ExpressionPtr> BindArithmetic(const BindInput& input, Arithmetic op, bool tried,
                                            std::string_view shown_name = {});

/// Unary minus; `shown_name` empty: written `(- a)`.
arrow::Result<ExpressionPtr> BindNegation(const BindInput& input, std::string_view shown_name);

/// Date, timestamp and interval arithmetic. Null when the operands are none of these.
arrow::Result<ExpressionPtr> BindDatetimeArithmetic(const BindInput& input, Arithmetic op, OnOverflow on_overflow,
                                                    std::string_view shown_name);

/// Kernels over two columns of `type` (kDivide: DOUBLE; kIntegralDivide: BIGINT).
ScalarKernel NumberArithmetic(Arithmetic op, OnOverflow on_overflow, const DataTypePtr& type);
/// Decimals may differ in precision and scale; the result is `result`.
ScalarKernel DecimalArithmetic(Arithmetic op, OnOverflow on_overflow, const DataTypePtr& left, const DataTypePtr& right,
                               const DataTypePtr& result);
/// The result type of decimal arithmetic (Spark's DecimalPrecision).
DataTypePtr DecimalResult(Arithmetic op, const types::DataType& left, const types::DataType& right);

std::string_view Symbol(Arithmetic op);
arrow::Status DivideByZero(Arithmetic op);
/// ARITHMETIC_OVERFLOW; `try_function` empty: without a suggestion.
arrow::Status ArithmeticOverflow(std::string message, std::string_view try_function);

/// DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES and BINARY_OP_WRONG_TYPE for `sql`.
arrow::Status BinaryOpDiffTypes(const std::string& sql, const ExpressionPtr& left, const ExpressionPtr& right);
arrow::Status BinaryOpWrongType(const std::string& sql, std::string required, const DataTypePtr& actual);

}  // namespace millrace::function
