#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "connect/command/command.h"
#include "session/query_event.h"
#include "spark/connect/base.pb.h"

namespace millrace::connect {

namespace {

namespace proto = spark::connect;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using streaming::StreamingQuery;

// How soon a wait notices that it was interrupted.
constexpr milliseconds kSlice(50);

arrow::Result<bool> Await(const CommandContext& context, StreamingQuery& query, std::optional<milliseconds> timeout) {
  auto deadline = steady_clock::now() + timeout.value_or(milliseconds(0));
  while (true) {
    milliseconds wait = kSlice;
    if (timeout) {
      auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
      if (left.count() <= 0) return !query.is_active();
      wait = std::min(wait, left);
    }
    ARROW_ASSIGN_OR_RAISE(bool ended, query.AwaitTermination(wait));
    if (ended) return true;
    if (context.operation->cancelled()) return context.operation->CancelledError();
  }
}

void DescribeFailure(const StreamingQuery& query, proto::StreamingQueryCommandResult* result) {
  arrow::Status failure = query.exception();
  auto* exception = result->mutable_exception();
  if (failure.ok()) return;
  // The cause's own text and where the query stood, as StreamingQueryException.toString gives them.
  arrow::Status cause = query.cause().ok() ? failure : query.cause();
  exception->set_exception_message("org.apache.spark.sql.streaming.StreamingQueryException: " +
                                   session::RaisedInDriver(cause).value_or(cause.message()) + "\n" +
                                   query.DescribeFailedState());
  const ErrorDetail* detail = GetErrorDetail(failure);
  exception->set_error_class(detail == nullptr ? "STREAM_FAILED" : detail->condition());
}

arrow::Status Answer(const CommandContext& context, const proto::StreamingQueryCommand& command, StreamingQuery& query,
                     proto::StreamingQueryCommandResult* result) {
  switch (command.command_case()) {
    case proto::StreamingQueryCommand::kStatus: {
      streaming::StreamingQueryStatus status = query.status();
      auto* out = result->mutable_status();
      out->set_status_message(status.message);
      out->set_is_data_available(status.is_data_available);
      out->set_is_trigger_active(status.is_trigger_active);
      out->set_is_active(query.is_active());
      return arrow::Status::OK();
    }
    case proto::StreamingQueryCommand::kLastProgress:
      result->mutable_recent_progress();
      if (auto progress = query.last_progress()) {
        result->mutable_recent_progress()->add_recent_progress_json(progress->ToString());
      }
      return arrow::Status::OK();
    case proto::StreamingQueryCommand::kRecentProgress:
      result->mutable_recent_progress();
      for (const JsonValue& progress : query.recent_progress()) {
        result->mutable_recent_progress()->add_recent_progress_json(progress.ToString());
      }
      return arrow::Status::OK();
    case proto::StreamingQueryCommand::kStop:
      return query.Stop();
    case proto::StreamingQueryCommand::kProcessAllAvailable:
      return query.ProcessAllAvailable();
    case proto::StreamingQueryCommand::kExplain:
      result->mutable_explain()->set_result(query.Explain(command.explain().extended()));
      return arrow::Status::OK();
    case proto::StreamingQueryCommand::kException:
      DescribeFailure(query, result);
      return arrow::Status::OK();
    case proto::StreamingQueryCommand::kAwaitTermination: {
      std::optional<milliseconds> timeout;
      if (command.await_termination().has_timeout_ms())
        timeout = milliseconds(command.await_termination().timeout_ms());
      ARROW_ASSIGN_OR_RAISE(bool ended, Await(context, query, timeout));
      result->mutable_await_termination()->set_terminated(ended);
      return arrow::Status::OK();
    }
    default:
      return UserError("CONNECT_INVALID_PLAN.INVALID_ONE_OF_FIELD_NOT_SET",
                       {{"fullName", "spark.connect.StreamingQueryCommand.command"}});
  }
}

}  // namespace

arrow::Status RunStreamingQueryCommand(const CommandContext& context, const proto::Command& command) {
  const auto& message = command.streaming_query_command();
  const std::string& id = message.query_id().id();
  const std::string& run_id = message.query_id().run_id();
  std::shared_ptr<StreamingQuery> query = context.client->FindQuery(id, run_id);
  if (query == nullptr) return UserError("CONNECT_INVALID_PLAN.STREAMING_QUERY_NOT_FOUND", {{"id", id}});
  if (query->run_id() != run_id) {
    return UserError("CONNECT_INVALID_PLAN.STREAMING_QUERY_RUN_ID_MISMATCH",
                     {{"id", id}, {"runId", run_id}, {"serverRunId", query->run_id()}});
  }
  proto::ExecutePlanResponse response;
  auto* result = response.mutable_streaming_query_command_result();
  *result->mutable_query_id() = message.query_id();
  ARROW_RETURN_NOT_OK(Answer(context, message, *query, result));
  return context.operation->Emit(std::move(response));
}

}  // namespace millrace::connect
