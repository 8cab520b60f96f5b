#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "logical/plan.h"

namespace millrace::streaming {

/// Number of the micro-batch that runs. Set by the loop before tasks run, read by them.
using RunningBatch = std::shared_ptr<std::atomic<int64_t>>;

/// rand(), randn(), uuid(), shuffle() and randstr() draw other numbers in each micro-batch, with a seed in the query
/// too. Source: Spark, IncrementalExecution, which gives each expression with a seed a new one.
logical::PlanPtr WithSeedsOfBatch(const logical::PlanPtr& plan, const RunningBatch& batch);

}  // namespace millrace::streaming
