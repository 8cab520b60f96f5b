#pragma once

#include <string>
#include <vector>

namespace millrace::session {

/// Names of all functions and operators, sorted, as SHOW FUNCTIONS lists them.
const std::vector<std::string>& FunctionNames();

}  // namespace millrace::session
