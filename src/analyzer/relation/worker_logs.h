#pragma once

#include <arrow/result.h>

#include "analyzer/relation_resolver.h"

namespace millrace::analyzer {

/// Whether a table function is python_worker_logs.
bool IsWorkerLogs(std::string_view function_name);

/// What the session's Python workers have logged so far, a row each.
/// Errors: UserError FEATURE_NOT_ENABLED, WRONG_NUM_ARGS.….
arrow::Result<PlanPtr> ResolveWorkerLogs(RelationResolver& resolver, const spark::connect::Relation& relation);

}  // namespace millrace::analyzer
