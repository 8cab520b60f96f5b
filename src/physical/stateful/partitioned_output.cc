#include "physical/stateful/partitioned_output.h"

#include <algorithm>

#include "physical/rows.h"

namespace millrace::physical {

namespace {
constexpr int64_t kRowsWorthATask = 50000;

// At most one task a state partition.
int TasksFor(int64_t num_rows, int num_state_partitions, const ExecutionContext& context) {
  if (context.pool == nullptr || num_rows < 2 * kRowsWorthATask) return 1;
  int64_t most = std::min(num_state_partitions, context.pool->num_threads());
  return static_cast<int>(std::clamp<int64_t>(num_rows / kRowsWorthATask, 1, std::max<int64_t>(1, most)));
}

}  // namespace

arrow::Status RunStateTasks(const Operator& op, int64_t num_rows, StatefulBatch& batch, ExecutionContext& context,
                            const StateTask& run) {
  auto output = std::make_unique<PartitionedOutput>(batch.num_partitions());
  const int num_tasks = TasksFor(num_rows, batch.num_partitions(), context);
  auto run_one = [&](int task) -> arrow::Status {
    ARROW_RETURN_NOT_OK(context.CheckCancelled());
    ARROW_ASSIGN_OR_RAISE(StateMetrics metrics, run(task, num_tasks, output.get()));
    std::lock_guard lock(context.metrics_mutex);
    batch.metrics.Add(metrics);
    return arrow::Status::OK();
  };
  ARROW_RETURN_NOT_OK(num_tasks > 1 ? context.pool->RunAll(num_tasks, run_one) : run_one(0));
  output->Seal(context);
  context.states[&op] = std::move(output);
  return arrow::Status::OK();
}

void PartitionedOutput::Fail(arrow::Status failure) {
  std::lock_guard lock(mutex_);
  if (failure_.ok()) failure_ = std::move(failure);
}

void PartitionedOutput::Seal(const ExecutionContext& context) {
  int64_t num_rows = 0;
  for (const Batches& batches : batches_) num_rows += CountRows(batches);
  int num_runs = TasksFor(num_rows, static_cast<int>(batches_.size()), context);
  int64_t rows_a_run = num_rows / num_runs + 1;
  runs_.assign(1, {});
  int64_t taken = 0;
  for (Batches& batches : batches_) {
    if (taken >= rows_a_run) {
      runs_.emplace_back();
      taken = 0;
    }
    taken += CountRows(batches);
    for (auto& batch : batches) runs_.back().push_back(std::move(batch));
  }
  batches_.clear();
}

arrow::Result<std::unique_ptr<BatchStream>> PartitionedOutput::Open(int partition,
                                                                    const std::shared_ptr<arrow::Schema>& schema,
                                                                    ExecutionContext& context) {
  ARROW_RETURN_NOT_OK(failure_);
  return EvenBatches(StreamOf(std::move(runs_[static_cast<size_t>(partition)]), context.batch_rows), schema,
                     context.batch_rows, context.eval.memory_pool);
}

}  // namespace millrace::physical
