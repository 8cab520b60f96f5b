#pragma once

#include <arrow/status.h>

#include <string>
#include <string_view>
#include <vector>

namespace spark::connect {
class FetchErrorDetailsResponse;
}

namespace millrace::connect {

/// How a failure looks on the wire. Clients turn the Java class names into their own exception types, so each failure
/// names the classes Spark would have thrown.
struct RpcError {
  /// A grpc::StatusCode.
  int code = 13;
  std::string message;
  /// google.rpc.Status, serialized, with an ErrorInfo.
  std::string details;
};

/// The names of Spark's exception class for `status` and of its ancestors, most derived first.
std::vector<std::string> ExceptionClasses(const arrow::Status& status);

/// `error_id`: under which FetchErrorDetails will find the failure; empty when it will not.
RpcError EncodeError(const arrow::Status& status, const std::string& error_id);

/// The full text, parameters and contexts behind an error id, causes after what they caused.
void EncodeErrorDetails(const arrow::Status& status, spark::connect::FetchErrorDetailsResponse* out);

}  // namespace millrace::connect
