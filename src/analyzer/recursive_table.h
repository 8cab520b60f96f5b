#pragma once

#include "analyzer/relation_resolver.h"

namespace millrace::analyzer {

/// The common table `name` of WITH RECURSIVE, as sql/plan_conventions.h writes it (without the mark). A query that does
/// not read itself is an ordinary one.
/// Errors: UserError INVALID_RECURSIVE_CTE, UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE, INVALID_RECURSIVE_REFERENCE.…; when
/// it runs RECURSION_LEVEL_LIMIT_EXCEEDED, RECURSION_ROW_LIMIT_EXCEEDED.
arrow::Result<PlanPtr> ResolveRecursiveTable(RelationResolver& resolver, const std::string& name,
                                             const spark::connect::Relation& query, std::optional<int64_t> max_level);

}  // namespace millrace::analyzer
