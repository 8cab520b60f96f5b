#include "python/planner_call.h"

#include "python/wire.h"

namespace millrace::python {

arrow::Result<std::unique_ptr<PlannerCall>> PlannerCall::Start(EnvironmentPtr environment, std::string_view module,
                                                               std::string_view python_version, std::string_view body,
                                                               Failure failure, bool conversation,
                                                               const std::atomic<bool>* cancelled) {
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<Worker> worker, environment->pool->Acquire(environment->interpreter));
  std::string request;
  AppendBytes(module, &request);
  AppendBytes(python_version, &request);
  AppendBytes(environment->files_folder, &request);
  AppendInt(0, &request);  // archives in it
  if (!conversation) {
    AppendBool(false, &request);
    AppendInt(0, &request);                                     // broadcasts
    if (worker->version.AtLeast(4, 2)) AppendInt(0, &request);  // settings of a profiler
  }
  request.append(body);
  if (!conversation) AppendInt(kEndOfStream, &request);
  std::unique_ptr<PlannerCall> call(
      new PlannerCall(std::move(environment), std::move(worker), std::move(failure), cancelled));
  ARROW_RETURN_NOT_OK(call->Send(request));
  return call;
}

PlannerCall::~PlannerCall() {
  if (worker_ != nullptr) environment_->pool->Destroy(environment_->interpreter, std::move(worker_));
}

arrow::Status PlannerCall::Checked(const arrow::Status& status) const {
  if (status.ok() || status.IsCancelled()) return status;
  return WorkerCrash(environment_->interpreter.fault_folder, worker_->pid);
}

arrow::Status PlannerCall::Send(std::string_view bytes) { return Checked(worker_->socket.Send(bytes)); }

arrow::Result<int32_t> PlannerCall::ReadInt() {
  auto value = worker_->socket.ReceiveInt(cancelled_);
  if (!value.ok()) return Checked(value.status());
  if (*value != kPythonExceptionThrown) return *value;
  auto traceback = worker_->socket.ReceiveText(cancelled_);
  if (!traceback.ok()) return Checked(traceback.status());
  return failure_(std::move(*traceback));
}

arrow::Status PlannerCall::ReadFully(void* out, size_t size) {
  return Checked(worker_->socket.Receive(out, size, cancelled_));
}

arrow::Result<std::string> PlannerCall::ReadBytes() {
  ARROW_ASSIGN_OR_RAISE(int32_t size, ReadInt());
  if (size < 0) return arrow::Status::IOError("a Python worker announced ", size, " bytes");
  std::string bytes(static_cast<size_t>(size), '\0');
  ARROW_RETURN_NOT_OK(ReadFully(bytes.data(), bytes.size()));
  return bytes;
}

arrow::Status PlannerCall::Finish() {
  // What accumulators have gathered: an id and a pickle each.
  ARROW_ASSIGN_OR_RAISE(int32_t num_updates, ReadInt());
  for (int32_t i = 0; i < num_updates; ++i) ARROW_RETURN_NOT_OK(ReadBytes().status());
  ARROW_ASSIGN_OR_RAISE(int32_t end, ReadInt());
  if (end == kEndOfStream) environment_->pool->Release(environment_->interpreter, std::move(worker_));
  return arrow::Status::OK();
}

}  // namespace millrace::python
