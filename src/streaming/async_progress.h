#pragma once

#include <arrow/result.h>

#include "streaming/streaming_query.h"

namespace millrace::streaming {

/// Whether the query asks for asyncProgressTrackingEnabled. Here its logs are written for each micro-batch beside the
/// micro-batch itself (log_writer.h) as they are without it, so that it only says which queries may not have it.
/// Errors: Invalid for a value that is not a Boolean, for a sink or a trigger that goes not with it, and for an
/// interval that is not a number. Source: Spark, AsyncProgressTrackingMicroBatchExecution.
arrow::Result<bool> TracksProgressAsync(const StreamingQuerySpec& spec, const connector::StreamSink& sink);

/// Why a query with state does not run then, as its first micro-batch tells.
arrow::Status StatefulWithAsyncProgress();

}  // namespace millrace::streaming
