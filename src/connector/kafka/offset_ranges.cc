#include "connector/kafka/offset_ranges.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/scala_order.h"

namespace millrace::connector::kafka {

namespace {

/// Java's Math.round: halves go up.
int64_t RoundedShare(int64_t size, int64_t total, int64_t parts) {
  double share = static_cast<double>(size) / static_cast<double>(total) * static_cast<double>(parts);
  return std::max<int64_t>(static_cast<int64_t>(std::floor(share + 0.5)), 1);
}

/// `parts` pieces of nearly equal size; the last ones take the rest of the division.
void Divide(const OffsetRange& range, int64_t parts, std::vector<OffsetRange>* pieces) {
  int64_t remaining = range.size();
  int64_t from = range.from;
  for (int64_t part = 0; part < parts; ++part) {
    int64_t size = remaining / (parts - part);
    remaining -= size;
    int64_t until = std::min(from + size, range.until);
    if (until > from) pieces->push_back({range.partition, from, until});
    from = until;
  }
}

// hashCode() of Java's TopicPartition.
uint32_t JavaHash(const TopicPartition& partition) {
  uint32_t of_topic = 0;
  for (char c : partition.topic) of_topic = of_topic * 31 + static_cast<uint8_t>(c);
  return (31 + static_cast<uint32_t>(partition.partition)) * 31 + of_topic;
}

}  // namespace

std::vector<TopicPartition> OrderOfTasks(const PartitionOffsets& until) {
  // The order of a mutable HashMap with 16 buckets: from one, Spark fills an immutable Map.
  auto place = [](const TopicPartition& partition) {
    uint32_t hash = JavaHash(partition);
    hash ^= hash >> 16;
    return std::pair(hash & 15U, static_cast<int32_t>(hash));
  };
  std::vector<TopicPartition> filled;
  for (const auto& [partition, end] : until) filled.push_back(partition);
  std::stable_sort(filled.begin(), filled.end(),
                   [&](const TopicPartition& a, const TopicPartition& b) { return place(a) < place(b); });
  std::vector<uint32_t> hashes;
  for (const TopicPartition& partition : filled) hashes.push_back(JavaHash(partition));
  std::vector<TopicPartition> order;
  for (size_t i : ScalaOrder(hashes)) order.push_back(filled[i]);
  return order;
}

PartitionOffsets LimitOffsets(int64_t limit, const PartitionOffsets& from, const PartitionOffsets& until) {
  double total = 0;
  for (const auto& [partition, end] : until) {
    auto begin = from.find(partition);
    if (begin != from.end() && end > begin->second) total += static_cast<double>(end - begin->second);
  }
  if (total < 1) return until;
  PartitionOffsets limited;
  for (const auto& [partition, end] : until) {
    auto begin = from.find(partition);
    if (begin == from.end() || end <= begin->second) {
      limited[partition] = end;
      continue;
    }
    double share = static_cast<double>(limit) * (static_cast<double>(end - begin->second) / total);
    // A small partition is not starved.
    double whole = share < 1 ? std::ceil(share) : std::floor(share);
    constexpr double kMax = 9.2e18;
    int64_t take = whole >= kMax ? std::numeric_limits<int64_t>::max() : static_cast<int64_t>(whole);
    int64_t offset = take > std::numeric_limits<int64_t>::max() - begin->second ? std::numeric_limits<int64_t>::max()
                                                                                : begin->second + take;
    limited[partition] = std::min(end, offset);
  }
  return limited;
}

std::vector<OffsetRange> SplitRanges(std::vector<OffsetRange> ranges, std::optional<int64_t> min_ranges,
                                     std::optional<int64_t> max_records) {
  std::erase_if(ranges, [](const OffsetRange& range) { return range.size() <= 0; });
  if (max_records) {
    std::vector<OffsetRange> pieces;
    for (const OffsetRange& range : ranges) {
      Divide(range, std::max<int64_t>((range.size() + *max_records - 1) / *max_records, 1), &pieces);
    }
    ranges = std::move(pieces);
  }
  if (!min_ranges || *min_ranges <= static_cast<int64_t>(ranges.size())) return ranges;

  // Ranges too small to be cut keep out of the shares of those that are.
  int64_t total = 0;
  for (const OffsetRange& range : ranges) total += range.size();
  auto is_whole = [&](const OffsetRange& range) { return RoundedShare(range.size(), total, *min_ranges) == 1; };
  int64_t whole_total = 0;
  int64_t num_whole = 0;
  for (const OffsetRange& range : ranges) {
    if (!is_whole(range)) continue;
    whole_total += range.size();
    ++num_whole;
  }
  const int64_t cut_total = total - whole_total;
  const int64_t cut_parts = std::max<int64_t>(*min_ranges - num_whole, 1);
  std::vector<OffsetRange> pieces;
  for (const OffsetRange& range : ranges) {
    Divide(range, is_whole(range) ? 1 : RoundedShare(range.size(), cut_total, cut_parts), &pieces);
  }
  return pieces;
}

}  // namespace millrace::connector::kafka
