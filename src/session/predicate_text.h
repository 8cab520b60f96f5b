#pragma once

#include <string>

#include "expression/node.h"

namespace millrace::session {

/// A condition as Delta's history tells it: the text of Spark's expression once its optimizer has simplified it.
std::string PredicateText(const expression::ExpressionPtr& condition);

}  // namespace millrace::session
