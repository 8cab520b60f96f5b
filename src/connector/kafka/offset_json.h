#pragma once

#include <arrow/result.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kafka/topic_partition.h"

namespace millrace::connector::kafka {

using millrace::kafka::PartitionOffsets;
using millrace::kafka::TopicPartition;
using millrace::kafka::TopicPartitionSet;

/// `{"topicA":{"0":23,"1":-1},"topicB":{"0":-2}}`: the text of options and of the offset log.
arrow::Result<PartitionOffsets> ParsePartitionOffsets(std::string_view json);
/// Topics and partitions in ascending order.
std::string FormatPartitionOffsets(const PartitionOffsets& offsets);
/// The same shape with milliseconds since 1970 UTC.
arrow::Result<std::map<TopicPartition, int64_t>> ParsePartitionTimestamps(std::string_view json);
/// `{"topicA":[0,1],"topicB":[2,4]}`, in the order given.
arrow::Result<std::vector<TopicPartition>> ParsePartitions(std::string_view json);

/// The file `sources/<i>/0` with a query's first offsets: a zero byte, `v1`, a newline, the offset JSON.
/// Decode also reads what Spark 2.1 wrote: the JSON alone behind the zero byte. Errors: Invalid naming what is wrong.
std::string EncodeInitialOffsets(const PartitionOffsets& offsets);
arrow::Result<PartitionOffsets> DecodeInitialOffsets(std::string_view bytes);

/// `Set(t-0, t-1)` and `Map(t-0 -> 5)`, as Spark's messages show them.
std::string DescribePartitions(const TopicPartitionSet& partitions);
std::string DescribeOffsets(const PartitionOffsets& offsets);
TopicPartitionSet PartitionsOf(const PartitionOffsets& offsets);

}  // namespace millrace::connector::kafka
