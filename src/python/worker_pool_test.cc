#include "python/worker_pool.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "python/task_stream.h"
#include "python/wire.h"

namespace millrace::python {
namespace {

Interpreter TestInterpreter() {
  const char* python = std::getenv("MILLRACE_TEST_PYTHON");
  return {python == nullptr ? ".venv/bin/python" : python, {}};
}

std::string Output(const std::string& command) {
  std::string text;
  FILE* pipe = ::popen(command.c_str(), "r");
  char chunk[4096];
  for (size_t got; (got = ::fread(chunk, 1, sizeof(chunk), pipe)) > 0;) text.append(chunk, got);
  ::pclose(pipe);
  return text;
}

// The client's pickle of (function, return type).
UserFunctionPtr Pickled(EvalType type, const std::string& function, const std::string& return_type) {
  auto made = std::make_shared<UserFunction>();
  made->name = "f";
  made->eval_type = type;
  std::string script =
      "import sys; from pyspark.serializers import CloudPickleSerializer as S; "
      "from pyspark.sql.types import *; sys.stdout.buffer.write(S().dumps((" +
      function + ", " + return_type + ")))";
  made->command = Output(TestInterpreter().executable + " -c '" + script + "'");
  made->python_version =
      Output(TestInterpreter().executable + " -c 'import sys; sys.stdout.write(\"%d.%d\" % sys.version_info[:2])'");
  return made;
}

EnvironmentPtr TestEnvironment() {
  auto environment = std::make_shared<Environment>();
  environment->pool = std::make_shared<WorkerPool>();
  environment->interpreter = TestInterpreter();
  return environment;
}

TaskSpec SpecOf(UserFunctionPtr function) {
  TaskSpec spec;
  spec.eval_type = function->eval_type;
  spec.calls = {{{std::move(function)}, {{0, ""}}}};
  return spec;
}

std::shared_ptr<arrow::RecordBatch> Numbers(int64_t first, int64_t count) {
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < count; ++i) EXPECT_TRUE(builder.Append(first + i).ok());
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("_0", arrow::int64())}), count,
                                  {builder.Finish().ValueOrDie()});
}

// `num_batches` batches of 10,000 numbers, as one Arrow stream.
InputWriter NumberInput(int num_batches) {
  struct State {
    std::shared_ptr<arrow::io::BufferOutputStream> sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
    std::shared_ptr<arrow::ipc::RecordBatchWriter> writer;
    int next = 0;
  };
  auto state = std::make_shared<State>();
  return [state, num_batches](std::string* out) -> arrow::Result<bool> {
    if (state->writer == nullptr) {
      ARROW_ASSIGN_OR_RAISE(state->writer, arrow::ipc::MakeStreamWriter(state->sink, Numbers(0, 0)->schema()));
    }
    bool more = state->next < num_batches;
    if (more) {
      ARROW_RETURN_NOT_OK(state->writer->WriteRecordBatch(*Numbers(state->next++ * 10000, 10000)));
    } else {
      ARROW_RETURN_NOT_OK(state->writer->Close());
    }
    ARROW_ASSIGN_OR_RAISE(auto buffer, state->sink->Finish());
    out->append(buffer->ToString());
    ARROW_RETURN_NOT_OK(state->sink->Reset());
    return more;
  };
}

arrow::Result<int64_t> SumOf(TaskStream* task) {
  int64_t sum = 0;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(auto batch, task->NextBatch());
    if (batch == nullptr) return sum;
    const auto& column = static_cast<const arrow::Int64Array&>(*batch->column(0));
    for (int64_t i = 0; i < column.length(); ++i) sum += column.Value(i);
  }
}

TEST(WorkerPool, RunsAScalarFunctionAndReusesTheWorker) {
  EnvironmentPtr environment = TestEnvironment();
  UserFunctionPtr function = Pickled(EvalType::kScalarPandas, "lambda s: s + 1", "LongType()");
  pid_t first = 0;
  for (int run = 0; run < 3; ++run) {
    auto task =
        TaskStream::Start(environment, SpecOf(function), NumberInput(30), nullptr, arrow::default_memory_pool());
    ASSERT_TRUE(task.ok()) << task.status();
    EXPECT_EQ(SumOf(task->get()).ValueOrDie(), 300000LL * 300001 / 2);
    EXPECT_EQ(environment->pool->num_idle(), 1u);
    auto worker = environment->pool->Acquire(environment->interpreter).ValueOrDie();
    if (run == 0) first = worker->pid;
    EXPECT_EQ(worker->pid, first);
    environment->pool->Release(environment->interpreter, std::move(worker));
  }
}

