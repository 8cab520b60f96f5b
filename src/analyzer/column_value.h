#pragma once

#include "expression/expression.h"

namespace millrace::analyzer {

/// Whether equal values of `value` come from equal values of the one column it is made of: a column, perhaps widened.
bool IsColumnValue(const expression::Expression& value);

}  // namespace millrace::analyzer
