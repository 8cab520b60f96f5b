#include <algorithm>
#include <chrono>

#include "analyzer/analyzer.h"
#include "base/error.h"
#include "connect/command/command.h"
#include "spark/connect/base.pb.h"

namespace millrace::connect {

namespace {

namespace proto = spark::connect;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kSlice(50);

void Describe(const streaming::StreamingQuery& query,
              proto::StreamingQueryManagerCommandResult::StreamingQueryInstance* out) {
  out->mutable_id()->set_id(query.id());
  out->mutable_id()->set_run_id(query.run_id());
  if (!query.name().empty()) out->set_name(query.name());
}

arrow::Result<bool> AwaitAny(const CommandContext& context, std::optional<milliseconds> timeout) {
  auto deadline = steady_clock::now() + timeout.value_or(milliseconds(0));
  while (true) {
    milliseconds wait = kSlice;
    if (timeout) {
      auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
      wait = std::clamp(left, milliseconds(0), kSlice);
    }
    ARROW_ASSIGN_OR_RAISE(bool ended, context.session().streams().AwaitAnyTermination(wait));
    if (ended) return true;
    if (timeout && steady_clock::now() >= deadline) return false;
    if (context.operation->cancelled()) return context.operation->CancelledError();
  }
}

}  // namespace

arrow::Status RunStreamingQueryManagerCommand(const CommandContext& context, const proto::Command& command) {
  const auto& message = command.streaming_query_manager_command();
  session::StreamingQueryManager& streams = context.session().streams();
  proto::ExecutePlanResponse response;
  auto* result = response.mutable_streaming_query_manager_command_result();
  switch (message.command_case()) {
    case proto::StreamingQueryManagerCommand::kActive:
      result->mutable_active();
      for (const auto& query : streams.Active()) Describe(*query, result->mutable_active()->add_active_queries());
      break;
    case proto::StreamingQueryManagerCommand::kGetQuery:
      for (const auto& query : streams.Active()) {
        if (query->id() == message.get_query()) Describe(*query, result->mutable_query());
      }
      break;
    case proto::StreamingQueryManagerCommand::kAwaitAnyTermination: {
      const auto& await = message.await_any_termination();
      std::optional<milliseconds> timeout;
      if (await.has_timeout_ms()) timeout = milliseconds(await.timeout_ms());
      ARROW_ASSIGN_OR_RAISE(bool ended, AwaitAny(context, timeout));
      result->mutable_await_any_termination()->set_terminated(ended);
      break;
    }
    case proto::StreamingQueryManagerCommand::kResetTerminated:
      streams.ResetTerminated();
      result->set_reset_terminated(true);
      break;
    case proto::StreamingQueryManagerCommand::kAddListener: {
      const auto& add = message.add_listener();
      if (!add.has_python_listener_payload()) {
        return analyzer::NotSupported("a StreamingQueryListener of another language than Python");
      }
      const auto& payload = add.python_listener_payload();
      python::UserFunction listener{"listener", python::EvalType::kBatched, payload.command(), payload.python_ver()};
      ARROW_RETURN_NOT_OK(context.session().AddPythonListener(add.id(), std::move(listener)));
      result->set_add_listener(true);
      break;
    }
    case proto::StreamingQueryManagerCommand::kRemoveListener:
      result->set_remove_listener(context.session().RemovePythonListener(message.remove_listener().id()));
      break;
    case proto::StreamingQueryManagerCommand::kListListeners:
      result->mutable_list_listeners();
      for (std::string& id : context.session().PythonListenerIds()) {
        result->mutable_list_listeners()->add_listener_ids(std::move(id));
      }
      break;
    default: {
      const auto* field = message.GetDescriptor()->FindFieldByNumber(message.command_case());
      return analyzer::NotSupported("the command streaming_query_manager_command." +
                                    (field == nullptr ? std::string("?") : field->name()));
    }
  }
  return context.operation->Emit(std::move(response));
}

}  // namespace millrace::connect
