#include "connect/service/service.h"
#include "spark/connect/base.pb.h"

namespace millrace::connect {

arrow::Status ReleaseSession(ConnectService& service, const spark::connect::ReleaseSessionRequest& request,
                             spark::connect::ReleaseSessionResponse* response) {
  SessionKey key{request.user_context().user_id(), request.session_id()};
  response->set_session_id(request.session_id());
  // A session that is not there counts as released.
  if (std::shared_ptr<ClientSession> session = service.sessions().Find(key)) {
    response->set_server_side_session_id(session->server_side_id());
  }
  service.sessions().Close(key, request.allow_reconnect());
  return arrow::Status::OK();
}

}  // namespace millrace::connect
