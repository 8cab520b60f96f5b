#pragma once

#include <vector>

#include "physical/stateful/event_time.h"
#include "physical/stateful/stateful_operator.h"

namespace millrace::physical {

/// The rows of a micro-batch in the order of their state partitions, within one sorted by their keys (ascending, NULL
/// first; equal keys in the order they came): as Spark's tasks see them below a function over groups.
struct SortedGroups {
  std::shared_ptr<arrow::RecordBatch> rows;
  struct Group {
    int32_t partition = 0;
    int64_t begin = 0;
    int64_t length = 0;
  };
  std::vector<Group> groups;

  /// The groups of the partitions [first, last): a range of `groups`.
  std::pair<size_t, size_t> OfPartitions(int first, int last) const;
};

struct GroupingKeys {
  /// Positions in the child's output.
  std::vector<int> columns;
  /// Which of `columns` decide the state partition, and their types.
  std::vector<int> partition_keys;
  std::vector<types::DataTypePtr> partition_key_types;
};

/// Runs `child`, which is prepared, and arranges its rows. `late`: rows whose time is not above the batch's late
/// watermark go, and are counted in `batch`; not found: none are late.
arrow::Result<SortedGroups> SortGroups(const Operator& child, const GroupingKeys& keys, const EventTimeColumn& late,
                                       StatefulBatch& batch, ExecutionContext& context);

}  // namespace millrace::physical
