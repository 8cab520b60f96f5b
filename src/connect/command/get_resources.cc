#include "connect/command/command.h"
#include "spark/connect/base.pb.h"

namespace millrace::connect {

// An engine of one process offers no resources beyond its cores.
arrow::Status RunGetResources(const CommandContext& context, const spark::connect::Command&) {
  spark::connect::ExecutePlanResponse response;
  response.mutable_get_resources_command_result();
  return context.operation->Emit(std::move(response));
}

}  // namespace millrace::connect
