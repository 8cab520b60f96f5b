#pragma once

#include <string_view>

namespace millrace {

/// Version of this build, "major.minor.patch".
std::string_view Version();

/// Version of Apache Spark whose results, messages and file formats this build follows; what Spark Connect clients are
/// told when they ask for the server's version.
std::string_view SparkVersion();

}  // namespace millrace
