#pragma once

#include <string_view>
#include <type_traits>

#include "base/error.h"
#include "function/sketch/kll_sketch.h"

/// What the functions of KLL sketches ask of their arguments.

namespace millrace::function {

/// Calls `fn` with an item of the type that the function's name ends in: kll_…_bigint, _float, _double.
template <typename Fn>
auto WithKllItem(std::string_view function, Fn fn) {
  if (function.ends_with("_bigint")) return fn(int64_t{});
  if (function.ends_with("_float")) return fn(float{});
  return fn(double{});
}

/// A sketch in bytes. Errors: UserError KLL_INVALID_INPUT_SKETCH_BUFFER.
template <typename T>
arrow::Result<KllSketch<T>> ParseKll(std::string_view function, std::string_view bytes) {
  arrow::Result<KllSketch<T>> sketch = KllSketch<T>::Parse(bytes);
  if (sketch.ok()) return sketch;
  return UserError("KLL_INVALID_INPUT_SKETCH_BUFFER", {{"function", QuoteIdentifier(function)}});
}

}  // namespace millrace::function
