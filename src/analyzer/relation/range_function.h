#pragma once

#include "analyzer/relation_resolver.h"

namespace millrace::analyzer {

/// range([start,] end [, step [, slices]]) in FROM.
/// Errors: UserError WRONG_NUM_ARGS.WITHOUT_SUGGESTION, NON_FOLDABLE_ARGUMENT, UNEXPECTED_INPUT_TYPE,
/// FAILED_FUNCTION_CALL.
arrow::Result<PlanPtr> ResolveRangeFunction(RelationResolver& resolver, const spark::connect::Relation& relation);

}  // namespace millrace::analyzer
