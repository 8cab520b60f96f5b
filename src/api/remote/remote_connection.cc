#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>

#include <mutex>

#include "api/connection.h"
#include "api/remote/remote_channel.h"
#include "api/remote/remote_query.h"
#include "base/error.h"
#include "base/ids.h"
#include "spark/connect/commands.pb.h"
#include "spark/connect/relations.pb.h"
#include "sql/data_type_proto.h"

namespace millrace::api {

namespace {

namespace connect = spark::connect;
using connect::Relation;

/// What would have to run inside the server is C++ of this process.
arrow::Status OnlyHere(const std::string& what) {
  return UserError("UNSUPPORTED_CALL.WITHOUT_SUGGESTION",
                   {{"methodName", what}, {"className", "millrace::Session of a remote server"}});
}

class RemoteConnection final : public Connection {
 public:
  explicit RemoteConnection(RemoteUrl url) : channel_(std::make_shared<RemoteChannel>(std::move(url))) {}
  ~RemoteConnection() override { (void)channel_->ReleaseSession(); }

  /// Finds out whether somebody answers.
  arrow::Status Greet() {
    connect::AnalyzePlanRequest request;
    (void)request.mutable_spark_version();
    return channel_->Analyze(std::move(request)).status();
  }

  arrow::Result<types::DataTypePtr> Schema(const Relation& relation) override {
    ARROW_RETURN_NOT_OK(CheckRunsThere(relation));
    connect::AnalyzePlanRequest request;
    *request.mutable_schema()->mutable_plan()->mutable_root() = relation;
    ARROW_ASSIGN_OR_RAISE(auto response, channel_->Analyze(std::move(request)));
    return sql::DataTypeFromProto(response.schema().schema());
  }

  arrow::Result<bool> IsStreaming(const Relation& relation) override {
    ARROW_RETURN_NOT_OK(CheckRunsThere(relation));
    connect::AnalyzePlanRequest request;
    *request.mutable_is_streaming()->mutable_plan()->mutable_root() = relation;
    ARROW_ASSIGN_OR_RAISE(auto response, channel_->Analyze(std::move(request)));
    return response.is_streaming().is_streaming();
  }

  arrow::Result<std::string> Explain(const Relation& relation, bool extended) override {
    ARROW_RETURN_NOT_OK(CheckRunsThere(relation));
    connect::AnalyzePlanRequest request;
    *request.mutable_explain()->mutable_plan()->mutable_root() = relation;
    request.mutable_explain()->set_explain_mode(extended ? connect::AnalyzePlanRequest::Explain::EXPLAIN_MODE_EXTENDED
                                                         : connect::AnalyzePlanRequest::Explain::EXPLAIN_MODE_SIMPLE);
    ARROW_ASSIGN_OR_RAISE(auto response, channel_->Analyze(std::move(request)));
    return response.explain().explain_string();
  }

  arrow::Result<RecordBatches> Execute(const Relation& relation) override {
    ARROW_RETURN_NOT_OK(CheckRunsThere(relation));
    connect::Plan plan;
    *plan.mutable_root() = relation;
    RecordBatches batches;
    ARROW_RETURN_NOT_OK(channel_->Execute(plan, [&](const connect::ExecutePlanResponse& response) -> arrow::Status {
      if (!response.has_arrow_batch()) return arrow::Status::OK();
      auto buffer = arrow::Buffer::FromString(response.arrow_batch().data());
      ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchStreamReader::Open(
                                             std::make_shared<arrow::io::BufferReader>(std::move(buffer))));
      std::shared_ptr<arrow::RecordBatch> batch;
      for (;;) {
        ARROW_RETURN_NOT_OK(reader->ReadNext(&batch));
        if (batch == nullptr) return arrow::Status::OK();
        if (batch->num_rows() > 0) batches.push_back(std::move(batch));
      }
    }));
    return batches;
  }

  arrow::Status ForeachPartition(const Relation&, const PartitionFunction&) override {
    return OnlyHere("ForeachPartition");
  }

  arrow::Status Write(const connect::WriteOperation& write) override {
    ARROW_RETURN_NOT_OK(CheckRunsThere(write.input()));
    connect::Command command;
    *command.mutable_write_operation() = write;
    return channel_->Run(command);
  }

  arrow::Status CreateTempView(const Relation& relation, const std::string& name, bool replace) override {
    ARROW_RETURN_NOT_OK(CheckRunsThere(relation));
    connect::Command command;
    auto* view = command.mutable_create_dataframe_view();
    *view->mutable_input() = relation;
    view->set_name(name);
    view->set_replace(replace);
    return channel_->Run(command);
  }

