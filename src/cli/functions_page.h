#pragma once

#include <string>

namespace millrace::cli {

/// docs/functions.md: every SQL function by family, with an example and what it gives.
std::string FunctionsPage();

}  // namespace millrace::cli
