#include "connector/kafka/kafka_batch.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/error.h"

namespace millrace::connector::kafka {

arrow::Result<std::unique_ptr<BatchScan>> KafkaBatchScan::Open(const SourceRequest& request) {
  ARROW_ASSIGN_OR_RAISE(SourceOptions options, ParseBatchOptions(request.options));
  for (const std::string& warning : options.warnings) spdlog::warn("{}", warning);
  auto session = std::make_shared<ReadSession>();
  session->readers = std::make_shared<ReaderPool>(options.client);
  ARROW_ASSIGN_OR_RAISE(session->offsets, OffsetReader::Open(options, session->readers->stop_token()));
  session->options = std::move(options);
  return std::unique_ptr<BatchScan>(new KafkaBatchScan(std::move(session)));
}

std::string KafkaBatchScan::Description() const {
  return fmt::format("Kafka[{}]", session_->options.subscription.ToString());
}

arrow::Result<InputPartitions> KafkaBatchScan::PlanPartitions(const ReadColumns& columns) {
  const SourceOptions& options = session_->options;
  ARROW_ASSIGN_OR_RAISE(PartitionOffsets from, session_->offsets->Resolve(options.starting, /*is_start=*/true));
  ARROW_ASSIGN_OR_RAISE(PartitionOffsets until, session_->offsets->Resolve(options.ending, /*is_start=*/false));
  if (PartitionsOf(from) != PartitionsOf(until)) {
    return arrow::Status::Invalid(
        fmt::format("different topic partitions for starting offsets topics[{}] and ending offsets topics[{}]",
                    DescribePartitions(PartitionsOf(from)), DescribePartitions(PartitionsOf(until))));
  }
  std::vector<OffsetRange> ranges;
  for (const auto& [partition, begin] : from) {
    int64_t end = until.at(partition);
    if (begin > end) {
      return UserError("RESOLVED_START_OFFSET_GREATER_THAN_END_OFFSET",
                       {{"startOffset", std::to_string(begin)},
                        {"endOffset", std::to_string(end)},
                        {"topic", partition.topic},
                        {"partition", std::to_string(partition.partition)}});
    }
    ranges.push_back({partition, begin, end});
  }
  // Spec: KafkaOffsetReader.shouldDivvyUpLargePartitions; without minPartitions neither option is looked at.
  const bool split = options.min_partitions && *options.min_partitions > static_cast<int64_t>(from.size());
  ranges = SplitRanges(std::move(ranges), split ? options.min_partitions : std::nullopt,
                       split ? options.max_records_per_partition : std::nullopt);
  return PlanRanges(session_, std::move(ranges), columns, /*keep_fetching=*/false);
}

}  // namespace millrace::connector::kafka
