#pragma once

#include "function/bind.h"

/// The six comparisons. Internal to function/.

namespace millrace::function {

enum class Comparison : uint8_t { kEqual, kNullSafeEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };

/// Coerces both sides and compares. `shown_name` empty: written as the operator.
arrow::Result<ExpressionPtr> BindComparison(const BindInput& input, Comparison op, std::string_view shown_name = {});

/// The kernel over two columns of one `type`.
ScalarKernel CompareKernel(Comparison op, const DataTypePtr& type);

}  // namespace millrace::function
