#pragma once

#include <arrow/result.h>

#include <memory>
#include <vector>

#include "physical/stateful/stateful_operator.h"
#include "state/state_stores.h"
#include "streaming/checkpoint.h"
#include "streaming/progress.h"
#include "streaming/streaming_query.h"
#include "streaming/watermark_propagator.h"

namespace millrace::streaming {

/// Checkpoint format 2 of state: spark.sql.streaming.stateStore.checkpointFormatVersion, which no checkpoint keeps.
bool HasUniqueStateIds(const StreamingQuerySpec& spec);

/// The state of one run of a query: which stores its operators have, their versions, and the watermarks they go by.
///
/// Life of a micro-batch: Begin opens every store at version N → operators run → Commit makes N + 1 durable, or Abort.
/// Crash: files of N + 1 without commits/N are written anew when N runs again.
/// Thread: the query's; stores are opened and committed on the pool.
class QueryState {
 public:
  /// Null when the plan keeps no state. Touches no file: a checkpoint with state but no offsets would be refused.
  static arrow::Result<std::unique_ptr<QueryState>> Make(const physical::Operator& root, const StreamingQuerySpec& spec,
                                                         const Checkpoint& checkpoint);

  /// For a plan that keeps no state and goes on from an earlier run: that run kept none either.
  /// Errors: UserError STREAMING_STATEFUL_OPERATOR_NOT_MATCH_IN_STATE_METADATA.
  static arrow::Status CheckNone(const StreamingQuerySpec& spec, const Checkpoint& checkpoint);

  /// Fills `batch->stateful`. `first`: the first of this run, which writes or checks the operators' metadata.
  /// REQUIRES: offsets/N is durable when `first`.
  arrow::Status Begin(int64_t previous_watermark_ms, int64_t watermark_ms, bool first, physical::StreamingBatch* batch);
  /// Errors: of the files; nothing of the batch may be committed to the sink then.
  arrow::Status Commit(physical::StreamingBatch* batch);
  void Abort();
  /// The query has ended: nothing touches the checkpoint from now on.
  void Close() { stores_.StopMaintenance(); }
  /// What becomes of a micro-batch whose rows a foreachBatch function has not asked for: Spark computes them, and its
  /// stores commit, when it does. Errors: STATE_STORE_COMMIT_VALIDATION_FAILED, but not of one global group or limit.
  arrow::Status CheckRowsWereWanted(BatchId batch_id) const;
  /// The sink had the micro-batch already: its state is there, only the watermarks are to be known. REQUIRES: not
  /// has_unique_ids().
  arrow::Status Skip(BatchId batch_id, int64_t previous_watermark_ms, int64_t watermark_ms);

  /// Checkpoint format 2: only the commit log tells what the state's files are called. A micro-batch that the sink has
  /// already and whose commit is missing must be computed again.
  bool has_unique_ids() const { return state_ids_.has_value(); }
  /// What the commit entry of the last micro-batch tells; nullopt in checkpoint format 1. `state`: null for none.
  static std::optional<state::StateIds> IdsToCommit(const QueryState* state, const StreamingQuerySpec& spec);

  /// The last micro-batch of an earlier run had this watermark.
  arrow::Status Resume(int64_t watermark_ms) { return SetWatermarks(watermark_ms, watermark_ms); }
  /// Whether a micro-batch without data has state to evict, now that the query's watermark is `watermark_ms`.
  arrow::Result<bool> ShouldRunAnotherBatch(int64_t watermark_ms) const;
  /// In Spark as well, all state is final before the first row comes out of the operators: whoever fails on a row, or
  /// wants none, has left whole state behind. So it is where all are aggregations.
  bool is_final_before_rows() const;
  /// Some operator has state that is due by the clock: the query is never done.
  bool goes_by_processing_time() const;
  /// When such state is due, at the earliest, in ms; INT64_MAX when none is, or none is known in this run.
  int64_t NextTimeoutMs() const;
  /// Of the last micro-batch; when none ran since, what belongs to a batch is 0.
  std::vector<StateOperatorProgress> Progress(bool ran);

  /// What waits in state for the watermark, for those who ask why nothing comes out: of the operator nearest to the
  /// sink that holds rows back. nullopt when none does.
  struct Waiting {
    int64_t num_rows = 0;
    /// Its rows come out when the watermark reaches this event time; nullopt when that is not known yet in this run.
    std::optional<int64_t> next_ms;
  };
  std::optional<Waiting> WaitingRows() const;

 private:
  struct StatefulNode {
    const physical::StatefulOperator* op = nullptr;
    std::vector<physical::StateStoreSpec> stores;
    int num_partitions = 1;
    int64_t late_watermark_ms = 0;
    int64_t eviction_watermark_ms = 0;
    bool watermark_moved = false;
    /// Least event time that waits, in µs; nullopt until all rows were seen in this run.
    std::optional<int64_t> earliest_us;
    int64_t next_timeout_ms = INT64_MAX;
    StateOperatorProgress progress;
  };

  QueryState(const physical::Operator& root, const StreamingQuerySpec& spec, const Checkpoint& checkpoint);
  arrow::Status SetWatermarks(int64_t previous_watermark_ms, int64_t watermark_ms);
  arrow::Status DeclareOperators(BatchId batch_id);
  arrow::Status OpenStores(BatchId batch_id, physical::StreamingBatch* batch);
  arrow::Status ForEachPartition(const std::function<arrow::Status(size_t node, size_t partition)>& task);
  void KeepUniqueIds(const physical::StreamingBatch& batch);
  void Summarize(const physical::StatefulBatch& batch, int64_t commit_us, StatefulNode* node) const;

  TaskPool* pool_;
  int num_partitions_;
  WatermarkPropagator propagator_;
  std::vector<StatefulNode> nodes_;
  /// (node, partition) of every partition with stores of its own.
  std::vector<std::pair<size_t, size_t>> partitions_;
  state::StateStores stores_;
  /// Stores of the micro-batch that runs.
  std::vector<state::StateStore*> open_;
  bool declared_ = false;
  std::optional<state::StateIds> state_ids_;
};

}  // namespace millrace::streaming
