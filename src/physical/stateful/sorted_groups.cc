#include "physical/stateful/sorted_groups.h"

#include <algorithm>
#include <numeric>

#include "physical/key/sort_keys.h"
#include "physical/rows.h"
#include "physical/stateful/partition_rows.h"

namespace millrace::physical {

namespace {

arrow::ArrayVector ColumnsAt(const arrow::RecordBatch& rows, const std::vector<int>& positions) {
  arrow::ArrayVector columns;
  for (int position : positions) columns.push_back(rows.column(position));
  return columns;
}

// Rows in the order of partitions, which begin at `starts` (and one more at the end), sorted by key within each.
arrow::Status SortWithin(const std::vector<int>& key_columns, const std::vector<int64_t>& starts,
                         arrow::MemoryPool* pool, SortedGroups* sorted) {
  int64_t num_rows = sorted->rows->num_rows();
  SortKeys keys;
  ARROW_RETURN_NOT_OK(
      keys.Encode(ColumnsAt(*sorted->rows, key_columns), std::vector<KeyOrder>(key_columns.size()), num_rows));
  std::vector<int32_t> order(static_cast<size_t>(num_rows));
  std::iota(order.begin(), order.end(), 0);
  for (size_t p = 0; p + 1 < starts.size(); ++p) {
    auto first = order.begin() + starts[p], last = order.begin() + starts[p + 1];
    std::stable_sort(first, last, [&](int32_t a, int32_t b) { return keys.Compare(a, keys, b) < 0; });
    for (auto row = first; row != last; ++row) {
      if (row == first || keys.Compare(*(row - 1), keys, *row) != 0) {
        sorted->groups.push_back({static_cast<int32_t>(p), row - order.begin(), 0});
      }
      ++sorted->groups.back().length;
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto columns, TakeRows(sorted->rows->columns(), IndexArray(std::move(order)), pool));
  sorted->rows = arrow::RecordBatch::Make(sorted->rows->schema(), num_rows, std::move(columns));
  return arrow::Status::OK();
}

}  // namespace

std::pair<size_t, size_t> SortedGroups::OfPartitions(int first, int last) const {
  auto at = [&](int partition) {
    auto it = std::lower_bound(groups.begin(), groups.end(), partition,
                               [](const Group& group, int wanted) { return group.partition < wanted; });
    return static_cast<size_t>(it - groups.begin());
  };
  return {at(first), at(last)};
}

arrow::Result<SortedGroups> SortGroups(const Operator& child, const GroupingKeys& keys, const EventTimeColumn& late,
                                       StatefulBatch& batch, ExecutionContext& context) {
  arrow::MemoryPool* pool = context.eval.memory_pool;
  auto num_inputs = static_cast<size_t>(child.num_partitions(context));
  std::vector<std::vector<PartitionedBatch>> inputs(num_inputs);
  std::vector<int64_t> dropped(num_inputs, 0);
  std::vector<int> hashed;
  for (int key : keys.partition_keys) hashed.push_back(keys.columns[static_cast<size_t>(key)]);
  auto arrange = [&](int partition, const std::shared_ptr<arrow::RecordBatch>& rows) -> arrow::Status {
    auto p = static_cast<size_t>(partition);
    std::vector<int32_t> newer;
    if (late.found()) {
      ARROW_RETURN_NOT_OK(EventTimeColumn::KeepNewer(*rows->column(late.index()), batch.late_watermark_ms, &newer));
      dropped[p] += rows->num_rows() - static_cast<int64_t>(newer.size());
    }
    ARROW_ASSIGN_OR_RAISE(PartitionedBatch arranged,
                          PartitionRows(rows, late.found() ? &newer : nullptr, hashed, keys.partition_key_types,
                                        batch.num_partitions(), pool));
    inputs[p].push_back(std::move(arranged));
    return arrow::Status::OK();
  };
  ARROW_RETURN_NOT_OK(RunPrepared(child, context, arrange));
  batch.metrics.rows_dropped_by_watermark += std::accumulate(dropped.begin(), dropped.end(), int64_t{0});

  Batches pieces;
  std::vector<int64_t> starts{0};
  for (const auto& slices : GatherSlices(inputs, batch.num_partitions())) {
    int64_t num_rows = 0;
    for (const auto& [rows, slice] : slices) {
      pieces.push_back(rows->SliceOf(*slice));
      num_rows += slice->length;
    }
    starts.push_back(starts.back() + num_rows);
  }
  SortedGroups sorted;
  ARROW_ASSIGN_OR_RAISE(sorted.rows, ConcatenateBatches(child.schema(), pieces, pool));
  if (sorted.rows->num_rows() > 0) ARROW_RETURN_NOT_OK(SortWithin(keys.columns, starts, pool, &sorted));
  return sorted;
}

}  // namespace millrace::physical
