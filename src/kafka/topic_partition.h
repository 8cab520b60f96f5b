#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace millrace::kafka {

/// One partition of one topic: the unit that Kafka orders and that offsets count.
struct TopicPartition {
  std::string topic;
  int32_t partition = 0;

  auto operator<=>(const TopicPartition&) const = default;
  /// `visits-0`, as the Java client prints it.
  std::string ToString() const { return topic + "-" + std::to_string(partition); }
};

using TopicPartitionSet = std::set<TopicPartition>;
/// Offset of the next record to read, by partition.
using PartitionOffsets = std::map<TopicPartition, int64_t>;

/// Offsets with a meaning instead of a position, as users write them in offset JSON.
inline constexpr int64_t kLatestOffset = -1;
inline constexpr int64_t kEarliestOffset = -2;

}  // namespace millrace::kafka
