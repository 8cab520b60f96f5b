#pragma once

#include <functional>
#include <string>
#include <vector>

#include "physical/operator/groups_in_python.h"
#include "physical/planner.h"
#include "physical/stateful/event_time.h"
#include "physical/stateful/partitioned_output.h"
#include "physical/stateful/sorted_groups.h"

namespace millrace::physical {

/// An operator that hands sorted groups, and what it keeps for them, to a function of the user's: one run of the
/// function takes the groups of many state partitions (docs/adr/0009).
class GroupedOperator : public StatefulOperator {
 public:
  int num_partitions(const ExecutionContext& context) const override {
    return context.StateOf<PartitionedOutput>(*this)->num_partitions();
  }
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, ExecutionContext& context) const override {
    return context.StateOf<PartitionedOutput>(*this)->Open(partition, schema(), context);
  }
  std::string Describe() const override { return text_; }
  bool starts_stage() const override { return true; }

 protected:
  GroupedOperator(std::string text, AttributeVector output, std::vector<OperatorPtr> children)
      : StatefulOperator(std::move(children), std::move(output)), text_(std::move(text)) {}

  /// Runs the state partitions [first, last).
  using RangeTask = std::function<arrow::Result<StateMetrics>(int first, int last, PartitionedOutput* output)>;
  /// `num_rows` rows of which each costs as much as `row_weight` elsewhere, in as many tasks as they are worth.
  arrow::Status RunRanges(int64_t num_rows, int64_t row_weight, StatefulBatch& batch, ExecutionContext& context,
                          const RangeTask& run) const;

 private:
  std::string text_;
};

/// What is known of the keys when such an operator is planned. `positions`: of the grouping columns in the child.
GroupingKeys MakeGroupingKeys(const logical::GroupedColumns& columns, std::vector<int> positions,
                              std::vector<int> partition_keys);
/// A struct of the grouping columns, with their metadata when `with_metadata`.
types::DataTypePtr KeyStruct(const AttributeVector& keys, bool with_metadata);
/// The event time of the rows that go in. Errors: as EventTimeColumn::Find.
arrow::Result<EventTimeColumn> FindEventTime(const AttributeVector& columns, const StreamingPlan& query);
/// Errors: Invalid when the two inputs are not grouped by the same types.
arrow::Status CheckInitialState(const std::vector<logical::GroupedColumns>& inputs);

}  // namespace millrace::physical
