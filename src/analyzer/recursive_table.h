#pragma once

#include "analyzer/relation_resolver.h"

namespace millrace::analyzer {

/// The common table `name` of WITH RECURSIVE, as sql/plan_conventions.h writes it (without the mark). A query that does
/// not read itself is an ordinary one.
/// Errors: UserError INVALID_RECURSIVE_CTE, UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE, INVALID_RECURSIVE_REFERENCE.…; when
/// it runs RECURSION_LEVEL_LIMIT_EXCEEDED, RECURSION_ROW_LIMIT_EXCEEDED.
arrow::Result<PlanPtr> ResolveRecursiveTable(RelationResolver& resolver, const std::string& name,
                                             const spark::connect::Relation& query, std::optional<int64_t> max_level);

/// `plan` of which `num_rows` rows are asked for: where it is nothing but the rows of a recursion, that ends with them,
/// and the limit of its rows does not count.
PlanPtr StopRecursionAt(const PlanPtr& plan, int64_t num_rows);

}  // namespace millrace::analyzer
