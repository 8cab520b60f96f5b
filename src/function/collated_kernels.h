#pragma once

#include <optional>
#include <string_view>

#include "expression/call.h"

/// What functions that look for texts, or compare elements, do under a collation. The arguments are those of the plain
/// function, coerced.

namespace millrace::function {

/// Null when `name` does neither, or is not built for collations.
expression::ScalarKernel CollatedKernel(std::string_view name, int collation);

}  // namespace millrace::function
