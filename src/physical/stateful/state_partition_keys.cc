#include "physical/stateful/state_partition_keys.h"

#include <algorithm>
#include <numeric>

#include "logical/node/repartition.h"

namespace millrace::physical {

namespace {

using logical::NodeKind;

// What keeps rows where they are.
bool KeepsPartitions(const logical::Plan& node) {
  return node.kind() == NodeKind::kProject || node.kind() == NodeKind::kFilter || node.kind() == NodeKind::kWatermark ||
         node.kind() == NodeKind::kSubqueryAlias;
}

}  // namespace

std::vector<int> StatePartitionKeys(const logical::Plan& child, const AttributeVector& grouping,
                                    const StreamingPlan& query) {
  std::vector<int> all(grouping.size());
  std::iota(all.begin(), all.end(), 0);
  if (query.conf("spark.sql.streaming.statefulOperator.useStrictDistribution").value_or("true") != "false") return all;
  const logical::Plan* node = &child;
  while (KeepsPartitions(*node)) node = node->child().get();
  if (node->kind() != NodeKind::kRepartition) return all;
  const auto& repartition = static_cast<const logical::Repartition&>(*node);
  bool same_number = repartition.num_partitions() == 0 || repartition.num_partitions() == query.num_state_partitions;
  if (!repartition.shuffle() || repartition.keys().empty() || repartition.direct() || !same_number) return all;
  std::vector<int> some;
  for (const auto& key : repartition.keys()) {
    if (key->kind() != expression::ExpressionKind::kAttribute) return all;
    auto id = static_cast<const expression::AttributeReference&>(*key).id();
    auto it = std::find_if(grouping.begin(), grouping.end(), [&](const auto& column) { return column->id() == id; });
    if (it == grouping.end()) return all;
    some.push_back(static_cast<int>(it - grouping.begin()));
  }
  return some;
}

}  // namespace millrace::physical
