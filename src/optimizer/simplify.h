#pragma once

#include "expression/eval_context.h"
#include "expression/expression.h"

namespace millrace::optimizer {

/// An equivalent expression as the optimizer leaves one: constants are computed, casts of columns are taken to the
/// constants they are compared with. Delta tells the conditions of its commits so.
arrow::Result<expression::ExpressionPtr> Simplify(const expression::ExpressionPtr& value,
                                                  const expression::EvalContext& context);

}  // namespace millrace::optimizer
