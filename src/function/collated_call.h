#pragma once

#include <arrow/result.h>

#include "function/function_def.h"

/// Calls over texts that are under collations. docs/adr/0014.

namespace millrace::function {

/// Whether an argument's type is, or holds, a STRING under a collation.
bool HasCollatedArgument(const ExpressionVector& arguments);

/// Binds such a call: brings the texts to one collation, compares by their keys where the function compares, and gives
/// the result the collation. Errors: COLLATION_MISMATCH.…, INDETERMINATE_COLLATION_IN_EXPRESSION, UNSUPPORTED_CALL… for
/// functions that compare in a way that is not built.
arrow::Result<ExpressionPtr> BindCollated(const BindInput& input);

/// The texts of `arguments` under the one collation that counts (`number`: its number).
/// Source: Spark, CollationTypeCoercion.
arrow::Result<ExpressionVector> ToOneCollation(const ExpressionVector& arguments, int* number);

}  // namespace millrace::function
