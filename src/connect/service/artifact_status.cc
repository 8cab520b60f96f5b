#include "connect/service/service.h"
#include "spark/connect/base.pb.h"

namespace millrace::connect {

arrow::Status ArtifactStatus(ConnectService& service, const spark::connect::ArtifactStatusesRequest& request,
                             spark::connect::ArtifactStatusesResponse* response) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<ClientSession> session, SessionOf(service, request));
  response->set_session_id(request.session_id());
  response->set_server_side_session_id(session->server_side_id());
  constexpr std::string_view kCache = "cache/";
  for (const std::string& name : request.names()) {
    // Spark, too, tells of blocks only, never of files.
    bool exists = name.starts_with(kCache) && session->artifacts().FindBlock(name.substr(kCache.size())) != nullptr;
    (*response->mutable_statuses())[name].set_exists(exists);
  }
  return arrow::Status::OK();
}

}  // namespace millrace::connect
