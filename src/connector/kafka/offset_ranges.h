#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "connector/kafka/offset_json.h"

namespace millrace::connector::kafka {

/// What one task reads: offsets [from, until) of one partition.
struct OffsetRange {
  TopicPartition partition;
  int64_t from = 0;
  int64_t until = 0;

  int64_t size() const { return until - from; }
  bool operator==(const OffsetRange&) const = default;
};

/// The ends of a micro-batch of about `limit` offsets: each partition gets its share of what it has to give, at least
/// one. `from` holds a start for each partition of `until`; those without one get their whole rest.
/// Spec: Spark's KafkaMicroBatchStream.rateLimit (same rounding, so same batches).
PartitionOffsets LimitOffsets(int64_t limit, const PartitionOffsets& from, const PartitionOffsets& until);

/// The partitions of a micro-batch in the order of its tasks. Source: Spark's KafkaOffsetReaderAdmin.listOffsets; the
/// order is that of the Scala maps it fills.
std::vector<TopicPartition> OrderOfTasks(const PartitionOffsets& until);

/// Cuts ranges into tasks: none larger than `max_records`, and about `min_ranges` of them where that is more than there
/// are. Empty ranges are dropped. Spec: Spark's KafkaOffsetRangeCalculator.
std::vector<OffsetRange> SplitRanges(std::vector<OffsetRange> ranges, std::optional<int64_t> min_ranges,
                                     std::optional<int64_t> max_records);

}  // namespace millrace::connector::kafka
