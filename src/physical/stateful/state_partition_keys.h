#pragma once

#include <vector>

#include "physical/planner.h"

namespace millrace::physical {

/// Which of an aggregation's grouping columns decide the state partition, in the order they are hashed: all of them.
/// Checkpoints of Spark before 3.3 (statefulOperator.useStrictDistribution = false) took over the partitions of a
/// repartition() below by some of the columns, so their state lies by these.
std::vector<int> StatePartitionKeys(const logical::Plan& child, const AttributeVector& grouping,
                                    const StreamingPlan& query);

}  // namespace millrace::physical
