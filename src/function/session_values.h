#pragma once

#include <string>

#include "expression/node.h"

namespace millrace::function {

/// Name of the user who runs the engine.
std::string UserName();

/// current_schema() of a session whose database is `database`.
expression::ExpressionPtr CurrentSchema(const std::string& database, const expression::EvalContext& context);

}  // namespace millrace::function
