#pragma once

#include <arrow/result.h>

#include "logical/plan.h"

namespace millrace::session {

/// What UPDATE, DELETE and MERGE change when they name a view. One that shows a table as it is (SELECT * FROM t, in any
/// order) is its table, called by the view's name; other targets are given back as they are.
/// Source: delta-spark's DeltaViewHelper, DeltaFullTable. Errors: UserError DELTA_UNEXPECTED_PARTIAL_SCAN for a view of
/// some rows of a Delta table.
arrow::Result<logical::PlanPtr> TableOfView(logical::PlanPtr target);

}  // namespace millrace::session
