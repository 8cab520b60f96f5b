#include "streaming/progress.h"

#include <absl/time/time.h>

#include <cmath>

namespace millrace::streaming {

namespace {

JsonValue OffsetJson(const std::optional<connector::SourceOffset>& offset) {
  if (!offset) return JsonValue();
  auto json = ParseJson(offset->json);
  return json.ok() ? *json : JsonValue::String(offset->json);
}

JsonValue Rate(int64_t rows, double seconds) {
  double rate = rows == 0      ? 0.0
                : seconds <= 0 ? static_cast<double>(rows) * 1000.0
                               : static_cast<double>(rows) / seconds;
  return JsonValue::Number(std::round(rate * 10.0) / 10.0);
}

JsonValue StateJson(const StateOperatorProgress& op) {
  JsonValue json = JsonValue::Object();
  json.Set("operatorName", JsonValue::String(op.operator_name));
  json.Set("numRowsTotal", JsonValue::Number(op.num_rows_total));
  json.Set("numRowsUpdated", JsonValue::Number(op.num_rows_updated));
  json.Set("allUpdatesTimeMs", JsonValue::Number(op.all_updates_time_ms));
  json.Set("numRowsRemoved", JsonValue::Number(op.num_rows_removed));
  json.Set("allRemovalsTimeMs", JsonValue::Number(op.all_removals_time_ms));
  json.Set("commitTimeMs", JsonValue::Number(op.commit_time_ms));
  json.Set("memoryUsedBytes", JsonValue::Number(op.memory_used_bytes));
  json.Set("numRowsDroppedByWatermark", JsonValue::Number(op.num_rows_dropped_by_watermark));
  json.Set("numShufflePartitions", JsonValue::Number(op.num_shuffle_partitions));
  json.Set("numStateStoreInstances", JsonValue::Number(op.num_state_store_instances));
  if (!op.custom_metrics.empty()) {
    JsonValue metrics = JsonValue::Object();
    for (const auto& [key, value] : op.custom_metrics) {
      metrics.members().emplace_back(key, JsonValue::Number(value));
    }
    json.Set("customMetrics", std::move(metrics));
  }
  return json;
}

}  // namespace

std::string IsoMillis(int64_t ms) {
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%E3SZ", absl::FromUnixMillis(ms), absl::UTCTimeZone());
}

JsonValue ToJson(const QueryProgress& progress) {
  int64_t total = 0;
  for (const SourceProgress& source : progress.sources) total += source.num_input_rows;
  auto input_rate = [&](int64_t rows) {
    if (!progress.since_last_trigger_ms) return JsonValue::Number(0.0);
    return Rate(rows, static_cast<double>(*progress.since_last_trigger_ms) / 1000.0);
  };
  double processing_seconds = static_cast<double>(progress.batch_duration_ms) / 1000.0;

  JsonValue durations = JsonValue::Object();
  for (const auto& [key, value] : progress.duration_ms) {
    durations.members().emplace_back(key, JsonValue::Number(value));
  }
  JsonValue sources = JsonValue::Array();
  for (const SourceProgress& source : progress.sources) {
    JsonValue json = JsonValue::Object();
    json.Set("description", JsonValue::String(source.description));
    json.Set("startOffset", OffsetJson(source.start_offset));
    json.Set("endOffset", OffsetJson(source.end_offset));
    json.Set("latestOffset", OffsetJson(source.latest_offset));
    json.Set("numInputRows", JsonValue::Number(source.num_input_rows));
    json.Set("inputRowsPerSecond", input_rate(source.num_input_rows));
    json.Set("processedRowsPerSecond", Rate(source.num_input_rows, processing_seconds));
    if (!source.metrics.empty()) {
      JsonValue metrics = JsonValue::Object();
      for (const auto& [key, value] : source.metrics) metrics.members().emplace_back(key, JsonValue::String(value));
      json.Set("metrics", std::move(metrics));
    }
    sources.elements().push_back(std::move(json));
  }
  JsonValue sink = JsonValue::Object();
  sink.Set("description", JsonValue::String(progress.sink_description));
  sink.Set("numOutputRows", JsonValue::Number(progress.num_output_rows));

  JsonValue json = JsonValue::Object();
  json.Set("id", JsonValue::String(progress.id));
  json.Set("runId", JsonValue::String(progress.run_id));
  json.Set("name", progress.name.empty() ? JsonValue() : JsonValue::String(progress.name));
  json.Set("timestamp", JsonValue::String(IsoMillis(progress.timestamp_ms)));
  json.Set("batchId", JsonValue::Number(progress.batch_id));
  json.Set("batchDuration", JsonValue::Number(progress.batch_duration_ms));
  json.Set("numInputRows", JsonValue::Number(total));
  json.Set("inputRowsPerSecond", input_rate(total));
  json.Set("processedRowsPerSecond", Rate(total, processing_seconds));
  json.Set("durationMs", std::move(durations));
  if (!progress.event_time.empty()) {
    JsonValue times = JsonValue::Object();
    for (const auto& [key, value] : progress.event_time) {
      times.members().emplace_back(key, JsonValue::String(value));
    }
    json.Set("eventTime", std::move(times));
  }
  JsonValue operators = JsonValue::Array();
  for (const StateOperatorProgress& op : progress.state_operators) operators.elements().push_back(StateJson(op));
  json.Set("stateOperators", std::move(operators));
  json.Set("sources", std::move(sources));
  json.Set("sink", std::move(sink));
  if (!progress.observed_metrics.empty()) {
    JsonValue observed = JsonValue::Object();
    for (const auto& [name, row] : progress.observed_metrics) observed.Set(name, row);
    json.Set("observedMetrics", std::move(observed));
  }
  if (progress.waiting) {
    JsonValue waiting = JsonValue::Object();
    waiting.Set("numRows", JsonValue::Number(progress.waiting->num_rows));
    if (progress.waiting->next_ms) {
      waiting.Set("untilWatermark", JsonValue::String(IsoMillis(*progress.waiting->next_ms)));
    }
    waiting.Set("heldBackBy", JsonValue::String(progress.waiting->held_back_by));
    waiting.Set("watermarkStandsSince", JsonValue::String(IsoMillis(progress.waiting->since_ms)));
    json.Set("waitingInState", std::move(waiting));
  }
  return json;
}

}  // namespace millrace::streaming
