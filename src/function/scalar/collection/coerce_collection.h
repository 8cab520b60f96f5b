#pragma once

#include <utility>
#include <vector>

#include "function/bind.h"

/// Argument checks that functions of arrays and maps share; errors as Spark words them.

namespace millrace::function {

/// Argument `index` as an array; an untyped NULL becomes an array of nothing.
/// Errors: UserError DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE.
arrow::Result<ExpressionPtr> CoerceToArray(const BindInput& input, size_t index);

/// Argument `index` implicitly cast. Errors: UserError DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE.
arrow::Result<ExpressionPtr> CoerceTo(const BindInput& input, size_t index, const DataTypePtr& type);

/// An array and a value of its elements' type: both widened to what holds them.
/// Errors: UserError DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES.
struct ArrayAndValue {
  ExpressionPtr array;
  ExpressionPtr value;
};
arrow::Result<ArrayAndValue> CoerceArrayAndValue(const BindInput& input, size_t array_index, size_t value_index);
/// The same for searches, which refuse untyped NULLs: DATATYPE_MISMATCH.NULL_TYPE.
arrow::Result<ArrayAndValue> CoerceSearch(const BindInput& input);

/// Two arrays of one element type. Errors: UserError DATATYPE_MISMATCH.BINARY_ARRAY_DIFF_TYPES.
arrow::Result<std::pair<ExpressionPtr, ExpressionPtr>> CoerceTwoArrays(const BindInput& input);

/// Errors: UserError DATATYPE_MISMATCH.INVALID_ORDERING_TYPE when `type` cannot be sorted.
arrow::Status ExpectOrderable(const BindInput& input, const DataTypePtr& type, const DataTypePtr& shown);
/// DATATYPE_MISMATCH.NULL_TYPE.
arrow::Status NullTypeArgument(const BindInput& input);

}  // namespace millrace::function
