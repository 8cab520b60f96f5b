#pragma once

#include "function/bind.h"

namespace millrace::function {

/// reverse() of a text; that of an array is a collection function.
arrow::Result<ExpressionPtr> BindReverseText(const BindInput& input);

}  // namespace millrace::function
