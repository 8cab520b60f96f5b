#pragma once

#include <string>
#include <vector>

#include "expression/aggregate.h"
#include "expression/expression.h"
#include "python/environment.h"
#include "python/user_function.h"

namespace millrace::function {

/// The call of a user's Python function over all rows of a group (SQL_GROUPED_AGG_…): the rows of each group are
/// gathered, and one worker computes all groups at the end.
/// `argument_names`: one for each argument, empty for a positional one.
expression::ExpressionPtr MakePythonAggregate(python::UserFunctionPtr function, python::EnvironmentPtr environment,
                                              types::DataTypePtr type, expression::ExpressionVector arguments,
                                              std::vector<std::string> argument_names);

/// Whether each result of `function` costs a task of a worker, so that many groups want to be finished at once.
bool IsPythonAggregate(const expression::AggregateFunction& function);

}  // namespace millrace::function
