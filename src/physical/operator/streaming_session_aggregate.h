#pragma once

#include "connector/sink.h"
#include "physical/aggregation.h"
#include "physical/planner.h"
#include "physical/stateful/event_time.h"
#include "physical/stateful/stateful_operator.h"
#include "state/unsafe_row.h"

namespace millrace::physical {

/// An aggregation by session windows: rows of the same other keys whose windows touch are one session.
///
/// In:    any rows; the session column holds each row's own window.
/// State: key = the other grouping columns and the session's start; value = all grouping columns, then the buffers.
/// Out:   append: sessions whose end the watermark has passed; complete: all.
/// Late:  rows (aggregated by equal windows) that end at or before the watermark of the batch before are dropped.
/// Source: Spark, SessionWindowStateStoreRestoreExec, MergingSessionsExec, SessionWindowStateStoreSaveExec.
class StreamingSessionAggregate final : public StatefulOperator {
 public:
  struct Spec {
    AggregationPlan plan;
    /// Position of the session among the grouping columns; the others follow each other without it.
    int session = 0;
    /// Of the grouping columns without the session, those by whose hash the state is spread (StatePartitionKeys).
    std::vector<int> partition_keys;
    bool has_watermark = false;
    types::DataTypePtr key_schema;
    types::DataTypePtr value_schema;
    std::vector<int> call_widths;
    connector::OutputMode mode = connector::OutputMode::kAppend;
    ExpressionSet results;
    std::string text;
  };

  StreamingSessionAggregate(Spec spec, AttributeVector output, OperatorPtr child);

  std::string_view short_name() const override { return "sessionWindowStateStoreSaveExec"; }
  std::vector<StateStoreSpec> state_stores() const override;
  bool ShouldRunAnotherBatch(int64_t now_ms, int64_t next_ms) const override;
  bool holds_rows_back() const override { return spec_.mode == connector::OutputMode::kAppend; }
  bool counts_store_instances() const override { return spec_.mode != connector::OutputMode::kComplete; }

  arrow::Status Prepare(ExecutionContext& context) const override;
  int num_partitions(const ExecutionContext& context) const override;
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override { return "SessionWindowStateStoreSave " + spec_.text; }
  bool starts_stage() const override { return true; }

 private:
  friend class SessionTask;

  Spec spec_;
  /// Of the grouping columns without the session.
  std::vector<types::DataTypePtr> other_types_;
  std::vector<types::DataTypePtr> partition_key_types_;
  state::UnsafeRowEncoder prefix_encoder_;
  state::UnsafeRowEncoder key_encoder_;
  state::UnsafeRowEncoder value_encoder_;
  state::UnsafeRowDecoder value_decoder_;
};

bool MatchesStreamingSessionAggregate(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanStreamingSessionAggregate(const logical::PlanPtr& node, const RequiredColumns& required,
                                                         Planner& planner);

}  // namespace millrace::physical