  arrow::Result<QueryPtr> StartStream(const connect::WriteStreamOperationStart& start,
                                      const StreamFunctions& functions) override {
    if (functions.foreach_batch) return OnlyHere("ForeachBatch");
    if (functions.foreach) return OnlyHere("Foreach");
    ARROW_RETURN_NOT_OK(CheckRunsThere(start.input()));
    connect::Plan plan;
    *plan.mutable_command()->mutable_write_stream_operation_start() = start;
    std::shared_ptr<streaming::StreamingQuery> query;
    ARROW_RETURN_NOT_OK(channel_->Execute(plan, [&](const connect::ExecutePlanResponse& response) {
      if (response.has_write_stream_operation_start_result()) {
        const auto& started = response.write_stream_operation_start_result();
        query = std::make_shared<RemoteQuery>(channel_, started.query_id().id(), started.query_id().run_id(),
                                              started.name());
      }
      return arrow::Status::OK();
    }));
    if (query == nullptr) return arrow::Status::Invalid("The server did not say which query it has started");
    return query;
  }

  std::string RegisterFunction(const std::string& name, expression::NativeFunctionPtr) override {
    std::string id = RandomUuid();
    std::lock_guard lock(mutex_);
    functions_.emplace_back(id, name);
    return id;
  }

  arrow::Status SetConf(const std::string& key, const std::string& value) override {
    return channel_->SetConf(key, value);
  }

  arrow::Result<std::vector<QueryPtr>> ActiveQueries() override {
    connect::StreamingQueryManagerCommand command;
    command.set_active(true);
    ARROW_ASSIGN_OR_RAISE(auto result, AskManager(std::move(command)));
    std::vector<QueryPtr> queries;
    for (const auto& query : result.active().active_queries()) {
      queries.push_back(std::make_shared<RemoteQuery>(channel_, query.id().id(), query.id().run_id(), query.name()));
    }
    return queries;
  }

  // In pieces, so that no call stays open for long.
  arrow::Result<bool> AwaitAnyTermination(std::chrono::milliseconds timeout) override {
    constexpr int64_t kPieceMs = 10'000;
    for (int64_t left = timeout.count();;) {
      connect::StreamingQueryManagerCommand command;
      int64_t piece = timeout.count() < 0 ? kPieceMs : std::min(kPieceMs, left);
      command.mutable_await_any_termination()->set_timeout_ms(std::max<int64_t>(piece, 1));
      ARROW_ASSIGN_OR_RAISE(auto result, AskManager(std::move(command)));
      if (result.await_any_termination().terminated()) return true;
      left -= piece;
      if (timeout.count() >= 0 && left <= 0) return false;
    }
  }

  arrow::Status ResetTerminated() override {
    connect::StreamingQueryManagerCommand command;
    command.set_reset_terminated(true);
    return AskManager(std::move(command)).status();
  }

  arrow::Status AddListener(std::shared_ptr<StreamingQueryListener>) override { return OnlyHere("AddListener"); }
  arrow::Status RemoveListener(const std::shared_ptr<StreamingQueryListener>&) override { return arrow::Status::OK(); }

  arrow::Status StopAll() override {
    ARROW_ASSIGN_OR_RAISE(auto queries, ActiveQueries());
    arrow::Status status;
    for (const QueryPtr& query : queries) status &= query->Stop();
    return status;
  }

  int64_t StopTimeoutMillis() override { return 10'000; }

 private:
  /// Errors: when the relation calls a function of this process.
  arrow::Status CheckRunsThere(const Relation& relation) const {
    std::lock_guard lock(mutex_);
    if (functions_.empty()) return arrow::Status::OK();
    std::string bytes = relation.SerializeAsString();
    for (const auto& [id, name] : functions_) {
      if (bytes.find(id) != std::string::npos) return OnlyHere(name);
    }
    return arrow::Status::OK();
  }

  arrow::Result<connect::StreamingQueryManagerCommandResult> AskManager(connect::StreamingQueryManagerCommand command) {
    connect::Plan plan;
    *plan.mutable_command()->mutable_streaming_query_manager_command() = std::move(command);
    connect::StreamingQueryManagerCommandResult result;
    ARROW_RETURN_NOT_OK(channel_->Execute(plan, [&](const connect::ExecutePlanResponse& response) {
      if (response.has_streaming_query_manager_command_result()) {
        result = response.streaming_query_manager_command_result();
      }
      return arrow::Status::OK();
    }));
    return result;
  }

  std::shared_ptr<RemoteChannel> channel_;
  mutable std::mutex mutex_;
  /// Ids and names of functions of this process. Guarded by mutex_.
  std::vector<std::pair<std::string, std::string>> functions_;
};

}  // namespace

arrow::Result<std::shared_ptr<Connection>> ConnectRemotely(const std::string& url) {
  ARROW_ASSIGN_OR_RAISE(RemoteUrl parsed, RemoteUrl::Parse(url));
  auto connection = std::make_shared<RemoteConnection>(std::move(parsed));
  ARROW_RETURN_NOT_OK(connection->Greet());
  return connection;
}

}  // namespace millrace::api
