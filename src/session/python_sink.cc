#include <arrow/array.h>
#include <fmt/format.h>

#include <atomic>

#include "base/error.h"
#include "connector/collected_rows.h"
#include "expression/python/worker_rows.h"
#include "python/planner_call.h"
#include "python/task_stream.h"
#include "python/wire.h"
#include "session/python_source.h"
#include "types/arrow_type.h"

/// A DataSourceWriter or DataSourceStreamWriter of the user. Source: Spark, PythonWrite, PythonStreamingWrite;
/// pyspark/sql/worker/write_into_data_source.py.

namespace millrace::session {

namespace {

using python::AppendBool;
using python::AppendBytes;
using python::AppendInt;

// None: what a task that has failed tells the abort.
constexpr char kPickledNone[] = "N.";

/// What all tasks of a write share.
struct WriteSpec {
  std::shared_ptr<const PythonDataSource> source;
  python::UserFunctionPtr write;
  /// The pickled writer (batch).
  std::string writer;
  bool overwrite = false;
  types::DataTypePtr schema;
  std::vector<types::StructField> fields;
  std::shared_ptr<arrow::Schema> worker_schema;
  std::atomic<bool> stopped{false};
};

types::DataTypePtr MessageType() { return types::Struct({{"pickledCommitMessage", types::Binary(), false, ""}}); }

// Gathers a partition's rows; the function sees them when all are there, as one iterator.
class PythonDataWriter final : public connector::DataWriter {
 public:
  PythonDataWriter(std::shared_ptr<const WriteSpec> spec, int partition)
      : spec_(std::move(spec)), partition_(partition), cutter_(spec_->worker_schema, *spec_->source->environment) {}

  arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& rows) override {
    cutter_.Add(expression::ForWorker(spec_->worker_schema, rows->columns(), rows->num_rows()));
    return arrow::Status::OK();
  }

  arrow::Result<connector::WriterCommitMessage> Commit() override {
    python::TaskSpec task;
    task.eval_type = python::EvalType::kMapArrowIter;
    task.conf = spec_->source->environment->conf;
    task.calls = {{{spec_->write}, {{0, ""}}}};
    task.partition = partition_;
    auto write = [this](std::string* out) { return WriteInput(out); };
    ARROW_ASSIGN_OR_RAISE(auto stream, python::TaskStream::Start(spec_->source->environment, task, write,
                                                                 &spec_->stopped, arrow::default_memory_pool()));
    types::DataTypePtr type = MessageType();
    connector::WriterCommitMessage message;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto batch, stream->NextBatch());
      if (batch == nullptr) return message;
      if (batch->num_rows() == 0) continue;
      ARROW_ASSIGN_OR_RAISE(auto rows,
                            expression::RowsOfStruct(batch, types::ToArrowSchema(*type), {types::Binary()},
                                                     python::EvalType::kMapArrowIter, arrow::default_memory_pool()));
      message = std::string(static_cast<const arrow::BinaryArray&>(*rows->column(0)).GetView(0));
    }
  }

  void Abort() override {}

 private:
  arrow::Result<bool> WriteInput(std::string* out) {
    ARROW_ASSIGN_OR_RAISE(auto batch, cutter_.Next(/*last=*/true, arrow::default_memory_pool()));
    bool more = batch != nullptr;
    if (!more) {
      ARROW_ASSIGN_OR_RAISE(batch, arrow::RecordBatch::MakeEmpty(spec_->worker_schema));
    }
    ARROW_ASSIGN_OR_RAISE(auto wrapped, expression::AsStruct(batch));
    if (pieces_ == nullptr) pieces_ = std::make_unique<expression::ArrowPieces>(wrapped->schema());
    if (more) {
      ARROW_RETURN_NOT_OK(pieces_->Write(*wrapped, out));
    } else {
      ARROW_RETURN_NOT_OK(pieces_->End(out));
    }
    return more;
  }

  std::shared_ptr<const WriteSpec> spec_;
  int partition_;
  expression::BatchCutter cutter_;
  std::unique_ptr<expression::ArrowPieces> pieces_;
};

std::string PickledMessages(const std::vector<connector::WriterCommitMessage>& messages) {
  std::string out;
  AppendInt(static_cast<int32_t>(messages.size()), &out);
  for (const connector::WriterCommitMessage& message : messages) {
    const auto* pickle = std::any_cast<std::string>(&message);
    AppendBytes(pickle == nullptr ? kPickledNone : *pickle, &out);
  }
  return out;
}

class PythonWrite final : public connector::Write {
 public:
  PythonWrite(std::shared_ptr<const WriteSpec> spec, std::optional<BatchId> batch_id)
      : spec_(std::move(spec)), batch_id_(batch_id) {}

  arrow::Result<std::unique_ptr<connector::DataWriter>> OpenWriter(int task_index) override {
    return std::make_unique<PythonDataWriter>(spec_, task_index);
  }
  arrow::Status Commit(std::vector<connector::WriterCommitMessage> messages) override {
    arrow::Status committed = End(messages, /*abort=*/false);
    if (!committed.ok()) (void)End(messages, /*abort=*/true);
    return committed;
  }
  void Abort() override { (void)End({}, /*abort=*/true); }

