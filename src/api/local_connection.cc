#include "api/local_connection.h"

#include "millrace/data_frame.h"
#include "spark/connect/commands.pb.h"
#include "spark/connect/relations.pb.h"

namespace millrace::api {

using spark::connect::Relation;

arrow::Result<types::DataTypePtr> LocalConnection::Schema(const Relation& relation) {
  return session_->Schema(relation);
}

arrow::Result<bool> LocalConnection::IsStreaming(const Relation& relation) {
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, session_->Analyze(relation));
  return plan->is_streaming();
}

arrow::Result<std::string> LocalConnection::Explain(const Relation& relation, bool extended) {
  return session_->Explain(relation, extended);
}

arrow::Result<RecordBatches> LocalConnection::Execute(const Relation& relation) {
  ARROW_ASSIGN_OR_RAISE(session::QueryResult result, session_->Execute(relation));
  return std::move(result.batches);
}

arrow::Status LocalConnection::ForeachPartition(const Relation& relation, const PartitionFunction& function) {
  return session_->ForeachPartition(relation, function);
}

arrow::Status LocalConnection::Write(const spark::connect::WriteOperation& write) { return session_->Write(write); }

arrow::Status LocalConnection::CreateTempView(const Relation& relation, const std::string& name, bool replace) {
  return session_->CreateView(relation, name, /*global=*/false, replace);
}

arrow::Result<std::shared_ptr<streaming::StreamingQuery>> LocalConnection::StartStream(
    const spark::connect::WriteStreamOperationStart& start, const BatchFunction& foreach_batch) {
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

std::string LocalConnection::RegisterFunction(const std::string&, expression::NativeFunctionPtr function) {
  std::lock_guard lock(mutex_);
  functions_.push_back(std::make_unique<expression::NativeFunctionId>(std::move(function)));
  return functions_.back()->value();
}

arrow::Status LocalConnection::SetConf(const std::string& key, const std::string& value) {
  return session_->conf().Set(key, value);
}

arrow::Status LocalConnection::AwaitAnyTermination() {
  return session_->streams().AwaitAnyTermination(std::chrono::milliseconds(-1)).status();
}

arrow::Status LocalConnection::StopAll() { return session_->streams().StopAll(); }

int64_t LocalConnection::StopTimeoutMillis() { return session_->conf().GetMillis("millrace.stop.timeout"); }

std::shared_ptr<Connection> ConnectLocally(int num_threads) {
  return std::make_shared<LocalConnection>(session::Session::Create(std::make_shared<session::Engine>(num_threads)));
}

}  // namespace millrace::api
