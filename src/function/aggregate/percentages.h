#pragma once

#include <arrow/result.h>

#include <vector>

#include "function/bind.h"

namespace millrace::function {

struct Percentages {
  std::vector<double> values;
  /// The caller wrote an array: the result is one too.
  bool many = false;
};

/// The percentages of argument `index`, each in [0, 1]. Errors: UserError DATATYPE_MISMATCH as Spark words it.
arrow::Result<Percentages> ReadPercentages(const BindInput& input, size_t index);

}  // namespace millrace::function
