#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "physical/operator.h"
#include "physical/stateful/stateful_operator.h"

namespace millrace::physical {

/// What an operator with state made of all its partitions, ready to be pulled in as many tasks as the rows are worth.
/// The rows come in the order of the state partitions, as a user of Spark sees them.
/// Thread: Append by tasks for different partitions, Fail by any, the rest as OperatorState.
class PartitionedOutput final : public OperatorState {
 public:
  explicit PartitionedOutput(int num_state_partitions) : batches_(static_cast<size_t>(num_state_partitions)) {}

  void Append(int state_partition, std::shared_ptr<arrow::RecordBatch> batch) {
    if (batch != nullptr && batch->num_rows() > 0) {
      batches_[static_cast<size_t>(state_partition)].push_back(std::move(batch));
    }
  }
  /// Rows cannot be computed: all state is made all the same, and whoever pulls them is told.
  void Fail(arrow::Status failure);
  /// After the last Append.
  void Seal(const ExecutionContext& context);

  int num_partitions() const { return static_cast<int>(runs_.size()); }
  arrow::Result<std::unique_ptr<BatchStream>> Open(int partition, const std::shared_ptr<arrow::Schema>& schema,
                                                   ExecutionContext& context);

 private:
  std::vector<Batches> batches_;
  std::vector<Batches> runs_;
  std::mutex mutex_;
  arrow::Status failure_;
};

/// One task's share of the state partitions: `task`, `task + num_tasks`, …
using StateTask = std::function<arrow::Result<StateMetrics>(int task, int num_tasks, PartitionedOutput* output)>;
/// Runs `run` in as many tasks as `num_rows` rows (or groups) are worth, one inline, several on the pool. What they
/// append becomes the PartitionedOutput of `op`, what they count is added to `batch`.
arrow::Status RunStateTasks(const Operator& op, int64_t num_rows, StatefulBatch& batch, ExecutionContext& context,
                            const StateTask& run);

}  // namespace millrace::physical
