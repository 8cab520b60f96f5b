#include "physical/stateful/processor_variables.h"

#include "base/error.h"
#include "physical/stateful/state_server.h"
#include "python/wire.h"
#include "python/worker_pool.h"

namespace millrace::physical {

namespace {

constexpr std::string_view kModule = "pyspark.sql.streaming.transform_with_state_driver_worker";

// 0, or what went wrong with its traceback.
arrow::Status ReceiveDone(python::WorkerSocket* socket) {
  ARROW_ASSIGN_OR_RAISE(int32_t answer, socket->ReceiveInt());
  if (answer == 0) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(std::string traceback, socket->ReceiveText());
  return UserError("STREAMING_PYTHON_RUNNER_INITIALIZATION_FAILURE",
                   {{"resFromPython", std::to_string(answer)}, {"msg", traceback}});
}

}  // namespace

// Source: Spark, TransformWithStateInPySparkPythonPreInitRunner.
arrow::Result<std::vector<StateVariable>> DeclaredVariables(const python::Environment& environment,
                                                            const python::UserFunction& function,
                                                            const types::DataTypePtr& key_type, TimeMode time_mode) {
  StateServerSpec spec;
  spec.key_type = key_type;
  spec.time_mode = time_mode;
  ARROW_ASSIGN_OR_RAISE(auto server, StateServer::Start(std::move(spec), nullptr));
  ARROW_ASSIGN_OR_RAISE(auto worker, environment.pool->StartSingle(environment.interpreter, std::string(kModule), {}));
  std::string hello;
  python::AppendBytes(function.python_version, &hello);
  python::AppendBytes(function.command, &hello);
  ARROW_RETURN_NOT_OK(worker.socket.Send(hello));
  ARROW_RETURN_NOT_OK(ReceiveDone(&worker.socket));
  std::string request;
  python::AppendInt(-1, &request);  // a path follows
  python::AppendBytes(server->path(), &request);
  python::AppendBytes(key_type->ToJson(), &request);
  ARROW_RETURN_NOT_OK(worker.socket.Send(request));
  ARROW_RETURN_NOT_OK(ReceiveDone(&worker.socket));
  ARROW_RETURN_NOT_OK(server->Finish(true));
  return server->TakeDeclared();
}

}  // namespace millrace::physical