 private:
  arrow::Status End(const std::vector<connector::WriterCommitMessage>& messages, bool abort) {
    const PythonDataSource& source = *spec_->source;
    std::string body;
    std::string module = "pyspark.sql.worker.commit_data_source_write";
    auto failure = PythonDataSourceFailure(abort ? "abort" : "commit", "write");
    if (batch_id_) {
      module = "pyspark.sql.worker.python_streaming_sink_runner";
      failure = [abort](std::string traceback) {
        return UserError("PYTHON_STREAMING_DATA_SOURCE_RUNTIME_ERROR",
                         {{"action", abort ? "abort" : "commit"}, {"msg", std::move(traceback)}});
      };
      {
        std::lock_guard lock(source.mutex);
        AppendBytes(source.instance, &body);
      }
      AppendBytes(spec_->schema->ToJson(), &body);
      AppendBool(spec_->overwrite, &body);
    } else {
      AppendBytes(spec_->writer, &body);
    }
    body += PickledMessages(messages);
    if (batch_id_) python::AppendLong(batch_id_->value, &body);
    AppendBool(abort, &body);
    ARROW_ASSIGN_OR_RAISE(auto call, python::PlannerCall::Start(source.environment, module,
                                                                source.function->python_version, body, failure));
    ARROW_RETURN_NOT_OK(call->ReadInt().status());
    return call->Finish();
  }

  std::shared_ptr<const WriteSpec> spec_;
  std::optional<BatchId> batch_id_;
};

class PythonSink final : public connector::StreamSink {
 public:
  explicit PythonSink(std::shared_ptr<WriteSpec> spec) : spec_(std::move(spec)) {}
  arrow::Result<std::unique_ptr<connector::Write>> Begin(BatchId batch_id) override {
    return std::make_unique<PythonWrite>(spec_, batch_id);
  }
  // Java's identity hash stands behind the @.
  std::string Description() const override {
    return fmt::format("org.apache.spark.sql.execution.datasources.v2.python.PythonTable@{:x}",
                       static_cast<uint32_t>(reinterpret_cast<uintptr_t>(this) >> 4));
  }
  void Interrupt() override { spec_->stopped.store(true); }

 private:
  std::shared_ptr<WriteSpec> spec_;
};

arrow::Result<std::shared_ptr<WriteSpec>> PlanWrite(const connector::SinkRequest& request, bool overwrite,
                                                    bool streaming) {
  auto spec = std::make_shared<WriteSpec>();
  spec->source = std::static_pointer_cast<const PythonDataSource>(request.extension);
  spec->overwrite = overwrite;
  spec->schema = request.schema;
  spec->fields = request.schema->fields();
  const PythonDataSource& source = *spec->source;
  Options options = request.options;
  if (!request.path.empty()) options.Set("path", request.path);
  if (streaming) ARROW_RETURN_NOT_OK(CreatePythonDataSource(source, options, request.schema).status());
  ARROW_ASSIGN_OR_RAISE(spec->worker_schema, expression::WorkerSchema(spec->fields, *source.environment));
  std::string body;
  AppendBytes(source.function->command, &body);
  AppendBytes(source.name, &body);
  AppendBytes(request.schema->ToJson(), &body);
  AppendBytes(MessageType()->ToJson(), &body);
  AppendInt(static_cast<int32_t>(options.entries().size()), &body);
  for (const auto& [lower, entry] : options.entries()) {
    AppendBytes(entry.key, &body);
    AppendBytes(entry.value, &body);
  }
  AppendBool(overwrite, &body);
  AppendBool(streaming, &body);
  auto as_bytes = source.environment->conf.find("spark.sql.execution.pyspark.binaryAsBytes");
  AppendBool(as_bytes == source.environment->conf.end() || as_bytes->second == "true", &body);
  ARROW_ASSIGN_OR_RAISE(
      auto call,
      python::PlannerCall::Start(source.environment, "pyspark.sql.worker.write_into_data_source",
                                 source.function->python_version, body, PythonDataSourceFailure("plan", "write")));
  auto write = std::make_shared<python::UserFunction>();
  write->name = "write_into_data_source";
  write->eval_type = python::EvalType::kMapArrowIter;
  write->python_version = source.function->python_version;
  ARROW_ASSIGN_OR_RAISE(write->command, call->ReadBytes());
  ARROW_ASSIGN_OR_RAISE(spec->writer, call->ReadBytes());
  ARROW_RETURN_NOT_OK(call->Finish());
  spec->write = std::move(write);
  return spec;
}

arrow::Result<std::unique_ptr<connector::Write>> OpenBatch(const connector::SinkRequest& request) {
  bool overwrite = request.save_mode == connector::SaveMode::kOverwrite;
  if (!overwrite && request.save_mode != connector::SaveMode::kAppend) {
    bool ignore = request.save_mode == connector::SaveMode::kIgnore;
    return UserError("UNSUPPORTED_DATA_SOURCE_SAVE_MODE",
                     {{"source", static_cast<const PythonDataSource&>(*request.extension).name},
                      {"createMode", ignore ? "\"Ignore\"" : "\"ErrorIfExists\""}});
  }
  ARROW_ASSIGN_OR_RAISE(auto spec, PlanWrite(request, overwrite, /*streaming=*/false));
  return std::make_unique<PythonWrite>(std::move(spec), std::nullopt);
}

arrow::Result<std::unique_ptr<connector::StreamSink>> OpenStream(const connector::SinkRequest& request) {
  bool overwrite = request.output_mode == connector::OutputMode::kComplete;
  ARROW_ASSIGN_OR_RAISE(auto spec, PlanWrite(request, overwrite, /*streaming=*/true));
  return std::make_unique<PythonSink>(std::move(spec));
}

}  // namespace

const connector::SinkDef kPythonSink = {
    .name = "python",
    .description = "a data source that the session registered",
    .options = {},
    .output_modes = 7,
    .reports_num_output_rows = true,
    .open_stream = OpenStream,
    .open_batch = OpenBatch,
};

}  // namespace millrace::session
