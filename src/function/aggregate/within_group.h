#pragma once

#include <arrow/result.h>

#include <optional>
#include <string>
#include <vector>

#include "expression/node.h"
#include "function/function_def.h"

/// Aggregates whose order stands WITHIN GROUP (ORDER BY …).

namespace millrace::function {

/// The value that comes most often; of several the smallest, or the largest.
ExpressionPtr MakeOrderedMode(ExpressionPtr value, bool largest, const EvalContext& context);

struct OrderedPercentile {
  ExpressionPtr value;
  ExpressionPtr percentage;
  bool ascending = true;
  /// One of the values (percentile_disc), not what lies between two of them (percentile_cont).
  bool discrete = false;
};
/// Errors: UserError DATATYPE_MISMATCH.… of the value and of the percentage.
arrow::Result<ExpressionPtr> MakeOrderedPercentile(const OrderedPercentile& percentile, const EvalContext& context);

/// `value` is STRING or BINARY. `distinct`: each value once. `delimiter`: nullopt for none.
ExpressionPtr MakeOrderedListAgg(ExpressionPtr value, std::optional<std::string> delimiter,
                                 const std::vector<expression::SortOrder>& orders, bool distinct,
                                 const EvalContext& context);

}  // namespace millrace::function