TEST(WorkerPool, AFunctionThatRaisesGivesItsTraceback) {
  EnvironmentPtr environment = TestEnvironment();
  UserFunctionPtr function =
      Pickled(EvalType::kScalarPandas, "lambda s: s / 0 if False else {}[\"no such\"]", "LongType()");
  auto task = TaskStream::Start(environment, SpecOf(function), NumberInput(3), nullptr, arrow::default_memory_pool());
  ASSERT_TRUE(task.ok()) << task.status();
  arrow::Status failed = SumOf(task->get()).status();
  EXPECT_TRUE(IsErrorCondition(failed, "PYTHON_EXCEPTION")) << failed;
  EXPECT_NE(failed.message().find("KeyError: 'no such'"), std::string::npos) << failed;
}

TEST(WorkerPool, AWorkerThatDiesIsAnErrorAndANewOneComes) {
  EnvironmentPtr environment = TestEnvironment();
  UserFunctionPtr function = Pickled(EvalType::kScalarPandas, "lambda s: __import__(\"os\")._exit(3)", "LongType()");
  auto task = TaskStream::Start(environment, SpecOf(function), NumberInput(3), nullptr, arrow::default_memory_pool());
  ASSERT_TRUE(task.ok()) << task.status();
  arrow::Status failed = SumOf(task->get()).status();
  EXPECT_NE(failed.message().find("Python worker exited unexpectedly (crashed)"), std::string::npos) << failed;
  UserFunctionPtr good = Pickled(EvalType::kScalarPandas, "lambda s: s", "LongType()");
  auto again = TaskStream::Start(environment, SpecOf(good), NumberInput(1), nullptr, arrow::default_memory_pool());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(SumOf(again->get()).ValueOrDie(), 9999LL * 10000 / 2);
}

TEST(WorkerPool, AnInputThatFailsIsTheTasksError) {
  EnvironmentPtr environment = TestEnvironment();
  UserFunctionPtr function = Pickled(EvalType::kScalarPandas, "lambda s: s", "LongType()");
  auto input = [](std::string*) -> arrow::Result<bool> { return UserError("DIVIDE_BY_ZERO", {{"config", "x"}}); };
  auto task = TaskStream::Start(environment, SpecOf(function), input, nullptr, arrow::default_memory_pool());
  ASSERT_TRUE(task.ok()) << task.status();
  EXPECT_TRUE(IsErrorCondition(SumOf(task->get()).status(), "DIVIDE_BY_ZERO"));
}

TEST(WorkerPool, NoPythonSaysWhatWasTried) {
  WorkerPool pool;
  arrow::Status failed = pool.Acquire({"no-such-python", {}}).status();
  EXPECT_NE(failed.message().find("Cannot run program \"no-such-python\""), std::string::npos) << failed;
}

TEST(WorkerPool, AnInterpreterWithoutPysparkSaysSo) {
  WorkerPool pool;
  arrow::Status failed = pool.Acquire({"/usr/bin/python3", {}}).status();
  if (failed.ok()) GTEST_SKIP() << "the system's Python has pyspark";
  EXPECT_NE(failed.message().find("ModuleNotFoundError"), std::string::npos) << failed;
}

TEST(WorkerPool, ProcessesEndWithThePool) {
  pid_t worker = 0;
  {
    WorkerPool pool;
    auto acquired = pool.Acquire(TestInterpreter());
    ASSERT_TRUE(acquired.ok()) << acquired.status();
    worker = (*acquired)->pid;
    EXPECT_EQ(::kill(worker, 0), 0);
    // Still held, as by a task in its middle.
    (void)acquired->release();
  }
  for (int i = 0; i < 100 && ::kill(worker, 0) == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_NE(::kill(worker, 0), 0);
}

TEST(TaskProtocol, HeadersOfOlderWorkersHoldTheTaskInFields) {
  auto function = std::make_shared<UserFunction>();
  function->eval_type = EvalType::kArrowBatched;
  function->command = "C";
  function->python_version = "3.11";
  TaskSpec spec = SpecOf(function);
  spec.conf = {{"k", "v"}};
  spec.eval_conf = {{"input_type", "T"}};
  std::string newest = TaskHeader(spec, {"4.2.0", "3.11"});
  EXPECT_NE(newest.find("\"partitionId\":0"), std::string::npos);
  EXPECT_NE(newest.find("input_type"), std::string::npos);
  std::string middle = TaskHeader(spec, {"4.1.1", "3.11"});
  EXPECT_EQ(middle.find("partitionId"), std::string::npos);
  EXPECT_EQ(middle.find("input_type"), std::string::npos);
  // Port and secret of the barrier are there in 4.0 only, the input's type from 4.1 on.
  std::string oldest = TaskHeader(spec, {"4.0.1", "3.11"});
  EXPECT_EQ(static_cast<int>(middle.size()) - static_cast<int>(oldest.size()), 4 + 1 - 8);
}

}  // namespace
}  // namespace millrace::python
