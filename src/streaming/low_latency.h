#pragma once

#include <arrow/status.h>

#include <string>
#include <vector>

#include "logical/plan.h"
#include "streaming/streaming_query.h"

/// Spark's two triggers whose rows do not wait for a micro-batch: Trigger.Continuous and Trigger.RealTime. Here their
/// queries run in micro-batches that begin when data arrive, which takes milliseconds (docs/adr/0013); what is left of
/// the triggers is which queries they take, and that is Spark's. Threads: pure functions.

namespace millrace::streaming {

/// Refuses at the start what Spark refuses there: the interval of a real-time trigger, its output mode, its sink, and
/// the operators of a continuous query. `plan` is as analysed.
/// Errors: _LEGACY_ERROR_TEMP_3102, _LEGACY_ERROR_TEMP_2253, STREAMING_REAL_TIME_MODE.*,
/// INVALID_STREAMING_REAL_TIME_MODE_TRIGGER_INTERVAL.
/// Source: Spark, UnsupportedOperationChecker.checkForContinuous, ResolveWriteToStream, RealTimeModeAllowlist.
arrow::Status CheckLowLatencyStart(const logical::Plan& plan, const StreamingQuerySpec& spec);

/// What the query's own thread refuses, when it has begun: sources, operators, a sink without continuous writes.
/// `plan` is as optimised; `sources`: what the progress calls them.
arrow::Status CheckLowLatencyRun(const logical::Plan& plan, const StreamingQuerySpec& spec,
                                 const std::vector<std::string>& sources);

}  // namespace millrace::streaming
