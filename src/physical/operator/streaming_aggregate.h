#pragma once

#include "connector/sink.h"
#include "physical/aggregation.h"
#include "physical/planner.h"
#include "physical/stateful/event_time.h"
#include "physical/stateful/stateful_operator.h"
#include "state/unsafe_row.h"

namespace millrace::physical {

/// What a streaming aggregation keeps: the schemas of its state rows and the way between them and buffers.
struct AggregateStateLayout {
  /// Grouping columns under the names Spark gives them.
  types::DataTypePtr key_schema;
  /// Aggregation buffers; in state format 1 the keys come before them.
  types::DataTypePtr value_schema;
  /// Columns of the value that precede the buffers (format 1).
  int num_leading = 0;
  /// Number of buffer columns of each call.
  std::vector<int> call_widths;

  static AggregateStateLayout Make(const AggregationSpec& spec, int64_t format_version);
};

/// A grouped (or global) aggregation over all micro-batches so far.
///
/// In:    any rows. Tasks aggregate their partitions; what is left is spread over the state partitions by Spark's hash.
/// State: key = grouping columns, value = aggregation buffers, in Spark's order (state format 2).
/// Out:   append: groups whose event time the watermark has passed, once; update: groups that this micro-batch touched;
///        complete: all groups. Rows in the order of the state partitions, in them as Spark's.
/// Late:  groups older than the watermark of the batch before are dropped and counted (append and update).
/// Source: Spark, StateStoreRestoreExec and StateStoreSaveExec.
class StreamingAggregate final : public StatefulOperator {
 public:
  struct Spec {
    AggregationPlan plan;
    AggregateStateLayout layout;
    /// Grouping columns by whose hash the state is spread (StatePartitionKeys).
    std::vector<int> partition_keys;
    /// Of the grouping columns.
    EventTimeColumn event_time;
    connector::OutputMode mode = connector::OutputMode::kAppend;
    /// Spark aggregates by sorting where a buffer cannot be updated in place: groups come in the order of their keys.
    bool sorted = false;
    ExpressionSet results;
    std::string text;
  };

  StreamingAggregate(Spec spec, AttributeVector output, OperatorPtr child);

  std::string_view short_name() const override { return "stateStoreSave"; }
  std::vector<StateStoreSpec> state_stores() const override;
  bool single_partition() const override { return spec_.plan.num_keys() == 0; }
  bool ShouldRunAnotherBatch(int64_t now_ms, int64_t next_ms) const override;
  bool holds_rows_back() const override { return spec_.mode == connector::OutputMode::kAppend; }

  arrow::Status Prepare(ExecutionContext& context) const override;
  int num_partitions(const ExecutionContext& context) const override;
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override { return "StateStoreSave " + spec_.text; }
  std::vector<std::string> DescribeStack() const override;
  bool starts_stage() const override { return true; }

 private:
  friend class AggregateTask;

  Spec spec_;
  std::vector<types::DataTypePtr> key_data_types_;
  std::vector<types::DataTypePtr> partition_key_types_;
  state::UnsafeRowEncoder key_encoder_;
  state::UnsafeRowEncoder value_encoder_;
  state::UnsafeRowDecoder key_decoder_;
  state::UnsafeRowDecoder value_decoder_;
};

bool MatchesStreamingAggregate(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanStreamingAggregate(const logical::PlanPtr& node, const RequiredColumns& required,
                                                  Planner& planner);

}  // namespace millrace::physical
