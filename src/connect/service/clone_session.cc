#include "base/ids.h"
#include "connect/service/service.h"
#include "spark/connect/base.pb.h"

namespace millrace::connect {

arrow::Status CloneSession(ConnectService& service, const spark::connect::CloneSessionRequest& request,
                           spark::connect::CloneSessionResponse* response) {
  SessionKey key{request.user_context().user_id(), request.session_id()};
  std::optional<std::string> observed;
  if (request.has_client_observed_server_side_session_id()) {
    observed = request.client_observed_server_side_session_id();
  }
  std::string new_id = request.has_new_session_id() ? request.new_session_id() : RandomUuid();
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<ClientSession> session, service.sessions().Get(key, observed));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<ClientSession> clone, service.sessions().Clone(key, new_id, observed));
  response->set_session_id(request.session_id());
  response->set_server_side_session_id(session->server_side_id());
  response->set_new_session_id(new_id);
  response->set_new_server_side_session_id(clone->server_side_id());
  return arrow::Status::OK();
}

}  // namespace millrace::connect
