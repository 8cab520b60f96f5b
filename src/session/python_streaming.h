#pragma once

#include <functional>
#include <memory>

#include "connector/foreach_batch/foreach_batch_sink.h"
#include "connector/sink.h"
#include "python/environment.h"
#include "python/streaming_worker.h"
#include "session/session.h"

/// Sinks whose work a user's Python function does.

namespace millrace::session {

/// The worker of foreachBatch(function), started: a function that cannot be unpickled fails the start of the query.
arrow::Result<std::shared_ptr<python::StreamingWorker>> StartForeachBatchWorker(
    const python::EnvironmentPtr& environment, const PythonClient& client, python::UserFunction function);

/// Hands each micro-batch to the worker; stopping the query stops the function.
std::unique_ptr<connector::StreamSink> MakePythonForeachBatchSink(
    std::shared_ptr<python::StreamingWorker> worker,
    std::function<arrow::Status(BatchId, connector::PartitionedRows)> process);

/// foreach(function or object): each partition of a micro-batch goes through open, process and close in a worker.
std::unique_ptr<connector::StreamSink> MakePythonForeachSink(python::EnvironmentPtr environment,
                                                             python::UserFunctionPtr function,
                                                             types::DataTypePtr schema);

}  // namespace millrace::session
