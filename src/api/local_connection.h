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
  arrow::Result<std::shared_ptr<streaming::StreamingQuery>> StartStream(
      const spark::connect::WriteStreamOperationStart& start, const BatchFunction& foreach_batch) override;
  std::string RegisterFunction(const std::string& name, expression::NativeFunctionPtr function) override;
  arrow::Status SetConf(const std::string& key, const std::string& value) override;
  arrow::Status AwaitAnyTermination() override;
  arrow::Status StopAll() override;
  int64_t StopTimeoutMillis() override;

 private:
  std::shared_ptr<session::Session> session_;
  std::mutex mutex_;
  /// Functions that the program has given. Guarded by mutex_.
  std::vector<std::unique_ptr<expression::NativeFunctionId>> functions_;
};

}  // namespace millrace::api
