#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "logical/plan.h"

namespace millrace::streaming {

/// When the micro-batch was planned, in µs since 1970 UTC. Set by the loop before tasks run, read by them.
using PlanningTime = std::shared_ptr<std::atomic<int64_t>>;

/// now() and current_time() are the clock when a micro-batch is planned: they move on when it runs again, and have
/// microseconds. current_timestamp() and its like stay the time in the offset log.
/// Source: Spark, MicroBatchExecution, which knows CurrentTimestamp, LocalTimestamp and CurrentDate of the batch and
/// leaves the others to the optimizer's ComputeCurrentTime. Those of the batch are not deterministic while the plan is
/// optimized: filters by them stay above watermarks and joins.
logical::PlanPtr WithPlanningTime(const logical::PlanPtr& plan, const PlanningTime& time);
/// Refuses aggregates of the time of the batch, in what WithPlanningTime gave. Spark replaces the calls when it plans a
/// micro-batch and checks the plan again, so the query fails, not its start.
arrow::Status CheckAggregatedTimes(const logical::PlanPtr& plan);
/// Whether the call itself, not one below it, asks for the time of the batch or, as now(), for the clock.
bool AsksForCurrentTime(const expression::Expression& node);
/// The plan to run, made of an optimized one.
logical::PlanPtr WithBatchTimeKnown(const logical::PlanPtr& plan);

}  // namespace millrace::streaming
