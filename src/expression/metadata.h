#pragma once

#include <string>

#include "expression/expression.h"

namespace millrace::expression {

/// The metadata a value brings along: a column's own; of window_time() the window's less its mark, so that the time of
/// a window keeps the watermark.
std::string MetadataOf(const Expression& value);

}  // namespace millrace::expression
