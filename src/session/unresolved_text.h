#pragma once

#include <string>
#include <vector>

#include "spark/connect/expressions.pb.h"

namespace millrace::session {

/// The conjuncts of a condition as Spark prints expressions whose names are not looked up yet: `('p = a)`. Delta's log
/// tells of partition predicates so. Empty where an expression is of a kind that is not known here.
std::vector<std::string> UnresolvedConjuncts(const spark::connect::Expression& condition);

}  // namespace millrace::session
