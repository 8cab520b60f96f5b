#include <algorithm>

#include "base/error.h"
#include "connect/service/service.h"
#include "spark/connect/base.pb.h"

namespace millrace::connect {

namespace proto = spark::connect;

arrow::Status Interrupt(ConnectService& service, const proto::InterruptRequest& request,
                        proto::InterruptResponse* response) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<ClientSession> session, SessionOf(service, request));
  response->set_session_id(request.session_id());
  response->set_server_side_session_id(session->server_side_id());
  switch (request.interrupt_type()) {
    case proto::InterruptRequest::INTERRUPT_TYPE_ALL:
      break;
    case proto::InterruptRequest::INTERRUPT_TYPE_TAG:
      if (!request.has_operation_tag()) {
        return UserError("INVALID_PARAMETER_VALUE.INTERRUPT_TYPE_TAG_REQUIRES_TAG",
                         {{"parameter", "operation_tag"}, {"functionName", "interrupt"}});
      }
      break;
    case proto::InterruptRequest::INTERRUPT_TYPE_OPERATION_ID:
      if (!request.has_operation_id()) {
        return UserError("INVALID_PARAMETER_VALUE.INTERRUPT_TYPE_OPERATION_ID_REQUIRES_ID",
                         {{"parameter", "operation_id"}, {"functionName", "interrupt"}});
      }
      break;
    default:
      return UserError("UNSUPPORTED_FEATURE.INTERRUPT_TYPE",
                       {{"interruptType", proto::InterruptRequest::InterruptType_Name(request.interrupt_type())}});
  }
  auto meant = [&](const OperationOptions& options) {
    if (request.has_operation_id() && options.id != request.operation_id()) return false;
    return !request.has_operation_tag() ||
           std::find(options.tags.begin(), options.tags.end(), request.operation_tag()) != options.tags.end();
  };
  for (const auto& operation : session->Operations()) {
    // Listeners hear of the queries that an interrupt ends: the bus goes on, as in Spark.
    if (session->IsListenerBus(*operation)) continue;
    if (meant(operation->options()) && operation->Interrupt()) response->add_interrupted_ids(operation->id());
  }
  for (std::string& id : session->StopQueries(meant)) response->add_interrupted_ids(std::move(id));
  return arrow::Status::OK();
}

}  // namespace millrace::connect
