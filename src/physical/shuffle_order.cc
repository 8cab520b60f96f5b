#include "physical/shuffle_order.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "expression/murmur3.h"
#include "logical/node/aggregate.h"
#include "logical/node/deduplicate.h"
#include "logical/node/limit.h"
#include "logical/node/project.h"
#include "logical/node/repartition.h"
#include "logical/node/window.h"
#include "physical/key/sort_keys.h"

namespace millrace::physical {

using expression::AttributeId;
using expression::ExpressionPtr;
using expression::ExpressionVector;
using logical::NodeKind;

namespace {

// The columns that show one key; none: the key is not shown.
using KeyColumns = std::vector<AttributeId>;

// How Spark's plan has the rows of a node: in one partition, or by the hash of keys. Without a value: in another way.
struct Partitioned {
  bool single = false;
  std::vector<KeyColumns> keys;
};

const ExpressionPtr& Unaliased(const ExpressionPtr& item) {
  if (item->kind() != expression::ExpressionKind::kAlias) return item;
  return static_cast<const expression::Alias&>(*item).child();
}

std::optional<AttributeId> ColumnOf(const ExpressionPtr& item) {
  const ExpressionPtr& value = Unaliased(item);
  if (value->kind() != expression::ExpressionKind::kAttribute) return std::nullopt;
  return static_cast<const expression::AttributeReference&>(*value).id();
}

// The keys as `items` show them.
std::optional<Partitioned> Through(const std::optional<Partitioned>& below, const ExpressionVector& items) {
  if (!below || below->single) return below;
  Partitioned shown;
  for (const KeyColumns& key : below->keys) {
    KeyColumns columns;
    for (const ExpressionPtr& item : items) {
      std::optional<AttributeId> column = ColumnOf(item);
      if (column && std::find(key.begin(), key.end(), *column) != key.end()) {
        columns.push_back(expression::ToAttribute(item)->id());
      }
    }
    shown.keys.push_back(std::move(columns));
  }
  return shown;
}

// The positions among `keys` that decide the partition already; nullopt: equal keys are not together.
std::optional<std::vector<int>> Together(const std::optional<Partitioned>& below, const ExpressionVector& keys) {
  if (!below) return std::nullopt;
  std::vector<int> positions;
  for (const KeyColumns& key : below->keys) {
    int position = -1;
    for (size_t i = 0; i < keys.size() && position < 0; ++i) {
      std::optional<AttributeId> column = ColumnOf(keys[i]);
      if (column && std::find(key.begin(), key.end(), *column) != key.end()) position = static_cast<int>(i);
    }
    if (position < 0) return std::nullopt;
    positions.push_back(position);
  }
  return positions;
}

Partitioned ByHash(const ExpressionVector& keys) {
  Partitioned partitioned;
  for (const ExpressionPtr& key : keys) {
    std::optional<AttributeId> column = ColumnOf(key);
    partitioned.keys.push_back(column ? KeyColumns{*column} : KeyColumns{});
  }
  return partitioned;
}

std::optional<Partitioned> PartitionedBy(const logical::Plan& plan);

// Rows of `child` after those with equal `keys` came together.
Partitioned BroughtTogether(const logical::Plan& child, const ExpressionVector& keys) {
  std::optional<Partitioned> below = PartitionedBy(child);
  if (Together(below, keys)) return *below;
  Partitioned partitioned = ByHash(keys);
  partitioned.single = keys.empty();
  return partitioned;
}

// An aggregation shows its keys under names of its own, also keys that are no columns.
std::optional<Partitioned> PartitionedByGroups(const logical::Aggregate& aggregate) {
  Partitioned grouped = BroughtTogether(*aggregate.child(), aggregate.grouping());
  if (grouped.single) return grouped;
  std::optional<std::vector<int>> positions = Together(PartitionedBy(*aggregate.child()), aggregate.grouping());
  if (!positions) {
    positions.emplace(aggregate.grouping().size());
    std::iota(positions->begin(), positions->end(), 0);
  }
  Partitioned shown;
  for (int position : *positions) {
    const ExpressionPtr& key = aggregate.grouping()[static_cast<size_t>(position)];
    KeyColumns columns;
    for (const ExpressionPtr& item : aggregate.items()) {
      if (expression::SemanticallyEqual(*Unaliased(item), *Unaliased(key))) {
        columns.push_back(expression::ToAttribute(item)->id());
      }
    }
    shown.keys.push_back(std::move(columns));
  }
  return shown;
}

std::optional<Partitioned> PartitionedBy(const logical::Plan& plan) {
  switch (plan.kind()) {
    case NodeKind::kLimit:
      return Partitioned{.single = true, .keys = {}};
    case NodeKind::kAggregate:
      return PartitionedByGroups(static_cast<const logical::Aggregate&>(plan));
    case NodeKind::kDeduplicate: {
      const auto& keys = static_cast<const logical::Deduplicate&>(plan).keys();
      return BroughtTogether(*plan.child(), {keys.begin(), keys.end()});
    }
    case NodeKind::kWindow:
      return BroughtTogether(*plan.child(), static_cast<const logical::Window&>(plan).spec().partition);
    case NodeKind::kRepartition: {
      const auto& repartition = static_cast<const logical::Repartition&>(plan);
      if (repartition.num_partitions() == 1) return Partitioned{.single = true, .keys = {}};
      if (!repartition.shuffle() || repartition.keys().empty() || repartition.num_partitions() != 0)
        return std::nullopt;
      return ByHash(repartition.keys());
    }
    case NodeKind::kProject:
      return Through(PartitionedBy(*plan.child()), static_cast<const logical::Project&>(plan).items());
    case NodeKind::kFilter:
    case NodeKind::kSubqueryAlias:
    case NodeKind::kWatermark:
    case NodeKind::kCollectMetrics:
    case NodeKind::kGenerate:
    case NodeKind::kEvalPython:
      return PartitionedBy(*plan.child());
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<ExpressionVector> HashedBy(const logical::Plan& plan) {
  std::optional<Partitioned> partitioned = PartitionedBy(plan);
  if (!partitioned || partitioned->single || partitioned->keys.empty()) return std::nullopt;
  ExpressionVector columns;
  for (const KeyColumns& key : partitioned->keys) {
    auto shown = std::find_if(plan.output().begin(), plan.output().end(), [&](const expression::AttributePtr& column) {
      return std::find(key.begin(), key.end(), column->id()) != key.end();
    });
    if (shown == plan.output().end()) return std::nullopt;
    columns.push_back(*shown);
  }
  return columns;
}

std::vector<int32_t> ByPartition(const std::vector<int32_t>& rows, const std::vector<int32_t>& partitions,
                                 int num_partitions) {
  std::vector<size_t> next(static_cast<size_t>(num_partitions) + 1, 0);
  for (int32_t row : rows) ++next[static_cast<size_t>(partitions[static_cast<size_t>(row)]) + 1];
  std::partial_sum(next.begin(), next.end(), next.begin());
  std::vector<int32_t> sorted(rows.size());
  for (int32_t row : rows) sorted[next[static_cast<size_t>(partitions[static_cast<size_t>(row)])]++] = row;
  return sorted;
}

arrow::Result<std::vector<int32_t>> ShuffleOrder::Rows(const arrow::ArrayVector& columns,
                                                       const std::vector<int64_t>& task_ends,
                                                       int num_partitions) const {
  int64_t num_rows = task_ends.back();
  if (sorted) {
    SortKeys sort;
    ARROW_RETURN_NOT_OK(sort.Encode(columns, std::vector<KeyOrder>(columns.size()), num_rows));
    return sort.SortedRows(num_rows);
  }
  std::vector<int32_t> rows(static_cast<size_t>(num_rows));
  std::iota(rows.begin(), rows.end(), 0);
  if (keys.empty()) return rows;
  std::vector<std::shared_ptr<arrow::ArrayData>> hashed;
  std::vector<types::DataTypePtr> hashed_types;
  for (int key : keys) {
    hashed.push_back(columns[static_cast<size_t>(key)]->data());
    hashed_types.push_back(types[static_cast<size_t>(key)]);
  }
  std::vector<int32_t> partitions = expression::Murmur3Hash(hashed, hashed_types, num_rows);
  for (int32_t& partition : partitions) partition = expression::Pmod(partition, num_partitions);
  if (task_ends.size() == 1) return ByPartition(rows, partitions, num_partitions);
  auto begin = rows.begin();
  for (int64_t task_end : task_ends) {
    auto end = rows.begin() + task_end;
    std::stable_sort(begin, end, [&](int32_t a, int32_t b) {
      return partitions[static_cast<size_t>(a)] < partitions[static_cast<size_t>(b)];
    });
    begin = end;
  }
  return rows;
}

ShuffleOrder ShuffleOrderOf(const logical::Plan& child, const ExpressionVector& keys) {
  ShuffleOrder order;
  for (const ExpressionPtr& key : keys) order.types.push_back(key->type());
  if (std::optional<std::vector<int>> together = Together(PartitionedBy(child), keys)) {
    order.keys = std::move(*together);
  } else {
    order.keys.resize(keys.size());
    std::iota(order.keys.begin(), order.keys.end(), 0);
  }
  return order;
}

bool IsMutableInPlace(const types::DataType& type) {
  switch (type.id()) {
    case types::TypeId::kString:
    case types::TypeId::kBinary:
    case types::TypeId::kArray:
    case types::TypeId::kMap:
    case types::TypeId::kStruct:
      return false;
    default:
      return true;
  }
}

}  // namespace millrace::physical
