#include "physical/stateful/partitioned_output.h"

#include <algorithm>

#include "physical/rows.h"

namespace millrace::physical {

namespace {
constexpr int64_t kRowsWorthATask = 50000;
}  // namespace

int TasksFor(int64_t num_rows, int num_state_partitions, const ExecutionContext& context) {
  if (context.pool == nullptr || num_rows < 2 * kRowsWorthATask) return 1;
  int64_t most = std::min(num_state_partitions, context.pool->num_threads());
  return static_cast<int>(std::clamp<int64_t>(num_rows / kRowsWorthATask, 1, std::max<int64_t>(1, most)));
}

arrow::Status RunTasks(int num_tasks, const ExecutionContext& context, const std::function<arrow::Status(int)>& task) {
  if (num_tasks > 1 && context.pool != nullptr) return context.pool->RunAll(num_tasks, task);
  for (int i = 0; i < num_tasks; ++i) ARROW_RETURN_NOT_OK(task(i));
  return arrow::Status::OK();
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

std::unique_ptr<BatchStream> PartitionedOutput::Open(int partition, const std::shared_ptr<arrow::Schema>& schema,
                                                     ExecutionContext& context) {
  return EvenBatches(StreamOf(std::move(runs_[static_cast<size_t>(partition)]), context.batch_rows), schema,
                     context.batch_rows, context.eval.memory_pool);
}

}  // namespace millrace::physical
