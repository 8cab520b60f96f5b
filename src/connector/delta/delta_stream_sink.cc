#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "base/error.h"
#include "connector/delta/auto_compact.h"
#include "connector/delta/delta_sink.h"
#include "connector/delta/delta_write.h"
#include "connector/delta/symlink_manifest.h"
#include "connector/delta/write_options.h"
#include "connector/delta/write_plan.h"
#include "delta/checkpoint/maintenance.h"
#include "delta/transaction/schema_merge.h"

/// `writeStream.format("delta")`. Source: delta-spark's DeltaSink.

namespace millrace::connector::delta_table {

namespace delta = millrace::delta;

namespace {

/// Writes checkpoints of one table on a thread of its own, the newest that is due; the query does not wait for them. A
/// checkpoint costs what the table has, a micro-batch what is new: where hundreds are committed in a second,
/// checkpoints keep to a tenth of the time.
class MaintenanceThread {
 public:
  MaintenanceThread(std::shared_ptr<delta::Table> table, delta::MaintenanceSettings settings)
      : table_(std::move(table)), settings_(settings) {}

  ~MaintenanceThread() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  void Submit(const delta::Committed& committed) {
    if (!delta::NeedsCheckpoint(committed)) return;
    std::lock_guard lock(mutex_);
    due_ = committed;
    if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
    changed_.notify_all();
  }

 private:
  static constexpr int kRestFactor = 9;

  // What is due when the query stops is done before the thread ends.
  void Run() {
    auto not_before = std::chrono::steady_clock::now();
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return stopping_ || due_; });
      changed_.wait_until(lock, not_before, [this] { return stopping_; });
      if (!due_) return;
      delta::Committed committed = *std::exchange(due_, std::nullopt);
      lock.unlock();
      const auto start = std::chrono::steady_clock::now();
      try {
        // A table without its checkpoint is whole: the next one that is due makes up for it.
        (void)delta::MaintainAfterCommit(*table_, committed, settings_);
      } catch (const std::exception&) {  // bad_alloc
      }
      const auto end = std::chrono::steady_clock::now();
      not_before = end + kRestFactor * (end - start);
      lock.lock();
    }
  }

  std::shared_ptr<delta::Table> table_;
  delta::MaintenanceSettings settings_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<delta::Committed> due_;
  bool stopping_ = false;
  std::thread thread_;
};

class DeltaStreamSink final : public StreamSink {
 public:
  DeltaStreamSink(SinkRequest request, WriteOptions options, std::shared_ptr<delta::Table> table)
      : request_(std::move(request)),
        options_(std::move(options)),
        table_(std::move(table)),
        settings_(SettingsOf(*request_.context)),
        durable_directories_(std::make_shared<DurableDirectories>()),
        maintenance_(table_, {request_.context->durability, request_.context->clock, request_.context->time_zone}) {
    if (!complete()) settings_.detail = delta::SnapshotDetail::kTotals;
  }

  arrow::Result<std::unique_ptr<Write>> Begin(BatchId batch_id) override {
    if (delta::HasVoidColumn(*request_.schema)) return UserError("DELTA_NULL_SCHEMA_IN_STREAMING_WRITE");
    ARROW_ASSIGN_OR_RAISE(auto transaction, delta::Transaction::Begin(table_, settings_));
    auto done = transaction->TxnVersion(request_.query_id);
    if (done && *done >= batch_id.value) return nullptr;
    ARROW_ASSIGN_OR_RAISE(auto plan, PlanFor(transaction->snapshot()));
    if (plan->metadata) transaction->SetMetadata(*plan->metadata);
    if (plan->protocol) transaction->SetProtocol(*plan->protocol);
    transaction->SetTxn(request_.query_id, batch_id.value);
    return std::make_unique<DeltaWrite>(
        std::move(transaction), plan->files, /*data_change=*/true,
        [this, batch_id](delta::Transaction* staged, const std::vector<AddedFile>&, const WrittenTotals& totals) {
          return FinishBatch(batch_id, staged, totals);
        },
        [this](const delta::Committed& committed) {
          KeepManifests(*table_, committed);
          maintenance_.Submit(committed);
          JoinSmallFiles(table_, committed, *request_.context);
          return arrow::Status::OK();
        });
  }

  std::string Description() const override { return "DeltaSink[" + table_->path() + "]"; }

 private:
  bool complete() const { return request_.output_mode == OutputMode::kComplete; }

  // Each micro-batch meets the table as it is then; the plan of the one before is good as long as nobody has changed
  // the table's definition.
  arrow::Result<std::shared_ptr<const WritePlan>> PlanFor(const delta::SnapshotPtr& snapshot) {
    if (plan_ != nullptr && plan_->Fits(snapshot)) return plan_;
    WritePlanRequest planning;
    planning.sink = &request_;
    planning.options = &options_;
    planning.overwrite = complete();
    planning.casts = true;
    planning.durable_directories = durable_directories_;
    ARROW_ASSIGN_OR_RAISE(plan_, MakeWritePlan(snapshot, table_->path(), planning));
    return plan_;
  }

  arrow::Result<delta::Operation> FinishBatch(BatchId batch_id, delta::Transaction* staged,
                                              const WrittenTotals& totals) const {
    int64_t num_removed = 0;
    if (complete()) {
      staged->ReadWholeTable();
      if (!staged->creates_table()) {
        ARROW_RETURN_NOT_OK(staged->snapshot()->files().TryForEach([&](const delta::FileRef& file) {
          ++num_removed;
          return staged->StageRemove(file);
        }));
      }
    }
    delta::Operation operation;
    operation.name = "STREAMING UPDATE";
    operation.parameters = {{"outputMode", JsonValue::String(complete() ? "Complete" : "Append")},
                            {"queryId", JsonValue::String(request_.query_id)},
                            {"epochId", JsonValue::String(batch_id.ToString())}};
    operation.metrics = {{"numRemovedFiles", num_removed},
                         {"numAddedFiles", totals.num_files},
                         {"numOutputRows", totals.num_rows},
                         {"numOutputBytes", totals.num_bytes}};
    operation.user_metadata = options_.user_metadata;
    return operation;
  }

  SinkRequest request_;
  WriteOptions options_;
  std::shared_ptr<delta::Table> table_;
  delta::TransactionSettings settings_;
  std::shared_ptr<DurableDirectories> durable_directories_;
  std::shared_ptr<const WritePlan> plan_;
  MaintenanceThread maintenance_;
};

}  // namespace

arrow::Result<std::unique_ptr<StreamSink>> OpenDeltaStreamSink(const SinkRequest& request) {
  if (request.output_mode == OutputMode::kUpdate) {
    return UserError("DELTA_UNSUPPORTED_OUTPUT_MODE",
                     {{"dataSource", "org.apache.spark.sql.delta.sources.DeltaDataSource"}, {"mode", "Update"}});
  }
  ARROW_ASSIGN_OR_RAISE(WriteOptions options, WriteOptions::Parse(request));
  // These are of batch writes: a stream's micro-batches have a number of their own, and replace nothing but all.
  options.replace_where.reset();
  options.dynamic_overwrite = false;
  options.data_change = true;
  options.properties.clear();
  ARROW_ASSIGN_OR_RAISE(auto table, OpenTable(request));
  return std::make_unique<DeltaStreamSink>(request, std::move(options), std::move(table));
}

}  // namespace millrace::connector::delta_table
