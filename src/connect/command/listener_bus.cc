#include "base/error.h"
#include "connect/command/command.h"
#include "spark/connect/base.pb.h"

namespace millrace::connect {

namespace proto = spark::connect;

// The command that adds the bus ends when it is removed, or its client is gone for good: events are its answers.
arrow::Status RunListenerBusCommand(const CommandContext& context, const proto::Command& command) {
  const auto& message = command.streaming_query_listener_bus_command();
  switch (message.command_case()) {
    case proto::StreamingQueryListenerBusCommand::kAddListenerBusListener: {
      if (context.client->has_listener_bus()) return arrow::Status::OK();
      context.client->StartListenerBus(context.operation);
      proto::ExecutePlanResponse added;
      added.mutable_streaming_query_listener_events_result()->set_listener_bus_listener_added(true);
      ARROW_RETURN_NOT_OK(context.operation->Emit(std::move(added)));
      context.client->AwaitListenerBusEnd(*context.operation);
      return arrow::Status::OK();
    }
    case proto::StreamingQueryListenerBusCommand::kRemoveListenerBusListener:
      context.client->StopListenerBus();
      return arrow::Status::OK();
    default:
      return UserError("INVALID_PARAMETER_VALUE.STREAMING_LISTENER_COMMAND_MISSING",
                       {{"parameter", "command"}, {"functionName", "StreamingQueryListenerBusCommand"}});
  }
}

}  // namespace millrace::connect
