#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "connector/sink.h"
#include "physical/computed_rows.h"
#include "physical/operator.h"
#include "streaming/batch_seeds.h"
#include "streaming/checkpoint.h"
#include "streaming/log_writer.h"
#include "streaming/planning_time.h"
#include "streaming/progress.h"
#include "streaming/query_state.h"
#include "streaming/streaming_query.h"
#include "streaming/watermark_tracker.h"

namespace millrace::streaming {

/// One stream of the query, with what the loop knows of it.
struct QuerySource {
  std::unique_ptr<connector::MicroBatchStream> stream;
  std::string description;
  /// Scans of the bound plan that read this stream, with the columns each wants: usually one.
  struct Scan {
    int64_t key = 0;
    connector::ReadColumns columns;
    /// Reads once more what another scan has read: its rows are not further input.
    bool repeats = false;
  };
  std::vector<Scan> scans;
  /// Where a new query begins, once it was asked for.
  std::optional<connector::SourceOffset> initial;
  /// End of the last micro-batch that is done.
  std::optional<connector::SourceOffset> committed;
  /// End of the micro-batch that is planned or running.
  std::optional<connector::SourceOffset> available;
};

/// The plan of a query, bound once.
struct BoundQuery {
  /// Null when the plan was refused.
  physical::OperatorPtr root;
  /// Why: Spark plans when the first micro-batch runs, so that the query starts and fails then.
  arrow::Status refused;
  /// What was wrong with a source: Spark opens them on the query's own thread, so that the query starts and fails then.
  arrow::Status not_opened;
  std::string logical_text;
  std::vector<QuerySource> sources;
  /// For each place in the plan that reads a stream, left to right: which of `sources`. The offset log has one offset a
  /// place.
  std::vector<size_t> source_of_place;
  /// What now() in the plan reads.
  PlanningTime planning_time = std::make_shared<std::atomic<int64_t>>(0);
  RunningBatch running_batch = std::make_shared<std::atomic<int64_t>>(0);
};

/// A number of the query's conf; `fallback` when it is not set.
int64_t ConfInt64(const StreamingQuerySpec& spec, std::string_view key, int64_t fallback);

/// The micro-batch loop (Armbrust et al., SIGMOD 2018, section 6; Spark's MicroBatchExecution).
///
/// Crash: safe from any line. Micro-batch N's offsets are durable before its sink commits, its commit entry is written
/// after; whatever is lost in between runs again with the same offsets.
/// Thread: the loop runs on a thread of its own, which owns sources, sink and logs; the other methods are thread-safe.
class MicroBatchExecution final : public StreamingQuery {
 public:
  /// `spec` stays where it is: sources and sink point at its connector context. Its conf is that of the checkpoint,
  /// where there is one.
  MicroBatchExecution(std::unique_ptr<StreamingQuerySpec> spec, Checkpoint checkpoint, BoundQuery bound,
                      WatermarkTracker watermarks, std::unique_ptr<QueryState> state,
                      std::unique_ptr<connector::StreamSink> sink);
  ~MicroBatchExecution() override;

  /// Starts the thread. Call once.
  void Launch();

  const std::string& id() const override { return checkpoint_.query_id; }
  const std::string& run_id() const override { return run_id_; }
  const std::string& name() const override { return spec_.name; }
  bool is_active() const override;
  StreamingQueryStatus status() const override;
  std::vector<JsonValue> recent_progress() const override;
  std::optional<JsonValue> last_progress() const override;
  arrow::Status exception() const override;
  arrow::Status cause() const override;
  std::string DescribeFailedState() const override;
  std::string Explain(bool extended) const override;
  arrow::Status Stop() override;
  arrow::Result<bool> AwaitTermination(std::chrono::milliseconds timeout) override;
  arrow::Status ProcessAllAvailable() override;

