#pragma once

#include "analyzer/subqueries.h"
#include "analyzer/time_windows.h"
#include "analyzer/window_functions.h"

namespace millrace::analyzer {

/// What the expressions of one operator ask for beyond the columns of its input: each call is a column that a plan
/// between the input and the operator makes. Filled while the expressions are resolved.
struct OperatorInput {
  TimeWindows time_windows;
  Subqueries subqueries;
  WindowFunctions window_functions;
  /// Columns that the input does not show but can, and that only a name nothing else answers to finds: both keys of
  /// JOIN … USING. May be null.
  const AttributeVector* hidden = nullptr;
  bool reads_hidden = false;
  /// The input, for functions that ask where its rows come from. May be null.
  PlanPtr rows;
  /// The input with what such functions tell behind its columns; null where they need nothing.
  PlanPtr carried;
  /// False in WHERE.
  bool window_functions_allowed = true;

  bool empty() const { return time_windows.empty() && subqueries.empty() && window_functions.empty(); }
  /// Time windows and subqueries, which window functions may read.
  arrow::Result<PlanPtr> ApplyBelowWindows(PlanPtr input, const expression::EvalContext& eval) const {
    ARROW_ASSIGN_OR_RAISE(input, time_windows.Apply(std::move(input), eval));
    return subqueries.Apply(std::move(input), eval);
  }
  arrow::Result<PlanPtr> Apply(PlanPtr input, const expression::EvalContext& eval) const {
    ARROW_ASSIGN_OR_RAISE(input, ApplyBelowWindows(std::move(input), eval));
    return window_functions.Apply(std::move(input));
  }
};

}  // namespace millrace::analyzer
