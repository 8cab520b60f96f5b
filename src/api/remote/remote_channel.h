#pragma once

#include <arrow/result.h>

#include <functional>
#include <memory>

#include "api/remote/remote_url.h"
#include "spark/connect/base.pb.h"

namespace millrace::api {

/// The calls of a Spark Connect server, as one session of one user. Thread-safe.
///
/// Errors of all calls: what the server says, as a UserError with Spark's condition, SQLSTATE and whole message where
/// it has them; IOError (retryable) when the server cannot be reached.
class RemoteChannel {
 public:
  explicit RemoteChannel(RemoteUrl url);
  ~RemoteChannel();

  /// Runs a plan; `on_response` sees each message of the answer.
  arrow::Status Execute(const spark::connect::Plan& plan,
                        const std::function<arrow::Status(const spark::connect::ExecutePlanResponse&)>& on_response);
  /// Runs a command whose answer is not of interest.
  arrow::Status Run(const spark::connect::Command& command);
  arrow::Result<spark::connect::AnalyzePlanResponse> Analyze(spark::connect::AnalyzePlanRequest request);
  arrow::Status SetConf(const std::string& key, const std::string& value);
  arrow::Status ReleaseSession();

 private:
  struct Native;
  std::unique_ptr<Native> native_;
};

}  // namespace millrace::api
