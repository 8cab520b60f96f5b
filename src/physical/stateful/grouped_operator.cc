#include "physical/stateful/grouped_operator.h"

#include <algorithm>

namespace millrace::physical {

arrow::Status GroupedOperator::RunRanges(int64_t num_rows, int64_t row_weight, StatefulBatch& batch,
                                         ExecutionContext& context, const RangeTask& run) const {
  auto task = [&](int i, int num_tasks, PartitionedOutput* output) -> arrow::Result<StateMetrics> {
    auto begin_of = [&](int n) { return static_cast<int>(int64_t{batch.num_partitions()} * n / num_tasks); };
    return run(begin_of(i), begin_of(i + 1), output);
  };
  return RunStateTasks(*this, num_rows * row_weight, batch, context, task);
}

GroupingKeys MakeGroupingKeys(const logical::GroupedColumns& columns, std::vector<int> positions,
                              std::vector<int> partition_keys) {
  GroupingKeys keys;
  keys.columns = std::move(positions);
  keys.partition_keys = std::move(partition_keys);
  for (int key : keys.partition_keys) {
    keys.partition_key_types.push_back(columns.keys[static_cast<size_t>(key)]->type());
  }
  return keys;
}

types::DataTypePtr KeyStruct(const AttributeVector& keys, bool with_metadata) {
  std::vector<types::StructField> fields;
  for (const auto& key : keys) {
    fields.push_back(key->ToField());
    if (!with_metadata) fields.back().metadata_json.clear();
  }
  return types::Struct(std::move(fields));
}

arrow::Result<EventTimeColumn> FindEventTime(const AttributeVector& columns, const StreamingPlan& query) {
  bool allow_multiple = query.conf("spark.sql.streaming.statefulOperator.allowMultiple").value_or("true") != "false";
  return EventTimeColumn::Find(columns, !allow_multiple);
}

arrow::Status CheckInitialState(const std::vector<logical::GroupedColumns>& inputs) {
  if (inputs.size() < 2) return arrow::Status::OK();
  auto same = [](const auto& a, const auto& b) { return a->type()->EqualsIgnoreNullability(*b->type()); };
  if (std::equal(inputs[0].keys.begin(), inputs[0].keys.end(), inputs[1].keys.begin(), inputs[1].keys.end(), same)) {
    return arrow::Status::OK();
  }
  return arrow::Status::Invalid("The grouping columns of the initial state are of other types than those of the input");
}

}  // namespace millrace::physical
