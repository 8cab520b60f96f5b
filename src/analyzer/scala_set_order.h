#pragma once

#include <string>
#include <vector>

namespace millrace::analyzer {

/// The distinct `texts` in the order in which a Set of Scala 2.13 gives them back: where Spark collects names in one,
/// the layout of state goes by it.
std::vector<std::string> InScalaSetOrder(const std::vector<std::string>& texts);

}  // namespace millrace::analyzer
