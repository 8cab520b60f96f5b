#pragma once

#include <arrow/result.h>

#include <atomic>
#include <memory>
#include <string>

#include "python/user_function.h"
#include "python/worker_pool.h"

namespace millrace::python {

/// A process that runs a user's foreachBatch function or streaming listener for as long as there is a query or session.
/// It connects back to our Spark Connect server, as the same session, to use data frames.
/// Thread: one call at a time; Stop from any thread.
class StreamingWorker {
 public:
  struct Options {
    /// "sc://localhost:15002/;user_id=": where the worker finds our server.
    std::string connect_url;
    std::string session_id;
    /// "pyspark.sql.connect.streaming.worker.foreach_batch_worker"
    std::string module;
  };

  /// Errors: UserError STREAMING_PYTHON_RUNNER_INITIALIZATION_FAILURE with the traceback, IOError without a Python.
  static arrow::Result<std::unique_ptr<StreamingWorker>> Start(WorkerPool* pool, const Interpreter& interpreter,
                                                               const Options& options, const UserFunction& function);

  /// One micro-batch: the frame is the cached relation `relation_id`.
  /// Errors: UserError PYTHON_EXCEPTION; IOError when the process died; Cancelled after Stop.
  arrow::Status ProcessBatch(const std::string& relation_id, int64_t batch_id, const std::string& user_id);
  /// One event of a query, as JSON: 0 started, 1 progress, 2 idle, 3 terminated.
  arrow::Status ProcessEvent(const std::string& event_json, int32_t event_type);
  /// Makes a running call return. The process ends with this object.
  void Stop() { stopped_.store(true); }
  /// Ends the process. Not during a call.
  void End() {
    Stop();
    single_.process.Kill();
  }

 private:
  StreamingWorker(WorkerPool::Single single, std::string session_id)
      : single_(std::move(single)), session_id_(std::move(session_id)) {}

  WorkerPool::Single single_;
  std::string session_id_;
  std::atomic<bool> stopped_{false};
};

}  // namespace millrace::python
