#pragma once

#include <vector>

#include "analyzer/expression_resolver.h"
#include "analyzer/subqueries.h"

namespace millrace::analyzer {

/// Each generator among the items becomes a Generate over `child`, and its columns stand in `items` for it: with
/// several, every combination of their rows. Errors: UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS,
/// UDTF_ALIAS_NUMBER_MISMATCH.
arrow::Result<PlanPtr> ExtractGenerators(ExpressionVector* items,
                                         const std::vector<ExpressionResolver::GeneratorNames>& names, PlanPtr child);

}  // namespace millrace::analyzer
