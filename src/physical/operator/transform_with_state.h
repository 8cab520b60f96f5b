#pragma once

#include "logical/node/transform_with_state.h"
#include "physical/operator/groups_in_python.h"
#include "physical/planner.h"
#include "physical/stateful/processor_state.h"
#include "physical/stateful/sorted_groups.h"

namespace millrace::physical {

/// The rows that a processor of the user's makes of each group, of the variables it keeps for it, and of its timers
/// (transformWithState, transformWithStateInPandas).
///
/// In:    any rows; a second child: rows of the state that groups begin with, seen by the first micro-batch only.
/// Out:   what the processor gives, in the order of the state partitions; in each first the groups, sorted by key, then
///        the timers that are due, by time.
/// State: one column family a variable and a few beside (StateFamilies).
/// Late:  with timers by event time, rows older than the watermark of the batch before are dropped and counted.
/// Source: Spark, TransformWithStateInPySparkExec; docs/adr/0009.
class TransformWithState final : public StatefulOperator {
 public:
  struct Spec {
    python::EnvironmentPtr environment;
    python::TaskSpec task;
    /// Of the children.
    std::vector<GroupedInput> inputs;
    std::vector<GroupingKeys> keys;
    /// A struct: the grouping columns.
    types::DataTypePtr key_type;
    TimeMode time_mode = TimeMode::kNone;
    std::vector<StateVariable> variables;
    /// "Append", "Update", "Complete".
    std::string output_mode;
    bool in_pandas = false;
    /// Not found unless timers go by event time.
    EventTimeColumn late;
    size_t max_state_rows = 10000;
    std::vector<types::DataTypePtr> output_types;
    std::string text;
  };

  TransformWithState(Spec spec, AttributeVector output, std::vector<OperatorPtr> children);

  std::string_view short_name() const override {
    return spec_.in_pandas ? "transformWithStateInPandasExec" : "transformWithStateInPySparkExec";
  }
  std::vector<StateStoreSpec> state_stores() const override { return {StateStoreSpec()}; }
  void DescribeFamilies(state::StatefulOperatorInfo* info) const override;
  std::optional<int64_t> OutputWatermark(int64_t input_ms) const override {
    return spec_.time_mode == TimeMode::kProcessingTime ? std::nullopt : std::optional<int64_t>(input_ms);
  }
  bool ShouldRunAnotherBatch(int64_t now_ms, int64_t next_ms) const override {
    return spec_.time_mode != TimeMode::kProcessingTime && spec_.output_mode != "Complete" && next_ms > now_ms;
  }
  bool goes_by_processing_time() const override { return spec_.time_mode == TimeMode::kProcessingTime; }
  std::vector<std::string_view> custom_metrics() const override;

  arrow::Status Prepare(ExecutionContext& context) const override;
  int num_partitions(const ExecutionContext& context) const override;
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override;
  std::string Describe() const override { return spec_.text; }
  bool starts_stage() const override { return true; }

 private:
  friend class ProcessorTask;

  void CountVariables(int num_partitions, StateMetrics* metrics) const;

  Spec spec_;
};

bool MatchesTransformWithState(const logical::Plan& node);
arrow::Result<OperatorPtr> PlanTransformWithState(const logical::PlanPtr& node, const RequiredColumns& required,
                                                  Planner& planner);

}  // namespace millrace::physical
