#include "connector/kafka/offset_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <thread>

#include "base/error.h"

namespace millrace::connector::kafka {

using millrace::kafka::kEarliestOffset;
using millrace::kafka::kLatestOffset;

OffsetReader::OffsetReader(const SourceOptions& options, std::unique_ptr<TopicPattern> pattern,
                           std::unique_ptr<millrace::kafka::Admin> admin)
    : subscription_(options.subscription),
      streaming_(options.streaming),
      retry_(options.offset_retry),
      pattern_(std::move(pattern)),
      admin_(std::move(admin)) {}

arrow::Result<std::unique_ptr<OffsetReader>> OffsetReader::Open(const SourceOptions& options, std::stop_token stop) {
  std::unique_ptr<TopicPattern> pattern;
  if (options.subscription.kind == Subscription::Kind::kSubscribePattern) {
    ARROW_ASSIGN_OR_RAISE(pattern, TopicPattern::Compile(options.subscription.pattern));
  }
  ARROW_ASSIGN_OR_RAISE(auto admin,
                        millrace::kafka::Admin::Open(options.client, options.offset_retry, std::move(stop)));
  return std::unique_ptr<OffsetReader>(new OffsetReader(options, std::move(pattern), std::move(admin)));
}

arrow::Result<TopicPartitionSet> OffsetReader::AssignedPartitions() {
  switch (subscription_.kind) {
    case Subscription::Kind::kSubscribe:
      return admin_->ListPartitions(subscription_.topics);
    case Subscription::Kind::kSubscribePattern: {
      ARROW_ASSIGN_OR_RAISE(std::vector<std::string> topics, admin_->ListTopics());
      std::erase_if(topics, [&](const std::string& topic) { return !pattern_->Matches(topic); });
      return admin_->ListPartitions(topics);
    }
    case Subscription::Kind::kAssign: {
      std::set<std::string> topics;
      for (const TopicPartition& partition : subscription_.partitions) topics.insert(partition.topic);
      ARROW_ASSIGN_OR_RAISE(TopicPartitionSet existing, admin_->ListPartitions({topics.begin(), topics.end()}));
      TopicPartitionSet assigned;
      for (const TopicPartition& partition : subscription_.partitions) {
        if (existing.contains(partition)) assigned.insert(partition);
      }
      return assigned;
    }
  }
  return InternalError("unknown kind of Kafka subscription");
}

arrow::Result<PartitionOffsets> OffsetReader::ResolveSpecial(PartitionOffsets offsets) {
  TopicPartitionSet earliest;
  TopicPartitionSet latest;
  for (const auto& [partition, offset] : offsets) {
    if (offset == kEarliestOffset) earliest.insert(partition);
    if (offset == kLatestOffset) latest.insert(partition);
  }
  ARROW_ASSIGN_OR_RAISE(PartitionOffsets first, admin_->EarliestOffsets(earliest));
  ARROW_ASSIGN_OR_RAISE(PartitionOffsets last, admin_->LatestOffsets(latest));
  for (const auto& [partition, offset] : first) offsets[partition] = offset;
  for (const auto& [partition, offset] : last) offsets[partition] = offset;
  return offsets;
}

arrow::Result<PartitionOffsets> OffsetReader::ResolveTimestamps(const std::map<TopicPartition, int64_t>& timestamps_ms,
                                                                bool latest_when_no_match) {
  ARROW_ASSIGN_OR_RAISE(auto found, admin_->OffsetsForTimestamps(timestamps_ms));
  PartitionOffsets offsets;
  for (const auto& [partition, offset] : found) {
    if (!offset && !latest_when_no_match) {
      return arrow::Status::Invalid(
          fmt::format("No offset matched from request of topic-partition {} and timestamp {}.", partition.ToString(),
                      timestamps_ms.at(partition)));
    }
    offsets[partition] = offset.value_or(kLatestOffset);
  }
  return ResolveSpecial(std::move(offsets));
}

arrow::Result<PartitionOffsets> OffsetReader::Resolve(const OffsetLimit& limit, bool is_start) {
  ARROW_ASSIGN_OR_RAISE(TopicPartitionSet assigned, AssignedPartitions());
  // An end by timestamp that nothing has reached yet is the end of what there is.
  const bool latest_when_no_match = !is_start || limit.latest_when_no_match;
  switch (limit.kind) {
    case OffsetLimit::Kind::kEarliest:
      return admin_->EarliestOffsets(assigned);
    case OffsetLimit::Kind::kLatest:
      return admin_->LatestOffsets(assigned);
    case OffsetLimit::Kind::kOffsets:
      if (PartitionsOf(limit.offsets) != assigned) {
        if (streaming_) {
          return arrow::Status::Invalid(fmt::format(
              "assertion failed: If startingOffsets contains specific offsets, you must specify all TopicPartitions.\n"
              "Use -1 for latest, -2 for earliest, if you don't care.\nSpecified: {} Assigned: {}",
              DescribePartitions(PartitionsOf(limit.offsets)), DescribePartitions(assigned)));
        }
        return UserError("KAFKA_START_OFFSET_DOES_NOT_MATCH_ASSIGNED",
                         {{"specifiedPartitions", DescribePartitions(PartitionsOf(limit.offsets))},
                          {"assignedPartitions", DescribePartitions(assigned)}});
      }
      return ResolveSpecial(limit.offsets);
    case OffsetLimit::Kind::kPartitionTimestamps:
      if (PartitionsOf(limit.timestamps_ms) != assigned) {
        return UserError("KAFKA_TIMESTAMP_OFFSET_DOES_NOT_MATCH_ASSIGNED",
                         {{"position", is_start ? "start" : "end"},
                          {"specifiedPartitions", DescribePartitions(PartitionsOf(limit.timestamps_ms))},
                          {"assignedPartitions", DescribePartitions(assigned)}});
      }
      return ResolveTimestamps(limit.timestamps_ms, latest_when_no_match);
    case OffsetLimit::Kind::kTimestamp: {
      std::map<TopicPartition, int64_t> timestamps_ms;
      for (const TopicPartition& partition : assigned) timestamps_ms[partition] = limit.timestamp_ms;
      return ResolveTimestamps(timestamps_ms, latest_when_no_match);
    }
  }
  return InternalError("unknown kind of Kafka offset limit");
}

arrow::Result<PartitionOffsets> OffsetReader::LatestOffsets(const PartitionOffsets& known) {
  ARROW_ASSIGN_OR_RAISE(TopicPartitionSet assigned, AssignedPartitions());
  for (int attempt = 1;; ++attempt) {
    ARROW_ASSIGN_OR_RAISE(PartitionOffsets latest, admin_->LatestOffsets(assigned));
    bool behind = std::any_of(latest.begin(), latest.end(), [&](const auto& entry) {
      auto before = known.find(entry.first);
      return before != known.end() && before->second > entry.second;
    });
    if (!behind || attempt >= retry_.max_attempts) return latest;
    std::this_thread::sleep_for(retry_.interval);
  }
}

arrow::Result<PartitionOffsets> OffsetReader::EarliestOffsets(const TopicPartitionSet& partitions) {
  if (partitions.empty()) return PartitionOffsets{};
  ARROW_ASSIGN_OR_RAISE(TopicPartitionSet assigned, AssignedPartitions());
  TopicPartitionSet existing;
  std::set_intersection(partitions.begin(), partitions.end(), assigned.begin(), assigned.end(),
                        std::inserter(existing, existing.end()));
  return admin_->EarliestOffsets(existing);
}

arrow::Result<std::optional<OffsetReader::Available>> OffsetReader::AvailableOffsets(const TopicPartition& partition) {
  auto existing = admin_->ListPartitions({partition.topic});
  if (existing.status().IsKeyError() || (existing.ok() && !existing->contains(partition))) return std::nullopt;
  ARROW_RETURN_NOT_OK(existing.status());
  ARROW_ASSIGN_OR_RAISE(PartitionOffsets earliest, admin_->EarliestOffsets({partition}));
  ARROW_ASSIGN_OR_RAISE(PartitionOffsets latest, admin_->LatestOffsets({partition}));
  return Available{earliest.at(partition), latest.at(partition)};
}

}  // namespace millrace::connector::kafka
