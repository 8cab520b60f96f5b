#pragma once

#include "function/bind.h"

namespace millrace::function {

/// timestampadd(unit, quantity, timestamp) and timestampdiff(unit, start, end), also reached through date_add and
/// datediff with three arguments. The unit is a string literal.
arrow::Result<ExpressionPtr> BindTimestampAdd(const BindInput& input);
arrow::Result<ExpressionPtr> BindTimestampDiff(const BindInput& input);

}  // namespace millrace::function
