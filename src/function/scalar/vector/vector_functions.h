#pragma once

#include "function/bind.h"

namespace millrace::function {

/// Checks that argument `index` is an ARRAY<FLOAT>; nothing is cast to one.
/// Errors: UserError DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE.
arrow::Status ExpectVector(const BindInput& input, size_t index);

}  // namespace millrace::function
