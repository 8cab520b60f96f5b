#include "physical/operator/key_sort.h"

#include <arrow/compute/exec.h>

#include "physical/key/sort_keys.h"
#include "physical/rows.h"
#include "physical/shuffle_order.h"

namespace millrace::physical {

namespace {

struct SortedRowsState final : OperatorState {
  std::vector<Batches> partitions;
};

}  // namespace

arrow::Result<OperatorPtr> KeySort::Make(const std::vector<expression::ExpressionVector>& keys, OperatorPtr child) {
  std::vector<ExpressionSet> bound;
  for (const auto& list : keys) {
    ARROW_ASSIGN_OR_RAISE(bound.emplace_back(), ExpressionSet::Bind(list, child->output()));
  }
  return std::make_shared<KeySort>(std::move(bound), std::move(child));
}

KeySort::KeySort(std::vector<ExpressionSet> keys, OperatorPtr child)
    : Operator({child}, child->output()), keys_(std::move(keys)) {}

arrow::Status KeySort::Prepare(ExecutionContext& context) const {
  ARROW_RETURN_NOT_OK(Operator::Prepare(context));
  auto state = std::make_unique<SortedRowsState>();
  ARROW_ASSIGN_OR_RAISE(state->partitions, CollectPrepared(*children()[0], context));
  int64_t num_rows = 0;
  for (const Batches& batches : state->partitions) num_rows += CountRows(batches);
  if (num_rows > 1 && num_rows <= kMostOrderedRows) {
    Batches all;
    for (const Batches& batches : state->partitions) all.insert(all.end(), batches.begin(), batches.end());
    arrow::MemoryPool* pool = context.eval.memory_pool;
    ARROW_ASSIGN_OR_RAISE(auto rows, ConcatenateBatches(schema(), all, pool));
    ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector keys, keys_[0].Evaluate(context.eval, rows));
    for (size_t list = 1; list < keys_.size(); ++list) {
      ARROW_ASSIGN_OR_RAISE(arrow::ArrayVector others, keys_[list].Evaluate(context.eval, rows));
      for (size_t i = 0; i < keys.size(); ++i) {
        ARROW_ASSIGN_OR_RAISE(arrow::Datum first, arrow::compute::CallFunction("coalesce", {keys[i], others[i]}));
        keys[i] = first.make_array();
      }
    }
    SortKeys sort;
    ARROW_RETURN_NOT_OK(sort.Encode(keys, std::vector<KeyOrder>(keys.size()), num_rows));
    ARROW_ASSIGN_OR_RAISE(auto columns, TakeRows(rows->columns(), IndexArray(sort.SortedRows(num_rows)), pool));
    state->partitions = {{arrow::RecordBatch::Make(schema(), num_rows, std::move(columns))}};
  }
  context.states[this] = std::move(state);
  return arrow::Status::OK();
}

int KeySort::num_partitions(const ExecutionContext& context) const {
  const SortedRowsState* state = context.StateOf<SortedRowsState>(*this);
  return state == nullptr ? 1 : static_cast<int>(state->partitions.size());
}

arrow::Result<std::unique_ptr<BatchStream>> KeySort::Open(int partition, ExecutionContext& context) const {
  Batches& rows = context.StateOf<SortedRowsState>(*this)->partitions[static_cast<size_t>(partition)];
  return StreamOf(std::move(rows), context.batch_rows);
}

}  // namespace millrace::physical
