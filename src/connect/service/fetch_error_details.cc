#include "connect/encode/error.h"
#include "connect/service/service.h"
#include "spark/connect/base.pb.h"

namespace millrace::connect {

arrow::Status FetchErrorDetails(ConnectService& service, const spark::connect::FetchErrorDetailsRequest& request,
                                spark::connect::FetchErrorDetailsResponse* response) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<ClientSession> session, SessionOf(service, request));
  // An id that is not known any more: an answer without errors, and the client keeps what it has.
  if (std::optional<arrow::Status> error = session->TakeError(request.error_id())) {
    EncodeErrorDetails(*error, response);
  }
  response->set_session_id(request.session_id());
  response->set_server_side_session_id(session->server_side_id());
  return arrow::Status::OK();
}

}  // namespace millrace::connect
