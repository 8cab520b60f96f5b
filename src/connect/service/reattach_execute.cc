#include "base/error.h"
#include "connect/service/service.h"
#include "spark/connect/base.pb.h"

namespace millrace::connect {

arrow::Status ReattachExecute(ConnectService& service, const spark::connect::ReattachExecuteRequest& request,
                              ResponseStream& client) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<ClientSession> session, ExistingSessionOf(service, request));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<Operation> operation, session->FindOperation(request.operation_id()));
  if (!operation->options().reattachable) return UserError("INVALID_CURSOR.NOT_REATTACHABLE");
  std::optional<std::string> last;
  if (request.has_last_response_id() && !request.last_response_id().empty()) last = request.last_response_id();
  return operation->Send(client, last);
}

}  // namespace millrace::connect
