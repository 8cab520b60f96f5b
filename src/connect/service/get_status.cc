#include "connect/service/service.h"
#include "spark/connect/base.pb.h"

namespace millrace::connect {

namespace {

using Status = spark::connect::GetStatusResponse::OperationStatus;

Status::OperationState StateOf(std::optional<OperationState> state) {
  if (!state) return Status::OPERATION_STATE_UNKNOWN;
  switch (*state) {
    case OperationState::kRunning:
      return Status::OPERATION_STATE_RUNNING;
    case OperationState::kTerminating:
      return Status::OPERATION_STATE_TERMINATING;
    case OperationState::kSucceeded:
      return Status::OPERATION_STATE_SUCCEEDED;
    case OperationState::kFailed:
      return Status::OPERATION_STATE_FAILED;
    case OperationState::kCancelled:
      return Status::OPERATION_STATE_CANCELLED;
  }
  return Status::OPERATION_STATE_UNKNOWN;
}

}  // namespace

arrow::Status GetStatus(ConnectService& service, const spark::connect::GetStatusRequest& request,
                        spark::connect::GetStatusResponse* response) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<ClientSession> session, ExistingSessionOf(service, request));
  response->set_session_id(request.session_id());
  response->set_server_side_session_id(session->server_side_id());
  if (!request.has_operation_status()) return arrow::Status::OK();
  auto add = [&](const std::string& id) {
    auto* status = response->add_operation_statuses();
    status->set_operation_id(id);
    status->set_state(StateOf(session->StateOf(id)));
  };
  for (const std::string& id : request.operation_status().operation_ids()) add(id);
  // Asked for none by name: all there are.
  if (request.operation_status().operation_ids().empty()) {
    for (const std::string& id : session->OperationIds()) add(id);
  }
  return arrow::Status::OK();
}

}  // namespace millrace::connect
