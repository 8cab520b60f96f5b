#pragma once

#include "expression/eval_context.h"
#include "logical/plan.h"

namespace millrace::optimizer {

/// Makes an equivalent, cheaper plan: same columns (ids, names, types), same rows. Rules are listed in optimizer.cc,
/// one file each under rule/.
arrow::Result<logical::PlanPtr> Optimize(const logical::PlanPtr& plan, const expression::EvalContext& context);

}  // namespace millrace::optimizer
