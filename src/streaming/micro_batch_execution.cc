#include "streaming/micro_batch_execution.h"

#include <algorithm>
#include <cstdlib>
#include <future>

#include "base/allocation.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/ids.h"
#include "physical/operator/collect_metrics.h"
#include "physical/write.h"
#include "streaming/discarding_write.h"

namespace millrace::streaming {

namespace {

// How long a query without data sleeps when nothing would wake it but its sources.
constexpr int64_t kIdlePollUs = 1000000;
/// After so many micro-batches nothing runs for the first time.
constexpr int64_t kBatchesToWarmUp = 20;

/// Adds the time until it ends to one of durationMs' keys.
class PhaseTimer {
 public:
  PhaseTimer(const Clock& clock, QueryProgress* progress, const char* key)
      : clock_(clock), progress_(progress), key_(key), start_us_(clock.NowMicros()) {}
  ~PhaseTimer() { progress_->duration_ms[key_] += (clock_.NowMicros() - start_us_) / 1000; }
  PhaseTimer(const PhaseTimer&) = delete;
  PhaseTimer& operator=(const PhaseTimer&) = delete;

 private:
  const Clock& clock_;
  QueryProgress* progress_;
  const char* key_;
  int64_t start_us_;
};

int64_t MinBatchesToRetain(const StreamingQuerySpec& spec) {
  return std::max<int64_t>(1, ConfInt64(spec, "spark.sql.streaming.minBatchesToRetain", 100));
}

}  // namespace

MicroBatchExecution::MicroBatchExecution(std::unique_ptr<StreamingQuerySpec> spec, Checkpoint checkpoint,
                                         BoundQuery bound, WatermarkTracker watermarks,
                                         std::unique_ptr<QueryState> state, std::unique_ptr<connector::StreamSink> sink)
    : owned_spec_(std::move(spec)),
      spec_(*owned_spec_),
      run_id_(RandomUuid()),
      checkpoint_(std::move(checkpoint)),
      bound_(std::move(bound)),
      watermarks_(std::move(watermarks)),
      state_(std::move(state)),
      sink_(std::move(sink)),
      log_writer_(spec_.connector.durability == Durability::kMachine) {
  status_.message = "Initializing sources";
}

MicroBatchExecution::~MicroBatchExecution() {
  stopping_.store(true, std::memory_order_release);
  spec_.clock->Notify();
  if (!thread_.joinable()) return;
  // The last owner may be a callback on the query's own thread.
  if (thread_.get_id() == std::this_thread::get_id()) {
    thread_.detach();
  } else {
    thread_.join();
  }
}

void MicroBatchExecution::Launch() {
  if (spec_.on_started) spec_.on_started(*this);
  thread_ = std::thread([this] { Run(); });
}

void MicroBatchExecution::Run() {
  arrow::Status status;
  try {
    status = RunLoop();
  } catch (const std::exception& e) {  // bad_alloc, and what third parties throw
    status = InternalError(std::string("The query's thread ended by an exception: ") + e.what());
  }
  // Nothing may be written to the logs once the query counts as ended: another run may begin then.
  arrow::Status written = log_writer_.Wait();
  if (status.ok()) status = std::move(written);
  Finish(std::move(status));
}

arrow::Status MicroBatchExecution::RunLoop() {
  ARROW_RETURN_NOT_OK(bound_.not_opened);
  ARROW_RETURN_NOT_OK(Recover());
  if (spec_.trigger.kind == TriggerKind::kAvailableNow) {
    for (QuerySource& source : bound_.sources) ARROW_RETURN_NOT_OK(source.stream->PrepareForAvailableNow());
  } else if (spec_.trigger.kind == TriggerKind::kOnce) {
    for (QuerySource& source : bound_.sources) source.stream->IgnoreLimits();
  }
  all_sources_notify_ = true;
  for (QuerySource& source : bound_.sources) {
    bool notifies = source.stream->NotifyOnData([this] {
      data_arrived_.store(true, std::memory_order_release);
      spec_.clock->Notify();
    });
    all_sources_notify_ = all_sources_notify_ && notifies;
  }
  while (!stopping()) {
    data_arrived_.store(false, std::memory_order_release);
    ARROW_ASSIGN_OR_RAISE(bool ran, RunTrigger());
    // Nobody should find a micro-batch unfinished because the next one is far away.
    if (spec_.trigger.kind == TriggerKind::kProcessingTime) ARROW_RETURN_NOT_OK(log_writer_.Wait());
    if (!WaitForTrigger(ran)) break;
  }
  return arrow::Status::OK();
}

arrow::Status MicroBatchExecution::Recover() {
  ARROW_ASSIGN_OR_RAISE(auto newest, checkpoint_.offset_log.log().LatestId());
  if (!newest) {
    offset_log_version_ = static_cast<int>(ConfInt64(spec_, "spark.sql.streaming.offsetLog.formatVersion", 1));
    return arrow::Status::OK();
  }
  int num_places = static_cast<int>(bound_.source_of_place.size());
  ARROW_ASSIGN_OR_RAISE(auto entry, checkpoint_.offset_log.Get(*newest, num_places));
  if (!entry) return arrow::Status::Invalid("The offset log entry ", newest->ToString(), " disappeared");
  offset_log_version_ = entry->version;
  watermarks_.Restore(entry->watermark_ms);
  batch_watermark_ms_ = entry->watermark_ms;
  batch_id_ = *newest;
  for (size_t i = 0; i < bound_.source_of_place.size(); ++i) {
    QuerySource& source = bound_.sources[bound_.source_of_place[i]];
    source.available = entry->offsets[i];
    if (source.available) ARROW_RETURN_NOT_OK(source.stream->SeenBefore(*source.available));
  }

  // Two entries in a row are asked for even where the newest is done: a hole means that somebody has tampered.
  std::optional<OffsetEntry> before;
  if (newest->value > 0) {
    ARROW_ASSIGN_OR_RAISE(before, checkpoint_.offset_log.Get(newest->Previous(), num_places));
    if (!before) {
      return arrow::Status::Invalid("batch ", newest->Previous().ToString(), " doesn't exist");
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto committed, checkpoint_.commit_log.log().LatestId());
  if (before && committed != newest) ARROW_RETURN_NOT_OK(CheckRepartitioned(*before, *entry, committed));
  // A commit beyond the newest offsets is nobody's: what was planned last runs again, and its commit is refused then.
  if (committed && *committed == *newest) {
    ARROW_ASSIGN_OR_RAISE(auto commit, checkpoint_.commit_log.Get(*newest));
    if (commit) watermarks_.Restore(commit->next_watermark_ms);
    for (size_t i = 0; i < bound_.source_of_place.size(); ++i) {
      const std::optional<connector::SourceOffset>& end = entry->offsets[i];
      if (!end) continue;
      std::optional<connector::SourceOffset> start;
      if (before) start = before->offsets[i];
      ARROW_RETURN_NOT_OK(bound_.sources[bound_.source_of_place[i]].stream->Resume(start, *end));
    }
    for (QuerySource& source : bound_.sources) {
      source.committed = source.available;
      commit_offsets_.push_back(source.committed);
    }
    sources_to_commit_ = true;
    batch_id_ = newest->Next();
    // As Spark does, wait for data before what the watermark has passed is evicted: which rows of the next micro-batch
    // are late depends on it.
    if (spec_.conf("millrace.restart.evicts").value_or("false") == "true") {
      if (state_ != nullptr) ARROW_RETURN_NOT_OK(state_->Resume(batch_watermark_ms_));
      knows_watermarks_ = true;
    }
    return arrow::Status::OK();
  }
  // The newest micro-batch is not done: it runs again, over exactly the same offsets.
  entry_ = *entry;
  planned_ = true;
  has_new_data_ = !before || before->offsets != entry->offsets;
  batch_timestamp_ms_ = entry->timestamp_ms;
  if (before) {
    previous_watermark_ms_ = before->watermark_ms;
    for (size_t i = 0; i < bound_.source_of_place.size(); ++i) {
      bound_.sources[bound_.source_of_place[i]].committed = before->offsets[i];
    }
  }
  return arrow::Status::OK();
}

// Spark's tool that changes the number of partitions of state leaves a micro-batch of its own, which reads nothing and
// is told by that number; half done, its state is not whole. Source: Spark, OfflineStateRepartitionUtils.
arrow::Status MicroBatchExecution::CheckRepartitioned(const OffsetEntry& before, const OffsetEntry& newest,
                                                      std::optional<BatchId> committed) const {
  if (spec_.conf("spark.sql.streaming.checkUnfinishedRepartitionOnRestart").value_or("true") == "false") {
    return arrow::Status::OK();
  }
  constexpr const char* kPartitions = "spark.sql.shuffle.partitions";
  auto was = before.conf.find(kPartitions), is = newest.conf.find(kPartitions);
  if (was == before.conf.end() || is == newest.conf.end() || was->second == is->second) return arrow::Status::OK();
  return UserError(
      "STREAMING_UNFINISHED_REPARTITION_DETECTED",
      {{"batchId", batch_id_.ToString()}, {"lastCommittedBatchId", committed ? committed->ToString() : "-1"}});
}

arrow::Result<bool> MicroBatchExecution::RunTrigger() {
  trigger_start_us_ = spec_.clock->NowMicros();
  progress_ = QueryProgress();
  progress_.timestamp_ms = trigger_start_us_ / 1000;
  rows_read_.clear();
  rows_written_ = 0;
  event_times_.clear();
  {
    std::lock_guard lock(mutex_);
    status_.is_trigger_active = true;
    ++begun_triggers_;
  }
  if (!planned_) {
    SetMessage("Getting offsets from sources");
    ARROW_ASSIGN_OR_RAISE(planned_, PlanOffsets());
  }
  bool run = planned_ && !stopping();
  if (run) {
    SetMessage(has_new_data_ ? "Processing new data" : "No new data but cleaning up state");
    ARROW_RETURN_NOT_OK(RunMicroBatch());
    ARROW_RETURN_NOT_OK(CommitMicroBatch());
  }
  ReportProgress(run);
  // By now everything that a micro-batch needs has run.
  if (run && ++num_batches_run_ == kBatchesToWarmUp) ReleaseStartupMemory();
  std::lock_guard lock(mutex_);
  status_.is_trigger_active = false;
  if (!run) {
    status_.message = "Waiting for data to arrive";
    status_.is_data_available = false;
    last_idle_trigger_ = begun_triggers_;
    changed_.notify_all();
  } else {
    status_.message = "Waiting for next trigger";
  }
  return run;
}

arrow::Result<connector::SourceOffset> MicroBatchExecution::InitialOffsetOf(QuerySource* source) {
  if (!source->initial) {
    ARROW_RETURN_NOT_OK(HitFailpoint("source.before_initial_offsets"));
    ARROW_ASSIGN_OR_RAISE(source->initial, source->stream->InitialOffset());
    ARROW_RETURN_NOT_OK(HitFailpoint("source.after_initial_offsets"));
  }
  return *source->initial;
}

arrow::Status MicroBatchExecution::CommitSources() {
  if (!sources_to_commit_) return arrow::Status::OK();
  ARROW_RETURN_NOT_OK(log_writer_.Wait());
  sources_to_commit_ = false;
  for (size_t i = 0; i < bound_.sources.size(); ++i) {
    if (commit_offsets_[i]) ARROW_RETURN_NOT_OK(bound_.sources[i].stream->Commit(*commit_offsets_[i]));
  }
  return arrow::Status::OK();
}

arrow::Result<bool> MicroBatchExecution::PlanOffsets() {
  bool changed = false;
  for (QuerySource& source : bound_.sources) {
    PhaseTimer timer(*spec_.clock, &progress_, "latestOffset");
    connector::SourceOffset start;
    if (source.available) {
      start = *source.available;
    } else {
      ARROW_ASSIGN_OR_RAISE(start, InitialOffsetOf(&source));
    }
    ARROW_ASSIGN_OR_RAISE(auto latest, source.stream->LatestOffset(start));
    if (latest) source.available = latest;
    changed = changed || source.available != source.committed;
  }
  has_new_data_ = changed;
  if (!changed && knows_watermarks_ && state_ != nullptr && spec_.trigger.kind != TriggerKind::kOnce &&
      spec_.conf("spark.sql.streaming.noDataMicroBatches.enabled").value_or("true") != "false") {
    // The watermark moved: state goes, and comes out, without further data.
    ARROW_ASSIGN_OR_RAISE(changed, state_->ShouldRunAnotherBatch(watermarks_.watermark_ms()));
    changed = changed || TimeoutIsDue();
  }
  // Whoever waits for the query to have done everything waits for its logs too.
  if (!changed) {
    ARROW_RETURN_NOT_OK(log_writer_.Wait());
    return false;
  }
  {
    std::lock_guard lock(mutex_);
    status_.is_data_available = has_new_data_;
  }
  ARROW_RETURN_NOT_OK(WriteOffsets());
  return true;
}

// Spark runs micro-batches without a pause for such state; here one is run when some is due, or at each interval.
bool MicroBatchExecution::TimeoutIsDue() const {
  if (!has_run_ || !state_->goes_by_processing_time()) return false;
  return spec_.trigger.kind == TriggerKind::kProcessingTime || state_->NextTimeoutMs() < spec_.clock->NowMillis();
}

bool MicroBatchExecution::WaitsForTimeouts() const {
  return has_run_ && state_ != nullptr && state_->goes_by_processing_time() &&
         spec_.conf("spark.sql.streaming.noDataMicroBatches.enabled").value_or("true") != "false";
}

arrow::Status MicroBatchExecution::WriteOffsets() {
  PhaseTimer timer(*spec_.clock, &progress_, "walCommit");
  batch_timestamp_ms_ = spec_.clock->NowMillis();
  previous_watermark_ms_ = batch_watermark_ms_;
  batch_watermark_ms_ = watermarks_.watermark_ms();
  entry_ = OffsetEntry();
  entry_.version = offset_log_version_;
  entry_.watermark_ms = batch_watermark_ms_;
  entry_.timestamp_ms = batch_timestamp_ms_;
  for (const CheckpointedConf& conf : CheckpointedConfs()) {
    entry_.conf[std::string(conf.key)] = spec_.conf(conf.key).value_or(std::string(conf.default_value));
  }
  for (size_t source : bound_.source_of_place) entry_.offsets.push_back(bound_.sources[source].available);
  return log_writer_.Submit([this, batch_id = batch_id_, entry = entry_]() -> arrow::Status {
    ARROW_RETURN_NOT_OK(HitFailpoint("offset_log.before_add"));
    ARROW_RETURN_NOT_OK(checkpoint_.offset_log.Add(batch_id, entry));
    ARROW_RETURN_NOT_OK(HitFailpoint("offset_log.after_add"));
    // Done here, off the loop's thread: what is old enough for every restart.
    BatchId threshold(batch_id.value - MinBatchesToRetain(spec_));
    ARROW_RETURN_NOT_OK(checkpoint_.offset_log.log().Purge(threshold));
    return checkpoint_.commit_log.log().Purge(threshold);
  });
}

arrow::Status MicroBatchExecution::PlanPartitions(physical::ExecutionContext* context) {
  PhaseTimer timer(*spec_.clock, &progress_, "getBatch");
  for (QuerySource& source : bound_.sources) {
    for (const QuerySource::Scan& scan : source.scans) {
      connector::InputPartitions& partitions = context->stream_partitions[scan.key];
      // Nothing new in this source: it takes part with no rows.
      if (!source.available || source.available == source.committed) continue;
      connector::SourceOffset start;
      if (source.committed) {
        start = *source.committed;
      } else {
        ARROW_ASSIGN_OR_RAISE(start, InitialOffsetOf(&source));
      }
      ARROW_ASSIGN_OR_RAISE(partitions, source.stream->PlanPartitions(start, *source.available, scan.columns));
    }
  }
  return arrow::Status::OK();
}

arrow::Status MicroBatchExecution::RunMicroBatch() {
  auto context = std::make_shared<physical::ExecutionContext>();
  context->eval = spec_.eval;
  context->eval.current_timestamp_us = batch_timestamp_ms_ * 1000;
  bound_.running_batch->store(batch_id_.value, std::memory_order_relaxed);
  bound_.planning_time->store(spec_.clock->NowMicros(), std::memory_order_relaxed);
  context->pool = spec_.pool;
  context->shuffle_partitions = static_cast<int>(ConfInt64(spec_, "spark.sql.shuffle.partitions", 200));
  context->batch_rows = ConfInt64(spec_, "millrace.batch.rows", context->batch_rows);
  context->cancelled = &stopping_;
  auto commits_first = [](const QuerySource& source) { return source.stream->commits_before_planning(); };
  if (std::any_of(bound_.sources.begin(), bound_.sources.end(), commits_first)) ARROW_RETURN_NOT_OK(CommitSources());
  ARROW_RETURN_NOT_OK(PlanPartitions(context.get()));
  ARROW_RETURN_NOT_OK(bound_.refused);
  progress_.duration_ms["queryPlanning"] += 0;  // bound when the query started
  PhaseTimer timer(*spec_.clock, &progress_, "addBatch");
  ARROW_RETURN_NOT_OK(HitFailpoint("batch.before_run"));
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<connector::Write> write, sink_->Begin(batch_id_));
  // Null: the sink has this micro-batch already; it was committed before a crash. So was its state, but names of state
  // files that are unique were lost with the commit entry: it is made anew.
  if (write == nullptr && state_ != nullptr && state_->has_unique_ids()) write = std::make_unique<DiscardingWrite>();
  if (write == nullptr) {
    if (state_ != nullptr) ARROW_RETURN_NOT_OK(state_->Skip(batch_id_, previous_watermark_ms_, batch_watermark_ms_));
    has_run_ = true;
    knows_watermarks_ = true;
    ARROW_RETURN_NOT_OK(log_writer_.Wait());
    return CommitSources();
  }
  std::shared_ptr<physical::ComputedRows> handed_over;
  if (write->takes_rows()) handed_over = std::make_shared<physical::ComputedRows>(bound_.root, context, HeldBytes());
  ARROW_RETURN_NOT_OK(RunPlan(context.get(), write.get(), handed_over));
  ARROW_RETURN_NOT_OK(ReportObserved(context.get()));
  ARROW_RETURN_NOT_OK(HitFailpoint("sink.after_commit"));
  // A micro-batch without state is computed each time its rows are asked for, in Spark; what is read is counted then.
  rows_read_ = handed_over != nullptr && state_ == nullptr ? handed_over->RowsRead() : context->rows_read;
  if (handed_over != nullptr && state_ != nullptr && handed_over->num_readings() == 0 &&
      spec_.conf("spark.sql.streaming.stateStore.commitValidation.enabled").value_or("true") != "false") {
    ARROW_RETURN_NOT_OK(state_->CheckRowsWereWanted(batch_id_));
  }
  rows_written_ = context->rows_written;
  return arrow::Status::OK();
}

// State is whole, and metrics are those of all rows, only when every row was computed before the function is called.
int64_t MicroBatchExecution::HeldBytes() const {
  if (state_ != nullptr || physical::CollectsMetrics(*bound_.root)) return INT64_MAX;
  return ConfInt64(spec_, "millrace.foreachBatch.heldBytes", int64_t{256} << 20);
}

arrow::Status MicroBatchExecution::RunPlan(physical::ExecutionContext* context, connector::Write* write,
                                           const std::shared_ptr<physical::ComputedRows>& rows) {
  physical::StreamingBatch batch;
  batch.batch_id = batch_id_;
  batch.timestamp_ms = batch_timestamp_ms_;
  context->streaming = &batch;
  if (state_ == nullptr && !has_run_ && batch_id_.value > 0) {
    ARROW_RETURN_NOT_OK(QueryState::CheckNone(spec_, checkpoint_));
  }
  if (state_ != nullptr) {
    // State without an offset log would be refused at the next start.
    if (!has_run_) ARROW_RETURN_NOT_OK(log_writer_.Wait());
    ARROW_RETURN_NOT_OK(state_->Begin(previous_watermark_ms_, batch_watermark_ms_, !has_run_, &batch));
  }
  // State is final before the first row is written: both go to the disk, or the sink, at the same time.
  std::future<arrow::Status> state_commit;
  bool state_is_final = false;
  auto commit_state = [&] {
    state_is_final = true;
    if (state_ == nullptr) return;
    // State goes to the disk when the intent is there, as in Spark: a batch of which only the state is left would be
    // planned anew, perhaps together with rows that came since, and other rows would be late.
    state_commit = std::async(std::launch::async, [&]() -> arrow::Status {
      ARROW_RETURN_NOT_OK(log_writer_.Wait());
      return state_->Commit(&batch);
    });
  };
  auto before_commit = [&]() -> arrow::Status {
    arrow::Status committed = state_commit.valid() ? state_commit.get() : arrow::Status::OK();
    // The intent must be durable before the sink shows anything: a lost intent would be planned again, longer. So it is
    // when the state fails: the same batch is run again, also one that only moves the watermark.
    ARROW_RETURN_NOT_OK(log_writer_.Wait());
    ARROW_RETURN_NOT_OK(committed);
    ARROW_RETURN_NOT_OK(HitFailpoint("batch.after_run"));
    ARROW_RETURN_NOT_OK(CommitSources());
    return HitFailpoint("sink.before_commit");
  };
  arrow::Status not_computed;
  arrow::Status status = rows == nullptr
                             ? physical::RunWrite(*bound_.root, *context, write, before_commit, commit_state)
                             : physical::RunHandOver(rows, write, before_commit, commit_state, &not_computed);
  // A function may go on without the rows only where that leaves the state of all tasks whole.
  if (status.ok() && !not_computed.ok() && state_ != nullptr && !(state_is_final && state_->is_final_before_rows())) {
    status = std::move(not_computed);
  }
  if (!status.ok()) {
    if (state_commit.valid()) (void)state_commit.get();  // the sink failed first
    if (state_ != nullptr) state_->Abort();
    return status;
  }
  event_times_ = std::move(batch.event_times);
  has_run_ = true;
  knows_watermarks_ = true;
  return arrow::Status::OK();
}

arrow::Status MicroBatchExecution::CommitMicroBatch() {
  PhaseTimer timer(*spec_.clock, &progress_, "commitOffsets");
  watermarks_.Update(event_times_, spec_.clock->NowMillis());
  int64_t next_watermark_ms = watermarks_.watermark_ms();
  CommitEntry entry{next_watermark_ms, QueryState::IdsToCommit(state_.get(), spec_)};
  ARROW_RETURN_NOT_OK(log_writer_.Submit([this, batch_id = batch_id_, entry = std::move(entry)]() -> arrow::Status {
    ARROW_RETURN_NOT_OK(HitFailpoint("commit_log.before_add"));
    ARROW_RETURN_NOT_OK(checkpoint_.commit_log.Add(batch_id, entry));
    return HitFailpoint("commit_log.after_add");
  }));
  progress_.batch_id = batch_id_.value;
  commit_offsets_.clear();
  for (QuerySource& source : bound_.sources) {
    SourceProgress reported;
    reported.start_offset = source.committed;
    reported.end_offset = source.available;
    progress_.sources.push_back(std::move(reported));
    source.committed = source.available;
    commit_offsets_.push_back(source.committed);
  }
  // The sources may delete what they have read only when the commit entry is durable: done with the next micro-batch,
  // as in Spark (MicroBatchExecution.cleanUpLastExecutedMicroBatch), in this run or in another.
  sources_to_commit_ = true;
  planned_ = false;
  batch_id_ = batch_id_.Next();
  return arrow::Status::OK();
}

void MicroBatchExecution::WaitUntilTimeout(int64_t until_us, const std::function<bool()>& wake) {
  if (WaitsForTimeouts() && state_->NextTimeoutMs() != INT64_MAX) {
    until_us = std::min(until_us, (state_->NextTimeoutMs() + 1) * 1000);
  }
  spec_.clock->WaitUntil(until_us, wake);
}

bool MicroBatchExecution::WaitForTrigger(bool ran) {
  if (stopping()) return false;
  auto wake = [this] { return stopping(); };
  switch (spec_.trigger.kind) {
    case TriggerKind::kOnce:
      return false;
    case TriggerKind::kAvailableNow:
      if (ran || !WaitsForTimeouts()) return ran;
      WaitUntilTimeout(spec_.clock->NowMicros() + kIdlePollUs, wake);
      return !stopping();
    case TriggerKind::kProcessingTime: {
      // Multiples of the interval; a trigger that was missed is left out.
      int64_t interval_us = spec_.trigger.interval_ms * 1000;
      int64_t next_us = trigger_start_us_ / interval_us * interval_us + interval_us;
      if (spec_.clock->NowMicros() < next_us) spec_.clock->WaitUntil(next_us, wake);
      return !stopping();
    }
    case TriggerKind::kDefault:
    case TriggerKind::kContinuous:
    case TriggerKind::kRealTime: {
      if (ran) return true;
      // Sources that tell wake the query; a long wait is only a safety net then.
      int64_t poll_us = all_sources_notify_ ? kIdlePollUs : spec_.polling_delay_ms * 1000;
      WaitUntilTimeout(spec_.clock->NowMicros() + poll_us,
                       [this] { return stopping() || data_arrived_.load(std::memory_order_acquire); });
      return !stopping();
    }
  }
  return false;
}

void MicroBatchExecution::SetMessage(std::string message) {
  std::lock_guard lock(mutex_);
  status_.message = std::move(message);
}

void MicroBatchExecution::Finish(arrow::Status status) {
  bool stopped = stopping();
  for (QuerySource& source : bound_.sources) source.stream->Stop();
  sink_->Stop();
  if (state_ != nullptr) state_->Close();
  // What fails because it was told to stop has not failed.
  if (stopped && (status.IsCancelled() || status.ok())) status = arrow::Status::OK();
  if (status.ok() && spec_.temporary_checkpoint) (void)spec_.file_system->RemoveTree(checkpoint_.location);
  arrow::Status cause = status;
  if (!status.ok()) {
    std::string message(status.message());
    status = UserError("STREAM_FAILED", {{"id", id()}, {"runId", run_id_}, {"message", message}});
  }
  {
    std::lock_guard lock(mutex_);
    active_ = false;
    failure_ = status;
    cause_ = std::move(cause);
    if (!status.ok()) failed_state_ = DescribeState();
    status_.message = status.ok() ? "Stopped" : "Terminated with exception: " + cause_.message();
    status_.is_trigger_active = false;
    status_.is_data_available = false;
  }
  // Whoever waits for the end finds that listeners have been told of it.
  if (spec_.on_terminated) spec_.on_terminated(*this, status);
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
}

}  // namespace millrace::streaming
