#include "api/remote/remote_query.h"

#include "base/error.h"

namespace millrace::api {

namespace connect = spark::connect;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

arrow::Result<connect::StreamingQueryCommandResult> RemoteQuery::Ask(connect::StreamingQueryCommand command) const {
  command.mutable_query_id()->set_id(id_);
  command.mutable_query_id()->set_run_id(run_id_);
  connect::Plan plan;
  *plan.mutable_command()->mutable_streaming_query_command() = std::move(command);
  connect::StreamingQueryCommandResult result;
  ARROW_RETURN_NOT_OK(channel_->Execute(plan, [&](const connect::ExecutePlanResponse& response) {
    if (response.has_streaming_query_command_result()) result = response.streaming_query_command_result();
    return arrow::Status::OK();
  }));
  return result;
}

bool RemoteQuery::is_active() const {
  connect::StreamingQueryCommand command;
  command.set_status(true);
  auto result = Ask(std::move(command));
  return result.ok() && result->status().is_active();
}

streaming::StreamingQueryStatus RemoteQuery::status() const {
  connect::StreamingQueryCommand command;
  command.set_status(true);
  auto result = Ask(std::move(command));
  if (!result.ok()) return {result.status().message(), false, false};
  const auto& status = result->status();
  return {status.status_message(), status.is_data_available(), status.is_trigger_active()};
}

std::vector<JsonValue> RemoteQuery::recent_progress() const {
  connect::StreamingQueryCommand command;
  command.set_recent_progress(true);
  auto result = Ask(std::move(command));
  std::vector<JsonValue> progress;
  if (!result.ok()) return progress;
  for (const std::string& text : result->recent_progress().recent_progress_json()) {
    if (auto json = ParseJson(text); json.ok()) progress.push_back(*std::move(json));
  }
  return progress;
}

std::optional<JsonValue> RemoteQuery::last_progress() const {
  connect::StreamingQueryCommand command;
  command.set_last_progress(true);
  auto result = Ask(std::move(command));
  if (!result.ok() || result->recent_progress().recent_progress_json().empty()) return std::nullopt;
  auto json = ParseJson(result->recent_progress().recent_progress_json(0));
  if (!json.ok()) return std::nullopt;
  return *std::move(json);
}

arrow::Status RemoteQuery::exception() const {
  connect::StreamingQueryCommand command;
  command.set_exception(true);
  auto result = Ask(std::move(command));
  if (!result.ok()) return result.status();
  const auto& exception = result->exception();
  if (!exception.has_exception_message()) return arrow::Status::OK();
  auto detail = std::make_shared<ErrorDetail>(exception.error_class(), "", ErrorParameters());
  return arrow::Status(arrow::StatusCode::Invalid, exception.exception_message(), std::move(detail));
}

std::string RemoteQuery::Explain(bool extended) const {
  connect::StreamingQueryCommand command;
  command.mutable_explain()->set_extended(extended);
  auto result = Ask(std::move(command));
  return result.ok() ? result->explain().result() : result.status().message();
}

arrow::Status RemoteQuery::Stop() {
  connect::StreamingQueryCommand command;
  command.set_stop(true);
  return Ask(std::move(command)).status();
}

arrow::Result<bool> RemoteQuery::AwaitTermination(milliseconds timeout) {
  // In slices, so that no call is open for longer than proxies on the way allow.
  constexpr milliseconds kSlice{10'000};
  const auto deadline = steady_clock::now() + timeout;
  for (;;) {
    milliseconds wait = kSlice;
    if (timeout.count() >= 0) {
      wait = std::min(kSlice, std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now()));
      if (wait.count() < 1) wait = milliseconds(1);
    }
    connect::StreamingQueryCommand command;
    command.mutable_await_termination()->set_timeout_ms(wait.count());
    ARROW_ASSIGN_OR_RAISE(auto result, Ask(std::move(command)));
    if (result.await_termination().terminated()) return true;
    if (timeout.count() >= 0 && steady_clock::now() >= deadline) return false;
  }
}

arrow::Status RemoteQuery::ProcessAllAvailable() {
  connect::StreamingQueryCommand command;
  command.set_process_all_available(true);
  return Ask(std::move(command)).status();
}

}  // namespace millrace::api
