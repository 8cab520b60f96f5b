#include "function/sketch/hll_arguments.h"

#include "base/error.h"

namespace millrace::function {

arrow::Result<HllSketch> ParseHll(std::string_view function, std::string_view bytes) {
  arrow::Result<HllSketch> sketch = HllSketch::Parse(bytes);
  if (sketch.ok()) return sketch;
  return UserError("HLL_INVALID_INPUT_SKETCH_BUFFER", {{"function", QuoteIdentifier(function)}});
}

arrow::Status CheckHllSizes(std::string_view function, int left, int right, bool any_size) {
  if (any_size || left == right) return arrow::Status::OK();
  return UserError(
      "HLL_UNION_DIFFERENT_LG_K",
      {{"function", QuoteIdentifier(function)}, {"left", std::to_string(left)}, {"right", std::to_string(right)}});
}

}  // namespace millrace::function
