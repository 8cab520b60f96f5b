#pragma once

#include <string>

namespace millrace::connect {

/// docs/connect.md: which messages of Spark Connect are served and which are refused by name.
std::string CoveragePage();

}  // namespace millrace::connect
