#pragma once

#include <memory>
#include <string>

#include "api/remote/remote_channel.h"
#include "spark/connect/commands.pb.h"
#include "streaming/streaming_query.h"

namespace millrace::api {

/// A streaming query that runs on a Spark Connect server. Thread-safe. Questions that cannot be answered because the
/// server is away get the answer of a query that has ended.
class RemoteQuery final : public streaming::StreamingQuery {
 public:
  RemoteQuery(std::shared_ptr<RemoteChannel> channel, std::string id, std::string run_id, std::string name)
      : channel_(std::move(channel)), id_(std::move(id)), run_id_(std::move(run_id)), name_(std::move(name)) {}

  const std::string& id() const override { return id_; }
  const std::string& run_id() const override { return run_id_; }
  const std::string& name() const override { return name_; }
  bool is_active() const override;
  streaming::StreamingQueryStatus status() const override;
  std::vector<JsonValue> recent_progress() const override;
  std::optional<JsonValue> last_progress() const override;
  arrow::Status exception() const override;
  arrow::Status cause() const override { return exception(); }
  /// Told within the failure itself.
  std::string DescribeFailedState() const override { return {}; }
  std::string Explain(bool extended) const override;
  arrow::Status Stop() override;
  arrow::Result<bool> AwaitTermination(std::chrono::milliseconds timeout) override;
  arrow::Status ProcessAllAvailable() override;

 private:
  arrow::Result<spark::connect::StreamingQueryCommandResult> Ask(spark::connect::StreamingQueryCommand command) const;

  std::shared_ptr<RemoteChannel> channel_;
  std::string id_;
  std::string run_id_;
  std::string name_;
};

}  // namespace millrace::api
