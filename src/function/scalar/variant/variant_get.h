#pragma once

#include <string>

#include "function/bind.h"

namespace millrace::function {

/// Argument `index` as `type`, which it must be of: the functions of variants cast nothing but NULL.
/// Errors: UserError DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE.
arrow::Result<ExpressionPtr> ExactArgument(const BindInput& input, size_t index, const DataTypePtr& type);
/// BindSimple of one such argument.
arrow::Result<ExpressionPtr> BindExact(const BindInput& input, const DataTypePtr& parameter, DataTypePtr result,
                                       ScalarKernel kernel, CallOptions options = {});

/// variant_get or try_variant_get of a variant and a path, as `type`.
ExpressionPtr MakeVariantGet(ExpressionVector arguments, DataTypePtr type, const std::string& function, bool raises);

}  // namespace millrace::function
