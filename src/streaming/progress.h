#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json_value.h"
#include "connector/source.h"

namespace millrace::streaming {

/// What one source did in a micro-batch.
struct SourceProgress {
  std::string description;
  std::optional<connector::SourceOffset> start_offset;
  std::optional<connector::SourceOffset> end_offset;
  std::optional<connector::SourceOffset> latest_offset;
  int64_t num_input_rows = 0;
  connector::SourceMetrics metrics;
};

/// What one operator with state did in a micro-batch (Spark's StateOperatorProgress).
struct StateOperatorProgress {
  std::string operator_name;
  int64_t num_rows_total = 0;
  int64_t num_rows_updated = 0;
  int64_t all_updates_time_ms = 0;
  int64_t num_rows_removed = 0;
  int64_t all_removals_time_ms = 0;
  int64_t commit_time_ms = 0;
  int64_t memory_used_bytes = 0;
  int64_t num_rows_dropped_by_watermark = 0;
  int64_t num_shuffle_partitions = 0;
  int64_t num_state_store_instances = 0;
  std::map<std::string, int64_t> custom_metrics;
};

/// What one trigger did.
struct QueryProgress {
  std::string id;
  std::string run_id;
  std::string name;
  /// When the trigger began, ms since 1970 UTC.
  int64_t timestamp_ms = 0;
  int64_t batch_id = 0;
  int64_t batch_duration_ms = 0;
  /// Since the trigger before began; nullopt for the first.
  std::optional<int64_t> since_last_trigger_ms;
  std::map<std::string, int64_t> duration_ms;
  /// Why an operator's rows have not come out yet (our own, beside Spark's members): how many wait in state, the event
  /// time the watermark must reach, and which input keeps it where it is, since when.
  struct Waiting {
    int64_t num_rows = 0;
    std::optional<int64_t> next_ms;
    std::string held_back_by;
    int64_t since_ms = 0;
  };
  std::optional<Waiting> waiting;
  /// avg, max, min, watermark, as Spark writes them.
  std::map<std::string, std::string> event_time;
  std::vector<StateOperatorProgress> state_operators;
  std::vector<SourceProgress> sources;
  std::string sink_description;
  /// -1 when the sink does not say.
  int64_t num_output_rows = -1;
  /// By the names given to observe(): one object a row.
  std::map<std::string, JsonValue> observed_metrics;
};

/// Spark's StreamingQueryProgress.json: same members, same order, rates rounded to one decimal.
JsonValue ToJson(const QueryProgress& progress);

/// "2026-11-20T16:24:51.118Z".
std::string IsoMillis(int64_t ms);

}  // namespace millrace::streaming
