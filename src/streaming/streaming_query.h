#pragma once

#include <arrow/status.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/json_value.h"
#include "base/task_pool.h"
#include "connector/sink.h"
#include "expression/eval_context.h"
#include "logical/plan.h"

namespace millrace::streaming {

enum class TriggerKind : uint8_t {
  kDefault,         ///< a micro-batch as soon as data arrive
  kProcessingTime,  ///< one each interval, at multiples of it
  kAvailableNow,    ///< all that exists at the start, in as many micro-batches as limits ask, then end
  kOnce,            ///< one micro-batch, then end
  kContinuous,      ///< as kDefault, for the queries that Spark runs without micro-batches (low_latency.h)
  kRealTime,        ///< as kDefault, for the queries that Spark runs in long micro-batches that answer at once
};

struct Trigger {
  TriggerKind kind = TriggerKind::kDefault;
  int64_t interval_ms = 0;
};

/// Everything a streaming query needs to start.
struct StreamingQuerySpec {
  /// Analysed plan with at least one stream; optimised and bound once by Start.
  logical::PlanPtr plan;
  const connector::SinkDef* sink = nullptr;
  /// schema, query_id, checkpoint_location and context are filled in by Start.
  connector::SinkRequest sink_request;
  /// Instead of `sink`: foreachBatch and other sinks made by the session. Called once.
  std::function<arrow::Result<std::unique_ptr<connector::StreamSink>>(const connector::SinkRequest&)> make_sink;
  /// Of the sink that make_sink makes.
  connector::LowLatency made_sink_low_latency;
  connector::OutputMode output_mode = connector::OutputMode::kAppend;
  Trigger trigger;
  /// Empty for none.
  std::string name;
  std::string checkpoint_location;
  /// The location was made up for this run: removed on a clean stop.
  bool temporary_checkpoint = false;
  /// Session settings by full key (checkpointed ones come back from the offset log at a restart).
  std::function<std::optional<std::string>(std::string_view key)> conf;
  /// spark.sql.streaming.pollingDelay, noDataProgressEventInterval, stopTimeout (0: none).
  int64_t polling_delay_ms = 10;
  int64_t no_data_progress_interval_ms = 10000;
  int64_t stop_timeout_ms = 0;
  expression::EvalContext eval;
  connector::ConnectorContext connector;
  TaskPool* pool = nullptr;
  Clock* clock = nullptr;
  FileSystem* file_system = nullptr;
  /// Called by Start before the query does anything.
  std::function<void(const class StreamingQuery&)> on_started;
  /// Called on the query's thread.
  std::function<void(const JsonValue& progress)> on_progress;
  /// There was nothing to do for no_data_progress_interval_ms; when the last look began.
  std::function<void(const class StreamingQuery&, int64_t timestamp_ms)> on_idle;
  std::function<void(const class StreamingQuery&, const arrow::Status& reason)> on_terminated;
};

struct StreamingQueryStatus {
  std::string message;
  bool is_data_available = false;
  bool is_trigger_active = false;
};

/// A running (or ended) streaming query (Spark's StreamingQuery). Thread-safe.
class StreamingQuery {
 public:
  virtual ~StreamingQuery() = default;

  /// Survives restarts: from the checkpoint's metadata file.
  virtual const std::string& id() const = 0;
  /// Of this run.
  virtual const std::string& run_id() const = 0;
  virtual const std::string& name() const = 0;
  virtual bool is_active() const = 0;
  virtual StreamingQueryStatus status() const = 0;
  /// Progress in Spark's JSON, oldest first, at most spark.sql.streaming.numRecentProgressUpdates.
  virtual std::vector<JsonValue> recent_progress() const = 0;
  /// nullopt before the first.
  virtual std::optional<JsonValue> last_progress() const = 0;
  /// Why it ended; OK while it runs and after a clean end. A failure carries condition STREAM_FAILED.
  virtual arrow::Status exception() const = 0;
  /// The failure behind exception(), with its own condition.
  virtual arrow::Status cause() const = 0;
  /// Where a query stood that failed: Spark shows it below the failure. Empty without one.
  virtual std::string DescribeFailedState() const = 0;
  virtual std::string Explain(bool extended) const = 0;

  /// Ends the query and returns when its thread has ended: the running micro-batch is abandoned (it runs again after a
  /// restart). Errors: none but a time-out of spark.sql.streaming.stopTimeout.
  virtual arrow::Status Stop() = 0;
  /// Waits for the end. Negative: for ever. False when the time is over; the query's failure as status.
  virtual arrow::Result<bool> AwaitTermination(std::chrono::milliseconds timeout) = 0;
  /// Returns when all data available at the call have been processed and committed. Errors: the query's failure.
  virtual arrow::Status ProcessAllAvailable() = 0;
};

/// Opens or creates the checkpoint, opens the sources, binds the plan and starts the query's thread.
/// Errors: UserError for plans or checkpoints Spark refuses; nothing was started then.
arrow::Result<std::shared_ptr<StreamingQuery>> Start(StreamingQuerySpec spec);

/// The query id in the checkpoint's `metadata`; nullopt when there is none. Errors: a file that cannot be read or is
/// not one.
arrow::Result<std::optional<std::string>> ReadQueryId(const FileSystem& file_system, const std::string& location);

}  // namespace millrace::streaming
