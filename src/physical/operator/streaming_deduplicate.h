#pragma once

#include "physical/planner.h"
#include "physical/stateful/event_time.h"
#include "physical/stateful/partition_rows.h"
#include "physical/stateful/stateful_operator.h"
#include "state/unsafe_row.h"

namespace millrace::physical {

/// Lets the first row of each key through, in all micro-batches so far (dropDuplicates), or until a row of the key is a
/// watermark's delay old (dropDuplicatesWithinWatermark).
///
/// In:    any rows.  Out: same columns, a subset of the rows, in the order of the state partitions.
/// State: key = the columns; value = a NULL, or the event time at which the row may be forgotten, in µs.
/// Late:  rows older than the watermark of the batch before are dropped and counted.
/// Source: Spark, StreamingDeduplicateExec and StreamingDeduplicateWithinWatermarkExec.
class StreamingDeduplicate final : public StatefulOperator {
 public:
  struct Spec {
    /// Positions in the child's output.
    std::vector<int> keys;
    bool within_watermark = false;
    /// Among the child's columns, and among the keys.
    EventTimeColumn event_time;
    EventTimeColumn key_event_time;
    std::string text;
  };

  StreamingDeduplicate(Spec spec, OperatorPtr child);

  std::string_view short_name() const override { return spec_.within_watermark ? "dedupeWithinWatermark" : "dedupe"; }
  std::vector<StateStoreSpec> state_stores() const override;
  bool ShouldRunAnotherBatch(int64_t now_ms, int64_t next_ms) const override { return next_ms > now_ms; }
  std::vector<std::string_view> custom_metrics() const override { return {"numDroppedDuplicateRows"}; }

  arrow::Status Prepare(ExecutionContext& context) const override;
  int num_partitions(const ExecutionContext& context) const override;
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override { return spec_.text; }
  bool starts_stage() const override { return true; }

 private:
  /// Late rows go, the others are put in the order of the state partitions.
  arrow::Result<PartitionedBatch> Arrange(const std::shared_ptr<arrow::RecordBatch>& batch, const StatefulBatch& state,
                                          arrow::MemoryPool* pool, StateMetrics* metrics) const;
  /// The rows of a slice whose key is new to the store, which learns it.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> NewRows(const std::shared_ptr<arrow::RecordBatch>& rows,
                                                             state::StateStore* store, arrow::MemoryPool* pool,
                                                             StateMetrics* metrics) const;
  arrow::Status Evict(const StatefulBatch& state, state::StateStore* store, StateMetrics* metrics) const;

  Spec spec_;
  std::vector<types::DataTypePtr> row_types_;
  std::vector<types::DataTypePtr> key_types_;
  state::UnsafeRowEncoder key_encoder_;
};

bool MatchesStreamingDeduplicate(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanStreamingDeduplicate(const logical::PlanPtr& node, const RequiredColumns& required,
                                                    Planner& planner);

}  // namespace millrace::physical
