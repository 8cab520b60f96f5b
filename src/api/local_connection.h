#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/connection.h"
#include "session/session.h"

namespace millrace::api {

/// The engine inside the process. Thread-safe.
class LocalConnection final : public Connection {
 public:
  explicit LocalConnection(std::shared_ptr<session::Session> session) : session_(std::move(session)) {}
  const std::shared_ptr<session::Session>& session() const { return session_; }

  arrow::Result<types::DataTypePtr> Schema(const spark::connect::Relation& relation) override;
  arrow::Result<bool> IsStreaming(const spark::connect::Relation& relation) override;
  arrow::Result<std::string> Explain(const spark::connect::Relation& relation, bool extended) override;
  arrow::Result<RecordBatches> Execute(const spark::connect::Relation& relation) override;
  arrow::Status ForeachPartition(const spark::connect::Relation& relation, const PartitionFunction& function) override;
  arrow::Status Write(const spark::connect::WriteOperation& write) override;
  arrow::Status CreateTempView(const spark::connect::Relation& relation, const std::string& name,
                               bool replace) override;
  arrow::Result<QueryPtr> StartStream(const spark::connect::WriteStreamOperationStart& start,
                                      const StreamFunctions& functions) override;
  std::string RegisterFunction(const std::string& name, expression::NativeFunctionPtr function) override;
  arrow::Status SetConf(const std::string& key, const std::string& value) override;
  arrow::Result<std::vector<QueryPtr>> ActiveQueries() override;
  arrow::Result<bool> AwaitAnyTermination(std::chrono::milliseconds timeout) override;
  arrow::Status ResetTerminated() override;
  arrow::Status AddListener(std::shared_ptr<StreamingQueryListener> listener) override;
  arrow::Status RemoveListener(const std::shared_ptr<StreamingQueryListener>& listener) override;
  arrow::Status StopAll() override;
  int64_t StopTimeoutMillis() override;

 private:
  std::shared_ptr<session::Session> session_;
  std::mutex mutex_;
  /// Functions that the program has given. Guarded by mutex_.
  std::vector<std::unique_ptr<expression::NativeFunctionId>> functions_;
  /// With their ids at the session's queries. Guarded by mutex_.
  std::vector<std::pair<std::shared_ptr<StreamingQueryListener>, int>> listeners_;
};

}  // namespace millrace::api
