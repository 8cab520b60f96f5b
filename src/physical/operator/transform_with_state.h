#pragma once

#include "physical/stateful/grouped_operator.h"
#include "physical/stateful/processor_run.h"

namespace millrace::physical {

/// The rows that a processor of the user's makes of each group, of the variables it keeps for it, and of its timers
/// (transformWithState, transformWithStateInPandas; of C++: KeyValueGroupedDataset::TransformWithState).
///
/// In:    any rows; a second child: rows of the state that groups begin with, seen by the first micro-batch only.
/// Out:   what the processor gives, in the order of the state partitions; in each first the groups, sorted by key, then
///        the timers that are due, by time.
/// State: one column family a variable and a few beside (StateFamilies).
/// Late:  with timers by event time, rows older than the watermark of the batch before are dropped and counted.
/// Errors: EMITTING_ROWS_OLDER_THAN_WATERMARK_NOT_ALLOWED when a row comes out that would be late below.
/// Source: Spark, TransformWithStateExec, TransformWithStateInPySparkExec; docs/adr/0009, 0010.
class TransformWithState final : public GroupedOperator {
 public:
  struct Spec {
    std::shared_ptr<const ProcessorPlan> plan;
    std::unique_ptr<GroupProcessor> processor;
    bool is_native = false;
    bool in_pandas = false;
    /// A struct of the grouping columns.
    types::DataTypePtr grouping_type;
    GroupingKeys initial_keys;
    std::vector<StateVariable> variables;
    /// "Append", "Update", "Complete".
    std::string output_mode;
    /// Not found unless timers go by event time.
    EventTimeColumn late;
    /// The event time of the rows that come out, when the user said which column it is.
    EventTimeColumn emitted;
    std::string text;
  };

  TransformWithState(Spec spec, AttributeVector output, std::vector<OperatorPtr> children);

  std::string_view short_name() const override {
    return spec_.is_native   ? "transformWithStateExec"
           : spec_.in_pandas ? "transformWithStateInPandasExec"
                             : "transformWithStateInPySparkExec";
  }
  std::vector<StateStoreSpec> state_stores() const override { return {StateStoreSpec()}; }
  void DescribeFamilies(state::StatefulOperatorInfo* info) const override;
  std::optional<int64_t> OutputWatermark(int64_t input_ms) const override {
    return spec_.plan->time_mode == TimeMode::kProcessingTime ? std::nullopt : std::optional<int64_t>(input_ms);
  }
  bool ShouldRunAnotherBatch(int64_t now_ms, int64_t next_ms) const override {
    return spec_.plan->time_mode != TimeMode::kProcessingTime && spec_.output_mode != "Complete" && next_ms > now_ms;
  }
  bool goes_by_processing_time() const override { return spec_.plan->time_mode == TimeMode::kProcessingTime; }
  std::vector<std::string_view> custom_metrics() const override;

  arrow::Status Prepare(ExecutionContext& context) const override;

 private:
  friend class ProcessorTask;

  void CountVariables(int num_partitions, StateMetrics* metrics) const;

  Spec spec_;
};

bool MatchesTransformWithState(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanTransformWithState(const logical::PlanPtr& node, const RequiredColumns& required,
                                                  Planner& planner);

}  // namespace millrace::physical
