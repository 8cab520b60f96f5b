#include "base/error.h"
#include "connect/command/command.h"
#include "session/query_event.h"
#include "spark/connect/base.pb.h"

namespace millrace::connect {

namespace proto = spark::connect;

arrow::Status RunWriteStreamStart(const CommandContext& context, const proto::Command& command) {
  const auto& start = command.write_stream_operation_start();
  ARROW_ASSIGN_OR_RAISE(auto query, context.session().StartStream(start));
  context.client->RememberQuery(query, context.operation->options());
  proto::ExecutePlanResponse response;
  auto* result = response.mutable_write_stream_operation_start_result();
  result->mutable_query_id()->set_id(query->id());
  result->mutable_query_id()->set_run_id(query->run_id());
  result->set_name(query->name());
  // The client's listeners hear of the start before start() returns.
  if (context.client->has_listener_bus()) {
    int64_t now_ms = context.session().MakeEvalContext().current_timestamp_us / 1000;
    result->set_query_started_event_json(session::StartedEventJson(*query, now_ms));
  }
  return context.operation->Emit(std::move(response));
}

}  // namespace millrace::connect
