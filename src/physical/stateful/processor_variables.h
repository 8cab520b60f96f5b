#pragma once

#include <vector>

#include "physical/stateful/processor_state.h"
#include "python/environment.h"
#include "python/user_function.h"

namespace millrace::physical {

/// The variables that a processor declares in its init(), which is run once for that, in a process of its own.
/// `key_type`: a struct, the grouping columns.
/// Errors: UserError STREAMING_PYTHON_RUNNER_INITIALIZATION_FAILURE with the traceback, IOError without a Python.
arrow::Result<std::vector<StateVariable>> DeclaredVariables(const python::Environment& environment,
                                                            const python::UserFunction& function,
                                                            const types::DataTypePtr& key_type, TimeMode time_mode);

}  // namespace millrace::physical
