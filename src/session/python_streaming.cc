#include "session/python_streaming.h"

#include <atomic>

#include "connector/collected_rows.h"
#include "connector/foreach_batch/foreach_batch_sink.h"
#include "expression/python/pickled_rows.h"
#include "python/task_stream.h"

namespace millrace::session {

namespace {

class PythonForeachBatchSink final : public connector::StreamSink {
 public:
  PythonForeachBatchSink(std::shared_ptr<python::StreamingWorker> worker, std::unique_ptr<connector::StreamSink> inner)
      : worker_(std::move(worker)), inner_(std::move(inner)) {}

  arrow::Result<std::unique_ptr<connector::Write>> Begin(BatchId batch_id) override { return inner_->Begin(batch_id); }
  std::string Description() const override { return inner_->Description(); }
  void Interrupt() override { worker_->Stop(); }
  void Stop() override {
    worker_->End();
    inner_->Stop();
  }

 private:
  std::shared_ptr<python::StreamingWorker> worker_;
  std::unique_ptr<connector::StreamSink> inner_;
};

/// What all writers of a query share.
struct ForeachSpec {
  python::EnvironmentPtr environment;
  python::UserFunctionPtr function;
  types::DataTypePtr schema;
  std::atomic<bool> stopped{false};
};

// Gathers a partition's rows; the function sees them when all are there, as one iterator.
class ForeachWriter final : public connector::DataWriter {
 public:
  ForeachWriter(std::shared_ptr<const ForeachSpec> spec, BatchId batch_id, int partition)
      : spec_(std::move(spec)), batch_id_(batch_id), partition_(partition) {}

  arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& rows) override { return rows_.Write(rows); }

  arrow::Result<connector::WriterCommitMessage> Commit() override {
    ARROW_ASSIGN_OR_RAISE(connector::WriterCommitMessage message, rows_.Commit());
    connector::CollectingWriter::Rows batches = connector::CollectingWriter::Take(message);
    python::TaskSpec task;
    task.conf = spec_->environment->conf;
    task.partition = partition_;
    task.calls = {{{spec_->function}, {}}};
    task.local_properties["streaming.sql.batchId"] = std::to_string(batch_id_.value);
    size_t next = 0;
    auto write = [&](std::string* out) -> arrow::Result<bool> {
      if (next == batches.size()) {
        expression::AppendEndOfPickles(out);
        return false;
      }
      ARROW_RETURN_NOT_OK(expression::AppendPickledStructs(*batches[next++], *spec_->schema, out));
      return true;
    };
    ARROW_ASSIGN_OR_RAISE(auto stream,
                          python::TaskStream::StartWith(python::PlainTaskHeader, spec_->environment, task, write,
                                                        &spec_->stopped, arrow::default_memory_pool()));
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto pickle, stream->NextPickle());
      if (!pickle) return connector::WriterCommitMessage();
    }
  }

  void Abort() override { rows_.Abort(); }

 private:
  std::shared_ptr<const ForeachSpec> spec_;
  BatchId batch_id_;
  int partition_;
  connector::CollectingWriter rows_;
};

class ForeachWrite final : public connector::Write {
 public:
  ForeachWrite(std::shared_ptr<const ForeachSpec> spec, BatchId batch_id)
      : spec_(std::move(spec)), batch_id_(batch_id) {}
  arrow::Result<std::unique_ptr<connector::DataWriter>> OpenWriter(int task_index) override {
    return std::make_unique<ForeachWriter>(spec_, batch_id_, task_index);
  }
  arrow::Status Commit(std::vector<connector::WriterCommitMessage>) override { return arrow::Status::OK(); }
  void Abort() override {}

 private:
  std::shared_ptr<const ForeachSpec> spec_;
  BatchId batch_id_;
};

class ForeachSink final : public connector::StreamSink {
 public:
  explicit ForeachSink(std::shared_ptr<ForeachSpec> spec) : spec_(std::move(spec)) {}
  arrow::Result<std::unique_ptr<connector::Write>> Begin(BatchId batch_id) override {
    return std::make_unique<ForeachWrite>(spec_, batch_id);
  }
  std::string Description() const override { return "ForeachWriterTable"; }
  bool reports_num_output_rows() const override { return true; }
  void Interrupt() override { spec_->stopped.store(true); }

 private:
  std::shared_ptr<ForeachSpec> spec_;
};

}  // namespace

arrow::Result<std::shared_ptr<python::StreamingWorker>> StartStreamingWorker(const python::EnvironmentPtr& environment,
                                                                             const PythonClient& client,
                                                                             const std::string& module,
                                                                             python::UserFunction function) {
  python::StreamingWorker::Options options{client.connect_url, client.session_id, module};
  ARROW_ASSIGN_OR_RAISE(auto worker, python::StreamingWorker::Start(environment->pool.get(), environment->interpreter,
                                                                    options, function));
  return std::shared_ptr<python::StreamingWorker>(std::move(worker));
}

std::unique_ptr<connector::StreamSink> MakePythonForeachBatchSink(std::shared_ptr<python::StreamingWorker> worker,
                                                                  connector::BatchFunction process) {
  return std::make_unique<PythonForeachBatchSink>(std::move(worker),
                                                  connector::MakeForeachBatchSink(std::move(process)));
}

std::unique_ptr<connector::StreamSink> MakePythonForeachSink(python::EnvironmentPtr environment,
                                                             python::UserFunctionPtr function,
                                                             types::DataTypePtr schema) {
  auto spec = std::make_shared<ForeachSpec>();
  spec->environment = std::move(environment);
  spec->function = std::move(function);
  spec->schema = std::move(schema);
  return std::make_unique<ForeachSink>(std::move(spec));
}

}  // namespace millrace::session
