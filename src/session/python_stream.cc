#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/ipc/reader.h>
#include <fmt/format.h>

#include <atomic>

#include "base/error.h"
#include "base/json_value.h"
#include "connector/rows_partition.h"
#include "expression/python/worker_rows.h"
#include "python/planner_call.h"
#include "python/wire.h"
#include "session/python_source.h"
#include "types/arrow_type.h"

/// A DataSourceStreamReader of the user. Source: Spark, PythonMicroBatchStream; pyspark/sql/streaming/
/// python_streaming_source_runner.py.

namespace millrace::session {

namespace {

using python::AppendBytes;
using python::AppendInt;

constexpr char kRunnerModule[] = "pyspark.sql.streaming.python_streaming_source_runner";
constexpr char kReadEverything[] = R"({"_type": "ReadAllAvailable"})";

enum Call : int32_t {
  kInitialOffset = 884,
  kLatestOffset = 885,
  kPartitions = 886,
  kCommit = 887,
  kCheckSupported = 888,
  kPrepareForAvailableNow = 889,
  kLatestOffsetWithLimit = 890,
  kDefaultReadLimit = 891,
  kReportLatestOffset = 892,
};

enum Supports : int32_t { kAdmissionControl = 1 << 0, kAvailableNow = 1 << 1 };
enum Prefetched : int32_t { kNone = 0, kRows = 1, kEmpty = 2 };

// A worker's bytes as Arrow reads them.
class CallInput final : public arrow::io::InputStream {
 public:
  explicit CallInput(python::PlannerCall* call) : call_(call) {}
  arrow::Status Close() override { return arrow::Status::OK(); }
  bool closed() const override { return false; }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Result<int64_t> Read(int64_t nbytes, void* out) override {
    ARROW_RETURN_NOT_OK(call_->ReadFully(out, static_cast<size_t>(nbytes)));
    position_ += nbytes;
    return nbytes;
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t nbytes) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(nbytes));
    ARROW_RETURN_NOT_OK(Read(nbytes, buffer->mutable_data()).status());
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }

 private:
  python::PlannerCall* call_;
  int64_t position_ = 0;
};

class PythonStream final : public connector::MicroBatchStream {
 public:
  explicit PythonStream(const connector::SourceRequest& request) : request_(request) {}

  arrow::Result<connector::SourceOffset> InitialOffset() override {
    ARROW_RETURN_NOT_OK(Ask(kInitialOffset, {}, "initialOffset"));
    ARROW_ASSIGN_OR_RAISE(std::string json, call_->ReadBytes());
    return connector::SourceOffset{std::move(json)};
  }

  arrow::Result<std::optional<connector::SourceOffset>> LatestOffset(const connector::SourceOffset& start) override {
    if (fixed_end_) return fixed_end_;
    return AskLatestOffset(start, ignores_limits_);
  }

  arrow::Result<std::optional<connector::SourceOffset>> ReportLatestOffset() override {
    ARROW_ASSIGN_OR_RAISE(int32_t supports, Features());
    if ((supports & kAdmissionControl) == 0) return std::nullopt;
    ARROW_RETURN_NOT_OK(Ask(kReportLatestOffset, {}, "reportLatestOffset"));
    ARROW_ASSIGN_OR_RAISE(std::string json, call_->ReadBytes());
    if (json.empty()) return std::nullopt;
    return connector::SourceOffset{std::move(json)};
  }

  arrow::Status PrepareForAvailableNow() override {
    ARROW_ASSIGN_OR_RAISE(int32_t supports, Features());
    if ((supports & kAvailableNow) != 0) {
      ARROW_RETURN_NOT_OK(Ask(kPrepareForAvailableNow, {}, "prepareForTriggerAvailableNow"));
      return call_->ReadInt().status();
    }
    // A reader that cannot fix its end itself is asked once, for everything.
    fixes_end_ = true;
    return arrow::Status::OK();
  }
  void IgnoreLimits() override { ignores_limits_ = true; }

  arrow::Result<connector::InputPartitions> PlanPartitions(const connector::SourceOffset& start,
                                                           const connector::SourceOffset& end,
                                                           const connector::ReadColumns& columns) override {
    ARROW_RETURN_NOT_OK(Ask(kPartitions, {start.json, end.json}, "planPartitions"));
    ARROW_ASSIGN_OR_RAISE(int32_t num_partitions, call_->ReadInt());
    std::vector<std::string> pickles;
    for (int32_t i = 0; i < num_partitions; ++i) {
      ARROW_ASSIGN_OR_RAISE(std::string pickle, call_->ReadBytes());
      pickles.push_back(std::move(pickle));
    }
    connector::InputPartitions partitions;
    ARROW_ASSIGN_OR_RAISE(int32_t prefetched, call_->ReadInt());
    if (prefetched == kEmpty) return partitions;
    if (prefetched == kRows) {
      ARROW_ASSIGN_OR_RAISE(auto rows, ReadRows(columns));
      partitions.push_back(std::make_shared<connector::RowsPartition>(std::move(rows)));
      return partitions;
    }
    if (read_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(PythonRead read, PlanPythonRead(source(), *request_.schema, /*streaming=*/true));
      read_ = std::move(read.function);
    }
    for (std::string& pickle : pickles) {
      partitions.push_back(
          MakePythonPartition(source().environment, read_, std::move(pickle), request_.schema, columns.indices));
    }
    return partitions;
  }

  // Spark has a reader plan an empty range, so that a simple one knows where it is.
  arrow::Status SeenBefore(const connector::SourceOffset& end) override {
    return PlanPartitions(end, end, {}).status();
  }

  bool commits_before_planning() const override { return true; }

