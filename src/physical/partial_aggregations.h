#pragma once

#include <vector>

#include "physical/aggregation.h"
#include "physical/operator.h"

namespace millrace::physical {

/// Runs the only child of `op` and aggregates each of its partitions by itself: one partial for each that had rows, in
/// partition order. Large ones are made on the pool.
/// REQUIRES: the child is prepared.
arrow::Result<std::vector<PartialAggregation>> AggregateInput(const Operator& op, const AggregationPlan& plan,
                                                              ExecutionContext& context);

/// Groups of all partials; one that is in two counts twice.
int64_t CountGroups(const std::vector<PartialAggregation>& partials);

/// Below this many groups one task merges all.
inline constexpr int64_t kGroupsWorthATask = 50000;

}  // namespace millrace::physical
