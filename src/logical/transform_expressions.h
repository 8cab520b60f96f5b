#pragma once

#include <functional>

#include "logical/plan.h"

namespace millrace::logical {

/// The plan with each expression in it, and each below those, replaced by what `replace` gives for it; nullptr leaves
/// it. From the leaves up.
PlanPtr TransformAllExpressions(const PlanPtr& plan, const std::function<ExpressionPtr(const ExpressionPtr&)>& replace);

}  // namespace millrace::logical