  arrow::Status Commit(const connector::SourceOffset& end) override {
    ARROW_RETURN_NOT_OK(Ask(kCommit, {end.json}, "commitSource"));
    return call_->ReadInt().status();
  }

  // Java's class for what the reader can do; its identity hash stands behind the @.
  std::string Description() const override {
    int32_t supports = supports_.value_or(0);
    const char* kind = (supports & kAvailableNow) != 0       ? "WithTriggerAvailableNow"
                       : (supports & kAdmissionControl) != 0 ? "WithAdmissionControl"
                                                             : "";
    return fmt::format("org.apache.spark.sql.execution.datasources.v2.python.PythonMicroBatchStream{}@{:x}", kind,
                       static_cast<uint32_t>(reinterpret_cast<uintptr_t>(this) >> 4));
  }
  void Interrupt() override { interrupted_.store(true); }
  void Stop() override { call_.reset(); }

 private:
  const PythonDataSource& source() const { return static_cast<const PythonDataSource&>(*request_.extension); }

  arrow::Status Ask(Call call, const std::vector<std::string>& arguments, const char* action) {
    auto failure = [action](std::string traceback) {
      return UserError("PYTHON_STREAMING_DATA_SOURCE_RUNTIME_ERROR",
                       {{"action", action}, {"msg", std::move(traceback)}});
    };
    if (call_ == nullptr) {
      std::string body;
      {
        std::lock_guard lock(source().mutex);
        AppendBytes(source().instance, &body);
      }
      AppendBytes(request_.schema->ToJson(), &body);
      AppendInt(static_cast<int32_t>(source().environment->max_records_per_batch), &body);
      ARROW_ASSIGN_OR_RAISE(
          call_, python::PlannerCall::Start(source().environment, kRunnerModule, source().function->python_version,
                                            body, PythonDataSourceFailure("plan", "read"),
                                            /*conversation=*/true, &interrupted_));
      ARROW_RETURN_NOT_OK(call_->ReadInt().status());
    }
    call_->set_failure(failure);
    std::string request;
    AppendInt(call, &request);
    for (const std::string& argument : arguments) AppendBytes(argument, &request);
    return call_->Send(request);
  }

  arrow::Result<int32_t> Features() {
    if (!supports_) {
      ARROW_RETURN_NOT_OK(Ask(kCheckSupported, {}, "checkSupportedFeatures"));
      ARROW_ASSIGN_OR_RAISE(supports_, call_->ReadInt());
    }
    return *supports_;
  }

  arrow::Result<std::optional<connector::SourceOffset>> AskLatestOffset(const connector::SourceOffset& start,
                                                                        bool everything) {
    ARROW_ASSIGN_OR_RAISE(int32_t supports, Features());
    if ((supports & kAdmissionControl) == 0) {
      ARROW_RETURN_NOT_OK(Ask(kLatestOffset, {}, "latestOffset"));
    } else {
      if (limit_.empty()) {
        ARROW_RETURN_NOT_OK(Ask(kDefaultReadLimit, {}, "getDefaultReadLimit"));
        ARROW_ASSIGN_OR_RAISE(limit_, call_->ReadBytes());
      }
      std::string limit = everything || fixes_end_ ? std::string(kReadEverything) : limit_;
      ARROW_RETURN_NOT_OK(Ask(kLatestOffsetWithLimit, {start.json, limit}, "latestOffset"));
    }
    ARROW_ASSIGN_OR_RAISE(std::string json, call_->ReadBytes());
    if (json == "null") return std::nullopt;
    connector::SourceOffset latest{std::move(json)};
    if (fixes_end_) fixed_end_ = latest;
    return latest;
  }

  // What a SimpleDataSourceStreamReader has read already to know its latest offset.
  arrow::Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> ReadRows(const connector::ReadColumns& columns) {
    ARROW_ASSIGN_OR_RAISE(int32_t mark, call_->ReadInt());
    if (mark != python::kStartArrowStream) return arrow::Status::IOError("no rows where a Python worker said so");
    CallInput input(call_.get());
    ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchStreamReader::Open(&input));
    std::shared_ptr<arrow::Schema> schema = types::ToArrowSchema(*request_.schema);
    std::vector<std::shared_ptr<arrow::RecordBatch>> rows;
    while (true) {
      std::shared_ptr<arrow::RecordBatch> batch;
      ARROW_RETURN_NOT_OK(reader->ReadNext(&batch));
      if (batch == nullptr) return rows;
      arrow::ArrayVector arrays;
      for (int index : columns.indices) {
        ARROW_ASSIGN_OR_RAISE(
            auto array,
            expression::FromWorker(batch->column(index), *request_.schema->fields()[static_cast<size_t>(index)].type,
                                   python::EvalType::kMapArrowIter, arrow::default_memory_pool()));
        arrays.push_back(std::move(array));
      }
      arrow::FieldVector fields;
      for (int index : columns.indices) fields.push_back(schema->field(index));
      rows.push_back(arrow::RecordBatch::Make(arrow::schema(std::move(fields)), batch->num_rows(), std::move(arrays)));
    }
  }

  connector::SourceRequest request_;
  std::atomic<bool> interrupted_{false};
  std::unique_ptr<python::PlannerCall> call_;
  std::optional<int32_t> supports_;
  std::string limit_;
  bool ignores_limits_ = false;
  bool fixes_end_ = false;
  std::optional<connector::SourceOffset> fixed_end_;
  python::UserFunctionPtr read_;
};

}  // namespace

arrow::Result<std::unique_ptr<connector::MicroBatchStream>> OpenPythonStream(const connector::SourceRequest& request) {
  return std::make_unique<PythonStream>(request);
}

}  // namespace millrace::session
