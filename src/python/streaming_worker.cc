#include "python/streaming_worker.h"

#include "base/error.h"
#include "python/wire.h"

namespace millrace::python {

arrow::Result<std::unique_ptr<StreamingWorker>> StreamingWorker::Start(WorkerPool* pool, const Interpreter& interpreter,
                                                                       const Options& options,
                                                                       const UserFunction& function) {
  ARROW_ASSIGN_OR_RAISE(
      WorkerPool::Single single,
      pool->StartSingle(interpreter, options.module, {{"SPARK_CONNECT_LOCAL_URL", options.connect_url}}));
  std::string hello;
  AppendBytes(function.python_version, &hello);
  AppendBytes(options.session_id, &hello);
  AppendBytes(function.command, &hello);
  arrow::Status sent = single.socket.Send(hello);
  arrow::Result<int32_t> answer = sent.ok() ? single.socket.ReceiveInt() : arrow::Result<int32_t>(sent);
  if (!answer.ok()) {
    return UserError("STREAMING_PYTHON_RUNNER_INITIALIZATION_COMMUNICATION_FAILURE",
                     {{"msg", answer.status().message()}});
  }
  if (*answer != 0) {
    ARROW_ASSIGN_OR_RAISE(std::string traceback, single.socket.ReceiveText());
    return UserError("STREAMING_PYTHON_RUNNER_INITIALIZATION_FAILURE",
                     {{"resFromPython", std::to_string(*answer)}, {"msg", traceback}});
  }
  return std::unique_ptr<StreamingWorker>(new StreamingWorker(std::move(single), options.session_id));
}

namespace {

// What the function's own failure says. Under `millrace submit` it ran in the job's process, and the worker only tells.
std::string BatchFailure(const std::string& where, const std::string& traceback) {
  constexpr std::string_view kOfTheJob = "millrace.driver_call.BatchFailed: ";
  if (size_t at = traceback.find(kOfTheJob); at != std::string::npos) return traceback.substr(at + kOfTheJob.size());
  return UserError("PYTHON_EXCEPTION",
                   {{"msg", where + "Found error inside foreachBatch Python process"}, {"traceback", traceback}})
      .message();
}

}  // namespace

arrow::Status StreamingWorker::ProcessBatch(const std::string& relation_id, int64_t batch_id,
                                            const std::string& user_id) {
  std::string where = "[session: " + session_id_ + "] [userId: " + user_id + "] ";
  std::string request;
  AppendBytes(relation_id, &request);
  AppendLong(batch_id, &request);
  arrow::Status sent = single_.socket.Send(request);
  arrow::Result<int32_t> answer = sent.ok() ? single_.socket.ReceiveInt(&stopped_) : arrow::Result<int32_t>(sent);
  if (answer.status().IsCancelled()) return answer.status();
  if (!answer.ok()) return arrow::Status::IOError(where, "Python worker exited unexpectedly (crashed)");
  if (*answer == 0) return arrow::Status::OK();
  if (*answer != kPythonExceptionThrown) {
    return arrow::Status::IOError(where, "Unexpected return value ", *answer, " from the foreachBatch function");
  }
  ARROW_ASSIGN_OR_RAISE(std::string traceback, single_.socket.ReceiveText(&stopped_));
  return UserError("FOREACH_BATCH_USER_FUNCTION_ERROR", {{"reason", BatchFailure(where, traceback)}});
}

arrow::Status StreamingWorker::ProcessEvent(const std::string& event_json, int32_t event_type) {
  std::string request;
  AppendBytes(event_json, &request);
  AppendInt(event_type, &request);
  ARROW_RETURN_NOT_OK(single_.socket.Send(request));
  ARROW_ASSIGN_OR_RAISE(int32_t answer, single_.socket.ReceiveInt(&stopped_));
  if (answer == 0) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(std::string traceback, single_.socket.ReceiveText(&stopped_));
  return UserError("PYTHON_EXCEPTION",
                   {{"msg", "Found error inside Streaming query listener Python process for function onQueryEvent"},
                    {"traceback", traceback}});
}

}  // namespace millrace::python