 private:
  void Run();
  arrow::Status RunLoop();
  /// Reads the logs: where to go on, and whether a planned micro-batch must run again.
  arrow::Status Recover();
  arrow::Status CheckRepartitioned(const OffsetEntry& before, const OffsetEntry& newest,
                                   std::optional<BatchId> committed) const;
  /// One trigger. True when a micro-batch ran.
  arrow::Result<bool> RunTrigger();
  /// Asks the sources for new data; true when there is a micro-batch to run, whose offsets are then on their way to
  /// the offset log.
  arrow::Result<bool> PlanOffsets();
  arrow::Result<connector::SourceOffset> InitialOffsetOf(QuerySource* source);
  arrow::Status WriteOffsets();
  arrow::Status RunMicroBatch();
  /// Runs the plan into the sink; state is committed before the sink is, and given up when something fails.
  /// What DataFrame.observe computed in this micro-batch, for the progress.
  arrow::Status ReportObserved(physical::ExecutionContext* context);
  /// `rows`: where the write takes rows; else null.
  arrow::Status RunPlan(physical::ExecutionContext* context, connector::Write* write,
                        const std::shared_ptr<physical::ComputedRows>& rows);
  int64_t HeldBytes() const;
  arrow::Status PlanPartitions(physical::ExecutionContext* context);
  arrow::Status CommitMicroBatch();
  /// Tells the sources what they may forget: the ends of the micro-batch whose commit entry is durable.
  arrow::Status CommitSources();
  void ReportProgress(bool ran);
  /// eventTime and stateOperators.
  void ReportState(bool ran);
  /// "ts of KafkaV2[Subscribe[visits]]": whose watermark it is.
  std::string DescribeInput(const physical::EventTimeWatermark& watermark) const;
  /// Waits for the next trigger. False when the query shall end.
  bool WaitForTrigger(bool ran);
  /// State that goes by processing time is due now, or is looked at in each interval.
  bool TimeoutIsDue() const;
  /// The query has such state, so that it is not done when all data are read.
  bool WaitsForTimeouts() const;
  /// Until `wake` says so, at the latest then or when such state is due.
  void WaitUntilTimeout(int64_t until_us, const std::function<bool()>& wake);
  bool stopping() const { return stopping_.load(std::memory_order_acquire); }
  void SetMessage(std::string message);
  std::string DescribeState() const;
  void Finish(arrow::Status status);

  const std::unique_ptr<StreamingQuerySpec> owned_spec_;
  StreamingQuerySpec& spec_;
  const std::string run_id_;
  Checkpoint checkpoint_;
  BoundQuery bound_;
  WatermarkTracker watermarks_;
  /// Null for a plan without operators with state.
  std::unique_ptr<QueryState> state_;
  std::unique_ptr<connector::StreamSink> sink_;
  LogWriter log_writer_;

  // State of the loop: its thread only.
  BatchId batch_id_{0};
  /// Since the query started in this process.
  int64_t num_batches_run_ = 0;
  OffsetEntry entry_;
  /// The micro-batch's offsets are in the log (or on their way): it has to run.
  bool planned_ = false;
  bool sources_to_commit_ = false;
  std::vector<std::optional<connector::SourceOffset>> commit_offsets_;
  /// Watermark in force in the last micro-batch that was planned, and in the one before it.
  int64_t batch_watermark_ms_ = 0;
  int64_t previous_watermark_ms_ = 0;
  int64_t batch_timestamp_ms_ = 0;
  /// The micro-batch has rows to read; others only evict state.
  bool has_new_data_ = false;
  /// A micro-batch ran since the query started.
  bool has_run_ = false;
  /// The watermarks of the micro-batch before are known, and with them whether another is needed for state alone.
  bool knows_watermarks_ = false;
  /// A checkpoint stays with the version it was begun with.
  int offset_log_version_ = 1;
  std::map<const physical::Operator*, physical::EventTimeStats> event_times_;
  std::map<int64_t, int64_t> rows_read_;
  int64_t rows_written_ = 0;
  QueryProgress progress_;
  int64_t trigger_start_us_ = 0;
  std::optional<int64_t> last_trigger_ms_;
  int64_t last_report_ms_ = 0;
  bool all_sources_notify_ = false;

  std::atomic<bool> stopping_{false};
  std::atomic<bool> data_arrived_{false};
  std::thread thread_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  bool active_ = true;
  /// No longer active, and its listeners know.
  bool ended_ = false;
  arrow::Status failure_;
  arrow::Status cause_;
  std::string failed_state_;
  StreamingQueryStatus status_;
  std::deque<JsonValue> recent_;
  /// Number of triggers begun, and of the last one that found nothing to do: what ProcessAllAvailable waits for.
  int64_t begun_triggers_ = 0;
  int64_t last_idle_trigger_ = 0;
};

}  // namespace millrace::streaming
