#pragma once

#include <vector>

#include "analyzer/expression_resolver.h"
#include "analyzer/operator_input.h"
#include "analyzer/subqueries.h"

namespace millrace::analyzer {

/// Each generator among the items becomes a Generate over `child`, and its columns stand in `items` for it: with
/// several, every combination of their rows. Errors: UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS,
/// UDTF_ALIAS_NUMBER_MISMATCH.
arrow::Result<PlanPtr> ExtractGenerators(ExpressionVector* items,
                                         const std::vector<ExpressionResolver::GeneratorNames>& names, PlanPtr child);

/// The items of a projection some of which name columns that generators among them make. `child` gets the generators;
/// names mean its own columns first. Errors: those of the names that mean neither.
/// Source: Spark, ExtractGenerator, which takes generators out before the other items are resolved.
arrow::Result<ExpressionVector> ResolveOverGenerators(
    RelationResolver& resolver, const google::protobuf::RepeatedPtrField<spark::connect::Expression>& messages,
    OperatorInput* below, PlanPtr* child);

}  // namespace millrace::analyzer
