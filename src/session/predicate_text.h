#pragma once

#include <string>

#include "expression/eval_context.h"
#include "expression/node.h"

namespace millrace::session {

/// A condition as Delta's history tells it: the text of Spark's expression once its optimizer has simplified it.
std::string PredicateText(const expression::ExpressionPtr& condition, const expression::EvalContext& context);

}  // namespace millrace::session
