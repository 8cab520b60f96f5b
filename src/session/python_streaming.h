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

/// The worker of foreachBatch(function), or of a listener, started: one that cannot be unpickled fails here.
/// `module` is one of pyspark.sql.connect.streaming.worker.
arrow::Result<std::shared_ptr<python::StreamingWorker>> StartStreamingWorker(const python::EnvironmentPtr& environment,
                                                                             const PythonClient& client,
                                                                             const std::string& module,
                                                                             python::UserFunction function);

/// Hands each micro-batch to the worker; stopping the query stops the function.
std::unique_ptr<connector::StreamSink> MakePythonForeachBatchSink(std::shared_ptr<python::StreamingWorker> worker,
                                                                  connector::BatchFunction process);

/// foreach(function or object): each partition of a micro-batch goes through open, process and close in a worker.
std::unique_ptr<connector::StreamSink> MakePythonForeachSink(python::EnvironmentPtr environment,
                                                             python::UserFunctionPtr function,
                                                             types::DataTypePtr schema);

}  // namespace millrace::session
