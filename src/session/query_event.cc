#include "session/query_event.h"

#include "base/error.h"
#include "streaming/progress.h"

namespace millrace::session {

namespace {

JsonValue TextOrNull(const std::string& text) { return text.empty() ? JsonValue() : JsonValue::String(text); }

}  // namespace

std::string StartedEventJson(const streaming::StreamingQuery& query, int64_t timestamp_ms) {
  return JsonValue::Object()
      .Set("id", JsonValue::String(query.id()))
      .Set("runId", JsonValue::String(query.run_id()))
      .Set("name", TextOrNull(query.name()))
      .Set("timestamp", JsonValue::String(streaming::IsoMillis(timestamp_ms)))
      .Set("jobTags", JsonValue::Array())
      .ToString();
}

std::string ProgressEventJson(const JsonValue& progress) {
  return JsonValue::Object().Set("progress", progress).ToString();
}

std::string IdleEventJson(const streaming::StreamingQuery& query, int64_t timestamp_ms) {
  return JsonValue::Object()
      .Set("id", JsonValue::String(query.id()))
      .Set("runId", JsonValue::String(query.run_id()))
      .Set("timestamp", JsonValue::String(streaming::IsoMillis(timestamp_ms)))
      .ToString();
}

std::optional<std::string> RaisedInDriver(const arrow::Status& cause) {
  if (!IsErrorCondition(cause, "FOREACH_BATCH_USER_FUNCTION_ERROR")) return std::nullopt;
  const ErrorParameters& parameters = GetErrorDetail(cause)->parameters();
  auto reason = parameters.find("reason");
  if (reason == parameters.end() || !reason->second.starts_with("An exception was raised by the Python Proxy")) {
    return std::nullopt;
  }
  return reason->second;
}

std::string TerminatedEventJson(const streaming::StreamingQuery& query, const arrow::Status& reason,
                                const std::string& exception_class) {
  arrow::Status cause = query.cause().ok() ? reason : query.cause();
  const ErrorDetail* detail = GetErrorDetail(cause);
  std::string text = (exception_class.empty() ? "" : exception_class + ": ") + cause.message();
  if (auto raised = RaisedInDriver(cause)) text = "py4j.Py4JException: " + *raised;
  return JsonValue::Object()
      .Set("id", JsonValue::String(query.id()))
      .Set("runId", JsonValue::String(query.run_id()))
      .Set("exception", reason.ok() ? JsonValue() : JsonValue::String(text))
      .Set("errorClassOnException", detail == nullptr ? JsonValue() : JsonValue::String(detail->condition()))
      .ToString();
}

}  // namespace millrace::session
