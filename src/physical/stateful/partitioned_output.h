#pragma once

#include <vector>

#include "physical/operator.h"

namespace millrace::physical {

/// What an operator with state made of all its partitions, ready to be pulled in as many tasks as the rows are worth.
/// The rows come in the order of the state partitions, as a user of Spark sees them.
/// Thread: Set by tasks for different partitions, the rest as OperatorState.
class PartitionedOutput final : public OperatorState {
 public:
  explicit PartitionedOutput(int num_state_partitions) : batches_(static_cast<size_t>(num_state_partitions)) {}

  void Append(int state_partition, std::shared_ptr<arrow::RecordBatch> batch) {
    if (batch != nullptr && batch->num_rows() > 0) {
      batches_[static_cast<size_t>(state_partition)].push_back(std::move(batch));
    }
  }
  /// After the last Append.
  void Seal(const ExecutionContext& context);

  int num_partitions() const { return static_cast<int>(runs_.size()); }
  std::unique_ptr<BatchStream> Open(int partition, const std::shared_ptr<arrow::Schema>& schema,
                                    ExecutionContext& context);

 private:
  std::vector<Batches> batches_;
  std::vector<Batches> runs_;
};

/// How many tasks `num_rows` rows (or groups) are worth, at most one a state partition.
int TasksFor(int64_t num_rows, int num_state_partitions, const ExecutionContext& context);
/// Runs task 0 … n-1: one inline, several on the pool.
arrow::Status RunTasks(int num_tasks, const ExecutionContext& context, const std::function<arrow::Status(int)>& task);

}  // namespace millrace::physical
