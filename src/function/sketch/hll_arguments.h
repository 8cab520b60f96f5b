#pragma once

#include <arrow/result.h>

#include <string_view>

#include "function/sketch/hll_sketch.h"

namespace millrace::function {

/// A sketch in bytes. Errors: UserError HLL_INVALID_INPUT_SKETCH_BUFFER.
arrow::Result<HllSketch> ParseHll(std::string_view function, std::string_view bytes);
/// Errors: UserError HLL_UNION_DIFFERENT_LG_K, unless sketches of any size may meet.
arrow::Status CheckHllSizes(std::string_view function, int left, int right, bool any_size);

}  // namespace millrace::function
