#include "api/connection.h"
#include "millrace/data_frame.h"
#include "session/session.h"
#include "spark/connect/commands.pb.h"
#include "spark/connect/relations.pb.h"

namespace millrace::api {

namespace {

using spark::connect::Relation;

class LocalConnection final : public Connection {
 public:
  explicit LocalConnection(std::shared_ptr<session::Session> session) : session_(std::move(session)) {}

  arrow::Result<types::DataTypePtr> Schema(const Relation& relation) override { return session_->Schema(relation); }

  arrow::Result<bool> IsStreaming(const Relation& relation) override {
    ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, session_->Analyze(relation));
    return plan->is_streaming();
  }

  arrow::Result<std::string> Explain(const Relation& relation, bool extended) override {
    return session_->Explain(relation, extended);
  }

  arrow::Result<RecordBatches> Execute(const Relation& relation) override {
    ARROW_ASSIGN_OR_RAISE(session::QueryResult result, session_->Execute(relation));
    return std::move(result.batches);
  }

  arrow::Status ForeachPartition(const Relation& relation, const PartitionFunction& function) override {
    return session_->ForeachPartition(relation, function);
  }

  arrow::Status Write(const spark::connect::WriteOperation& write) override { return session_->Write(write); }

  arrow::Status CreateTempView(const Relation& relation, const std::string& name, bool replace) override {
    return session_->CreateView(relation, name, /*global=*/false, replace);
  }

  arrow::Result<std::shared_ptr<streaming::StreamingQuery>> StartStream(
      const spark::connect::WriteStreamOperationStart& start, const BatchFunction& foreach_batch) override {
    session::ForeachBatchFunction function;
    if (foreach_batch) {
      std::weak_ptr<Connection> weak = weak_from_this();
      function = [weak, foreach_batch](const std::string& relation_id, BatchId batch_id) -> arrow::Status {
        std::shared_ptr<Connection> connection = weak.lock();
        if (connection == nullptr) return arrow::Status::Cancelled("the session has ended");
        auto relation = std::make_shared<Relation>();
        relation->mutable_cached_remote_relation()->set_relation_id(relation_id);
        return foreach_batch(DataFrame(std::move(relation), std::move(connection)), batch_id.value);
      };
    }
    return session_->StartStream(start, std::move(function));
  }

  arrow::Status SetConf(const std::string& key, const std::string& value) override {
    return session_->conf().Set(key, value);
  }
  arrow::Status AwaitAnyTermination() override {
    return session_->streams().AwaitAnyTermination(std::chrono::milliseconds(-1)).status();
  }
  arrow::Status StopAll() override { return session_->streams().StopAll(); }
  int64_t StopTimeoutMillis() override { return session_->conf().GetMillis("millrace.stop.timeout"); }

 private:
  std::shared_ptr<session::Session> session_;
};

}  // namespace

std::shared_ptr<Connection> ConnectLocally(int num_threads) {
  return std::make_shared<LocalConnection>(session::Session::Create(std::make_shared<session::Engine>(num_threads)));
}

}  // namespace millrace::api
