#include "physical/partial_aggregations.h"

namespace millrace::physical {

arrow::Result<std::vector<PartialAggregation>> AggregateInput(const Operator& op, const AggregationPlan& plan,
                                                              ExecutionContext& context) {
  const Operator& child = *op.children()[0];
  auto num_inputs = static_cast<size_t>(child.num_partitions(context));
  std::vector<std::unique_ptr<Aggregation>> tables(num_inputs);
  std::vector<expression::EvalContext> evaluations;
  for (size_t p = 0; p < num_inputs; ++p) evaluations.push_back(context.EvalContextOf(op, static_cast<int>(p)));
  ARROW_RETURN_NOT_OK(RunPrepared(child, context, [&](int partition, const std::shared_ptr<arrow::RecordBatch>& batch) {
    auto p = static_cast<size_t>(partition);
    if (tables[p] == nullptr) tables[p] = std::make_unique<Aggregation>(&plan, context.eval.memory_pool);
    arrow::Status updated = tables[p]->Update(evaluations[p], batch);
    evaluations[p].row_offset += batch->num_rows();
    return updated;
  }));
  std::erase(tables, nullptr);

  std::vector<PartialAggregation> partials(tables.size());
  int64_t num_groups = 0;
  for (const auto& table : tables) num_groups += table->num_groups();
  auto take = [&](int i) -> arrow::Status {
    auto t = static_cast<size_t>(i);
    ARROW_ASSIGN_OR_RAISE(partials[t], tables[t]->TakePartial());
    tables[t] = nullptr;
    return arrow::Status::OK();
  };
  if (context.pool != nullptr && num_groups > kGroupsWorthATask) {
    ARROW_RETURN_NOT_OK(context.pool->RunAll(static_cast<int>(tables.size()), take));
  } else {
    for (size_t t = 0; t < tables.size(); ++t) ARROW_RETURN_NOT_OK(take(static_cast<int>(t)));
  }
  return partials;
}

int64_t CountGroups(const std::vector<PartialAggregation>& partials) {
  int64_t num_groups = 0;
  for (const PartialAggregation& partial : partials) num_groups += partial.num_groups;
  return num_groups;
}

}  // namespace millrace::physical
