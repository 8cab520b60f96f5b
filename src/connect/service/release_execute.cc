#include "base/error.h"
#include "connect/service/service.h"
#include "spark/connect/base.pb.h"

namespace millrace::connect {

arrow::Status ReleaseExecute(ConnectService& service, const spark::connect::ReleaseExecuteRequest& request,
                             spark::connect::ReleaseExecuteResponse* response) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<ClientSession> session, ExistingSessionOf(service, request));
  response->set_session_id(request.session_id());
  response->set_server_side_session_id(session->server_side_id());
  // Released already, or never here: nothing to do, and no operation in the answer.
  arrow::Result<std::shared_ptr<Operation>> found = session->FindOperation(request.operation_id());
  if (!found.ok()) return arrow::Status::OK();
  const std::shared_ptr<Operation>& operation = *found;
  if (!operation->options().reattachable) return UserError("INVALID_CURSOR.NOT_REATTACHABLE");
  response->set_operation_id(operation->id());
  if (request.has_release_all()) {
    session->RemoveOperation(operation->id());
  } else if (request.has_release_until()) {
    return operation->ReleaseUntil(request.release_until().response_id());
  } else {
    return UserError("CONNECT_INVALID_PLAN.INVALID_ONE_OF_FIELD_NOT_SET",
                     {{"fullName", "spark.connect.ReleaseExecuteRequest.release"}});
  }
  return arrow::Status::OK();
}

}  // namespace millrace::connect
