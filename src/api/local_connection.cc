#include "api/local_connection.h"

#include "base/error.h"
#include "millrace/data_frame.h"
#include "millrace/streaming_query_manager.h"
#include "spark/connect/commands.pb.h"
#include "spark/connect/relations.pb.h"
#include "streaming/progress.h"

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

arrow::Result<Connection::QueryPtr> LocalConnection::StartStream(const spark::connect::WriteStreamOperationStart& start,
                                                                 const StreamFunctions& functions) {
  session::ForeachBatchFunction function;
  if (functions.foreach_batch) {
    std::weak_ptr<Connection> weak = weak_from_this();
    function = [weak, foreach_batch = functions.foreach_batch](const std::string& relation_id,
                                                               BatchId batch_id) -> arrow::Status {
      std::shared_ptr<Connection> connection = weak.lock();
      if (connection == nullptr) return arrow::Status::Cancelled("the session has ended");
      auto relation = std::make_shared<Relation>();
      relation->mutable_cached_remote_relation()->set_relation_id(relation_id);
      return foreach_batch(DataFrame(std::move(relation), std::move(connection)), batch_id.value);
    };
  }
  return session_->StartStream(start, std::move(function), functions.foreach);
}

std::string LocalConnection::RegisterFunction(const std::string&, expression::NativeFunctionPtr function) {
  std::lock_guard lock(mutex_);
  functions_.push_back(std::make_unique<expression::NativeFunctionId>(std::move(function)));
  return functions_.back()->value();
}

arrow::Status LocalConnection::SetConf(const std::string& key, const std::string& value) {
  return session_->conf().Set(key, value);
}

arrow::Result<std::vector<Connection::QueryPtr>> LocalConnection::ActiveQueries() {
  return session_->streams().Active();
}

arrow::Result<bool> LocalConnection::AwaitAnyTermination(std::chrono::milliseconds timeout) {
  return session_->streams().AwaitAnyTermination(timeout);
}

arrow::Status LocalConnection::ResetTerminated() {
  session_->streams().ResetTerminated();
  return arrow::Status::OK();
}

arrow::Status LocalConnection::AddListener(std::shared_ptr<StreamingQueryListener> added) {
  if (added == nullptr) return arrow::Status::Invalid("AddListener needs a listener");
  session::StreamingQueryManager::Listener listener;
  const Clock* clock = session_->engine().clock;
  listener.on_started = [added, clock](const streaming::StreamingQuery& query) {
    added->OnQueryStarted({query.id(), query.run_id(), query.name(), streaming::IsoMillis(clock->NowMicros() / 1000)});
  };
  listener.on_progress = [added](const JsonValue& progress) { added->OnQueryProgress(progress.ToString()); };
  listener.on_idle = [added](const streaming::StreamingQuery& query, int64_t timestamp_ms) {
    added->OnQueryIdle({query.id(), query.run_id(), streaming::IsoMillis(timestamp_ms)});
  };
  listener.on_terminated = [added](const streaming::StreamingQuery& query, const arrow::Status& reason) {
    const ErrorDetail* detail = GetErrorDetail(query.cause().ok() ? reason : query.cause());
    added->OnQueryTerminated({query.id(), query.run_id(), reason, detail == nullptr ? "" : detail->condition()});
  };
  int id = session_->streams().AddListener(std::move(listener));
  std::lock_guard lock(mutex_);
  listeners_.emplace_back(std::move(added), id);
  return arrow::Status::OK();
}

arrow::Status LocalConnection::RemoveListener(const std::shared_ptr<StreamingQueryListener>& listener) {
  std::lock_guard lock(mutex_);
  std::erase_if(listeners_, [&](const auto& entry) {
    if (entry.first != listener) return false;
    session_->streams().RemoveListener(entry.second);
    return true;
  });
  return arrow::Status::OK();
}

arrow::Status LocalConnection::StopAll() { return session_->streams().StopAll(); }

int64_t LocalConnection::StopTimeoutMillis() { return session_->conf().GetMillis("millrace.stop.timeout"); }

std::shared_ptr<Connection> ConnectLocally(int num_threads) {
  return std::make_shared<LocalConnection>(session::Session::Create(std::make_shared<session::Engine>(num_threads)));
}

}  // namespace millrace::api
