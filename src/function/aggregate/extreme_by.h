#pragma once

#include "function/aggregate/bound_aggregate.h"

namespace millrace::function {

/// max_by(x, y, k) and min_by(x, y, k): the array of the k values whose ordering is largest or smallest, best first.
/// Errors: UserError DATATYPE_MISMATCH.NON_FOLDABLE_INPUT, VALUE_OUT_OF_RANGE, INVALID_ORDERING_TYPE.
arrow::Result<ExpressionPtr> BindExtremesBy(const BindInput& input, bool smallest);

}  // namespace millrace::function
