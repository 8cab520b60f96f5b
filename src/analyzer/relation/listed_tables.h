#pragma once

#include <arrow/result.h>

#include "analyzer/relation_resolver.h"

namespace millrace::analyzer {

/// Whether a table function is sql_keywords or collations: what the engine itself knows, as a table.
bool IsListedTable(std::string_view function_name);

/// Errors: UserError WRONG_NUM_ARGS.….
arrow::Result<PlanPtr> ResolveListedTable(RelationResolver& resolver, const spark::connect::Relation& relation);

}  // namespace millrace::analyzer
