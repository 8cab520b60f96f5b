#pragma once

#include <arrow/result.h>

#include "expression/eval_context.h"
#include "logical/plan.h"

namespace millrace::analyzer {

/// `plan` grouping, sorting and telling rows apart by the keys of texts under collations, so that nothing below the
/// analyzer knows of collations; `plan` itself when there are none. Comparisons have their keys already.
/// docs/adr/0014. Errors: STATE_STORE_UNSUPPORTED_OPERATION_BINARY_INEQUALITY in a stream.
arrow::Result<logical::PlanPtr> CompareByCollation(const logical::PlanPtr& plan, const expression::EvalContext& eval);

}  // namespace millrace::analyzer
