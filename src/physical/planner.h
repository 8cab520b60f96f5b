#pragma once

#include "logical/plan.h"
#include "physical/operator.h"

namespace millrace::physical {

/// Turns an optimised logical plan into operators with bound expressions. `parallelism`: default number of partitions
/// of leaves that can choose.
/// Errors: UserError for what cannot be executed (UNSUPPORTED_…).
arrow::Result<OperatorPtr> PlanOperators(const logical::PlanPtr& plan, int parallelism);

}  // namespace millrace::physical
