#pragma once

#include <arrow/result.h>

#include "analyzer/relation_resolver.h"

namespace millrace::analyzer {

/// Whether a table function is one of Delta's: table_changes, table_changes_by_path.
bool IsTableChanges(std::string_view function_name);

/// The change feed of a table: `table_changes('name', start[, end])`, bounds by version or time.
/// Errors: UserError INCORRECT_NUMBER_OF_ARGUMENTS, DELTA_UNSUPPORTED_EXPRESSION, and those of the source.
arrow::Result<PlanPtr> ResolveTableChanges(RelationResolver& resolver, const spark::connect::Relation& relation);

}  // namespace millrace::analyzer
