#include "streaming/async_progress.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/ascii.h"

namespace millrace::streaming {

namespace {

// Spark looks these up by their exact names.
std::optional<std::string> OptionOf(const StreamingQuerySpec& spec, std::string_view key) {
  auto it = spec.sink_request.options.entries().find(ToLowerAscii(key));
  if (it == spec.sink_request.options.entries().end() || it->second.key != key) return std::nullopt;
  return it->second.value;
}

arrow::Result<bool> BooleanOf(const StreamingQuerySpec& spec, std::string_view key) {
  std::optional<std::string> text = OptionOf(spec, key);
  if (!text || EqualsIgnoreCase(*text, "false")) return false;
  if (EqualsIgnoreCase(*text, "true")) return true;
  return arrow::Status::Invalid("For input string: \"", *text, "\"");
}

arrow::Status CheckInterval(const StreamingQuerySpec& spec) {
  std::optional<std::string> text = OptionOf(spec, "asyncProgressTrackingCheckpointIntervalMs");
  if (!text) return arrow::Status::OK();
  std::string_view digits = *text;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  int64_t interval_ms = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), interval_ms);
  if (error == std::errc() && end == digits.data() + digits.size()) return arrow::Status::OK();
  return arrow::Status::Invalid("For input string: \"", *text, "\"");
}

arrow::Status CheckSink(const StreamingQuerySpec& spec, const connector::StreamSink& sink) {
  static constexpr std::array<std::string_view, 4> kSinks = {"noop", "console", "memory", "kafka"};
  if (spec.sink != nullptr && std::find(kSinks.begin(), kSinks.end(), spec.sink->name) != kSinks.end()) {
    return arrow::Status::OK();
  }
  std::string name = sink.Description();
  // The table of foreach has another name than text.
  if (name == "ForeachWriterTable") name = "ForeachSink";
  return arrow::Status::Invalid("Sink ", name, " does not support async progress tracking");
}

}  // namespace

arrow::Result<bool> TracksProgressAsync(const StreamingQuerySpec& spec, const connector::StreamSink& sink) {
  ARROW_ASSIGN_OR_RAISE(bool enabled, BooleanOf(spec, "asyncProgressTrackingEnabled"));
  if (!enabled) return false;
  ARROW_RETURN_NOT_OK(CheckInterval(spec));
  ARROW_ASSIGN_OR_RAISE(bool any_sink, BooleanOf(spec, "_asyncProgressTrackingOverrideSinkSupportCheck"));
  if (!any_sink) ARROW_RETURN_NOT_OK(CheckSink(spec, sink));
  if (spec.trigger.kind == TriggerKind::kOnce) {
    return arrow::Status::Invalid("Async progress tracking cannot be used with Once trigger");
  }
  if (spec.trigger.kind == TriggerKind::kAvailableNow) {
    return arrow::Status::Invalid("Async progress tracking cannot be used with AvailableNow trigger");
  }
  return true;
}

arrow::Status StatefulWithAsyncProgress() {
  return arrow::Status::Invalid("Stateful streaming queries does not support async progress tracking at this moment.");
}

}  // namespace millrace::streaming
