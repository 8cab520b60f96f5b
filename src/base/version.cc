#include "base/version.h"

namespace millrace {

std::string_view Version() { return "0.1.0"; }

std::string_view SparkVersion() { return "4.2.0"; }

}  // namespace millrace
