#pragma once

#include "logical/plan.h"

namespace millrace::optimizer {

/// Whether an optimized plan joins every row with every row where nobody wrote CROSS JOIN
/// (spark.sql.crossJoin.enabled = false). Errors: UserError _LEGACY_ERROR_TEMP_1211.
arrow::Status CheckCartesianProducts(const logical::Plan& optimized);

}  // namespace millrace::optimizer
