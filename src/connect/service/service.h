#pragma once

#include <arrow/result.h>

#include <memory>
#include <optional>
#include <string>

#include "connect/connect_service.h"

namespace spark::connect {
class AddArtifactsRequest;
class AddArtifactsResponse;
class AnalyzePlanRequest;
class AnalyzePlanResponse;
class ArtifactStatusesRequest;
class ArtifactStatusesResponse;
class CloneSessionRequest;
class CloneSessionResponse;
class ConfigRequest;
class ConfigResponse;
class ExecutePlanRequest;
class FetchErrorDetailsRequest;
class FetchErrorDetailsResponse;
class GetStatusRequest;
class GetStatusResponse;
class InterruptRequest;
class InterruptResponse;
class ReattachExecuteRequest;
class ReleaseExecuteRequest;
class ReleaseExecuteResponse;
class ReleaseSessionRequest;
class ReleaseSessionResponse;
}  // namespace spark::connect

/// The calls of SparkConnectService, one a file. Errors become gRPC statuses in server.cc, for all alike.

namespace millrace::connect {

arrow::Status ExecutePlan(ConnectService& service, const spark::connect::ExecutePlanRequest& request,
                          ResponseStream& client);
arrow::Status ReattachExecute(ConnectService& service, const spark::connect::ReattachExecuteRequest& request,
                              ResponseStream& client);
arrow::Status ReleaseExecute(ConnectService& service, const spark::connect::ReleaseExecuteRequest& request,
                             spark::connect::ReleaseExecuteResponse* response);
arrow::Status AnalyzePlan(ConnectService& service, const spark::connect::AnalyzePlanRequest& request,
                          spark::connect::AnalyzePlanResponse* response);
arrow::Status Config(ConnectService& service, const spark::connect::ConfigRequest& request,
                     spark::connect::ConfigResponse* response);
arrow::Status ArtifactStatus(ConnectService& service, const spark::connect::ArtifactStatusesRequest& request,
                             spark::connect::ArtifactStatusesResponse* response);
arrow::Status Interrupt(ConnectService& service, const spark::connect::InterruptRequest& request,
                        spark::connect::InterruptResponse* response);
arrow::Status ReleaseSession(ConnectService& service, const spark::connect::ReleaseSessionRequest& request,
                             spark::connect::ReleaseSessionResponse* response);
arrow::Status FetchErrorDetails(ConnectService& service, const spark::connect::FetchErrorDetailsRequest& request,
                                spark::connect::FetchErrorDetailsResponse* response);
arrow::Status CloneSession(ConnectService& service, const spark::connect::CloneSessionRequest& request,
                           spark::connect::CloneSessionResponse* response);
arrow::Status GetStatus(ConnectService& service, const spark::connect::GetStatusRequest& request,
                        spark::connect::GetStatusResponse* response);

/// AddArtifacts, a stream of requests: Add each, then Finish. Confined to one call.
class ArtifactUpload {
 public:
  explicit ArtifactUpload(ConnectService& service);
  ~ArtifactUpload();
  arrow::Status Add(const spark::connect::AddArtifactsRequest& request);
  arrow::Status Finish(spark::connect::AddArtifactsResponse* response);

 private:
  struct Staged;
  arrow::Result<Staged*> Stage(const std::string& name, int64_t num_chunks, int64_t num_bytes);

  ConnectService& service_;
  std::shared_ptr<ClientSession> session_;
  std::vector<std::unique_ptr<Staged>> staged_;
};

/// The session a request names, made when it is the first of it.
template <typename Request>
arrow::Result<std::shared_ptr<ClientSession>> SessionOf(ConnectService& service, const Request& request) {
  std::optional<std::string> observed;
  if (request.has_client_observed_server_side_session_id()) {
    observed = request.client_observed_server_side_session_id();
  }
  return service.sessions().GetOrCreate({request.user_context().user_id(), request.session_id()}, observed);
}

/// The same for calls that make no session.
template <typename Request>
arrow::Result<std::shared_ptr<ClientSession>> ExistingSessionOf(ConnectService& service, const Request& request) {
  std::optional<std::string> observed;
  if (request.has_client_observed_server_side_session_id()) {
    observed = request.client_observed_server_side_session_id();
  }
  return service.sessions().Get({request.user_context().user_id(), request.session_id()}, observed);
}

}  // namespace millrace::connect
