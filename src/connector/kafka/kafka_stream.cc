#include "connector/kafka/kafka_stream.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <limits>

#include "base/checksum_file.h"
#include "base/error.h"
#include "base/failpoint.h"

namespace millrace::connector::kafka {

namespace {

using std::chrono::steady_clock;
constexpr std::chrono::milliseconds kAskInterval{1000};

/// One digit after the point, ties up, as Java's %.1f.
std::string AverageText(int64_t sum, int64_t count) {
  const int64_t tenths = (20 * sum + count) / (2 * count);
  return fmt::format("{}.{}", tenths / 10, tenths % 10);
}

}  // namespace

arrow::Result<std::unique_ptr<MicroBatchStream>> KafkaStream::Open(const SourceRequest& request) {
  ARROW_ASSIGN_OR_RAISE(SourceOptions options, ParseStreamOptions(request.options));
  for (const std::string& warning : options.warnings) spdlog::warn("{}", warning);
  auto session = std::make_shared<ReadSession>();
  session->readers = std::make_shared<ReaderPool>(options.client);
  ARROW_ASSIGN_OR_RAISE(session->offsets, OffsetReader::Open(options, session->readers->stop_token()));
  session->options = std::move(options);
  return std::unique_ptr<MicroBatchStream>(new KafkaStream(request, std::move(session)));
}

KafkaStream::~KafkaStream() { Stop(); }

void KafkaStream::Stop() {
  session_->readers->RequestStop();
  session_->readers->NotifyOnData({});
}

std::string KafkaStream::Description() const {
  return fmt::format("KafkaV2[{}]", session_->options.subscription.ToString());
}

arrow::Result<SourceOffset> KafkaStream::InitialOffset() {
  FileSystem& files = *context_.file_system;
  const std::string path = JoinPath(metadata_path_, "0");
  ARROW_ASSIGN_OR_RAISE(auto existing, files.Stat(path));
  if (existing) {
    ARROW_ASSIGN_OR_RAISE(std::string bytes, ReadCheckedFile(files, path));
    auto offsets = DecodeInitialOffsets(bytes);
    if (!offsets.ok()) {
      return arrow::Status::Invalid(
          fmt::format("The initial offsets in {} cannot be read: {}", path, offsets.status().message()));
    }
    return SourceOffset{FormatPartitionOffsets(*offsets)};
  }
  ARROW_ASSIGN_OR_RAISE(PartitionOffsets offsets,
                        session_->offsets->Resolve(session_->options.starting, /*is_start=*/true));
  ARROW_RETURN_NOT_OK(HitFailpoint("source.before_initial_offsets"));
  ARROW_RETURN_NOT_OK(files.CreateDirectories(metadata_path_));
  ARROW_ASSIGN_OR_RAISE(bool written,
                        WriteFileIfAbsent(files, path, EncodeInitialOffsets(offsets), context_.durability));
  if (!written)
    return arrow::Status::Invalid(
        fmt::format("Concurrent update to the log. Multiple streaming jobs detected "
                    "for 0: {} was just written by another query",
                    path));
  ARROW_RETURN_NOT_OK(HitFailpoint("source.after_initial_offsets"));
  spdlog::info("Initial offsets of {}: {}", Description(), FormatPartitionOffsets(offsets));
  return SourceOffset{FormatPartitionOffsets(offsets)};
}

arrow::Status KafkaStream::PrepareForAvailableNow() {
  available_now_ = true;
  return arrow::Status::OK();
}

arrow::Result<PartitionOffsets> KafkaStream::FetchLatest(const PartitionOffsets& start) {
  if (available_now_) {
    if (!fixed_latest_) {
      ARROW_ASSIGN_OR_RAISE(fixed_latest_, session_->offsets->LatestOffsets(start));
    }
    return *fixed_latest_;
  }
  const auto now = steady_clock::now();
  // Ends seen by fetches say nothing of open transactions.
  if (!session_->options.client.read_committed && asked_latest_ && now - asked_at_ < kAskInterval) {
    bool same_partitions = std::equal(start.begin(), start.end(), asked_latest_->begin(), asked_latest_->end(),
                                      [](const auto& a, const auto& b) { return a.first == b.first; });
    if (same_partitions) {
      if (auto ends = session_->readers->KnownEndOffsets(start)) {
        for (auto& [partition, end] : *ends) end = std::max(end, asked_latest_->at(partition));
        return *ends;
      }
    }
  }
  ARROW_ASSIGN_OR_RAISE(PartitionOffsets latest, session_->offsets->LatestOffsets(start));
  asked_latest_ = latest;
  asked_at_ = now;
  session_->readers->KeepOnly(PartitionsOf(latest));
  return latest;
}

bool KafkaStream::ShouldWaitForMore(const PartitionOffsets& start, const PartitionOffsets& latest) {
  const int64_t now_ms = context_.clock->NowMillis();
  bool enough = now_ms - last_trigger_ms_ >= session_->options.max_trigger_delay.count();
  if (!enough) {
    int64_t num_new = 0;
    for (const auto& [partition, end] : latest) {
      auto begin = start.find(partition);
      num_new += end - (begin == start.end() ? 0 : begin->second);
    }
    enough = num_new >= *session_->options.min_offsets_per_trigger;
  }
  if (enough) last_trigger_ms_ = now_ms;
  return !enough;
}

arrow::Result<PartitionOffsets> KafkaStream::StartsOfNewPartitions(const PartitionOffsets& from,
                                                                   const PartitionOffsets& until) {
  TopicPartitionSet added;
  for (const auto& [partition, end] : until) {
    if (!from.contains(partition)) added.insert(partition);
  }
  return session_->offsets->EarliestOffsets(added);
}

arrow::Result<std::optional<SourceOffset>> KafkaStream::LatestOffset(const SourceOffset& start_offset) {
  ARROW_ASSIGN_OR_RAISE(PartitionOffsets start, ParsePartitionOffsets(start_offset.json));
  // First: what comes after this look is announced, what came before is in the ends that follow.
  ARROW_RETURN_NOT_OK(session_->readers->FetchAhead(start));
  ARROW_ASSIGN_OR_RAISE(PartitionOffsets latest, FetchLatest(start));
  latest_ = latest;
  PartitionOffsets end = latest;
  if (!ignore_limits_) {
    const SourceOptions& options = session_->options;
    if (options.min_offsets_per_trigger && ShouldWaitForMore(start, latest)) {
      end = start;
    } else if (options.max_offsets_per_trigger) {
      ARROW_ASSIGN_OR_RAISE(PartitionOffsets from, StartsOfNewPartitions(start, latest));
      from.insert(start.begin(), start.end());
      end = LimitOffsets(*options.max_offsets_per_trigger, from, latest);
    }
  }
  ignore_limits_ = false;
  if (end.empty()) return std::nullopt;
  return SourceOffset{FormatPartitionOffsets(end)};
}

arrow::Result<std::optional<SourceOffset>> KafkaStream::ReportLatestOffset() {
  if (!latest_ || latest_->empty()) return std::nullopt;
  return SourceOffset{FormatPartitionOffsets(*latest_)};
}

arrow::Status KafkaStream::CheckAvailableNow(const PartitionOffsets& end) {
  if (!fixed_latest_) return arrow::Status::OK();
  if (PartitionsOf(*fixed_latest_) != PartitionsOf(end)) {
    return UserError("MISMATCHED_TOPIC_PARTITIONS_BETWEEN_END_OFFSET_AND_PREFETCHED",
                     {{"tpsForPrefetched", DescribePartitions(PartitionsOf(*fixed_latest_))},
                      {"tpsForEndOffset", DescribePartitions(PartitionsOf(end))}});
  }
  auto exceeds = [&end](const PartitionOffsets& bound) {
    return std::any_of(end.begin(), end.end(), [&](const auto& entry) { return entry.second > bound.at(entry.first); });
  };
  if (exceeds(*fixed_latest_)) {
    return UserError("END_OFFSET_HAS_GREATER_OFFSET_FOR_TOPIC_PARTITION_THAN_PREFETCHED",
                     {{"prefetchedOffset", DescribeOffsets(*fixed_latest_)}, {"endOffset", DescribeOffsets(end)}});
  }
  ARROW_ASSIGN_OR_RAISE(PartitionOffsets latest, session_->offsets->LatestOffsets(end));
  TopicPartitionSet existing = PartitionsOf(latest);
  TopicPartitionSet wanted = PartitionsOf(end);
  if (!std::includes(existing.begin(), existing.end(), wanted.begin(), wanted.end())) {
    return UserError(
        "LOST_TOPIC_PARTITIONS_IN_END_OFFSET_WITH_TRIGGER_AVAILABLENOW",
        {{"tpsForLatestOffset", DescribePartitions(existing)}, {"tpsForEndOffset", DescribePartitions(wanted)}});
  }
  if (exceeds(latest)) {
    return UserError("END_OFFSET_HAS_GREATER_OFFSET_FOR_TOPIC_PARTITION_THAN_LATEST_WITH_TRIGGER_AVAILABLENOW",
                     {{"latestOffset", DescribeOffsets(latest)}, {"endOffset", DescribeOffsets(end)}});
  }
  return arrow::Status::OK();
}

arrow::Result<std::vector<OffsetRange>> KafkaStream::RangesBetween(const PartitionOffsets& from,
                                                                   const PartitionOffsets& until) {
  const SourceOptions& options = session_->options;
  ARROW_ASSIGN_OR_RAISE(PartitionOffsets added, StartsOfNewPartitions(from, until));
  TopicPartitionSet vanished;
  for (const auto& [partition, end] : until) {
    if (!from.contains(partition) && !added.contains(partition)) vanished.insert(partition);
  }
  if (!vanished.empty()) {
    ARROW_RETURN_NOT_OK(ReportDataLoss(options, "INITIAL_OFFSET_NOT_FOUND_FOR_PARTITIONS",
                                       {{"partitions", DescribePartitions(vanished)}}));
  }
  for (const auto& [partition, offset] : added) {
    if (offset == 0) continue;
    ARROW_RETURN_NOT_OK(
        ReportDataLoss(options, "ADDED_PARTITION_DOES_NOT_START_FROM_OFFSET_ZERO",
                       {{"topicPartition", partition.ToString()}, {"startOffset", std::to_string(offset)}}));
  }
  TopicPartitionSet deleted;
  for (const auto& [partition, offset] : from) {
    if (!until.contains(partition)) deleted.insert(partition);
  }
  if (!deleted.empty()) {
    ARROW_RETURN_NOT_OK(ReportDataLoss(
        options, options.has_user_group_id ? "PARTITIONS_DELETED_AND_GROUP_ID_CONFIG_PRESENT" : "PARTITIONS_DELETED",
        {{"partitions", DescribePartitions(deleted)}, {"groupIdConfig", "group.id"}}));
  }
  std::vector<OffsetRange> ranges;
  for (const TopicPartition& partition : OrderOfTasks(until)) {
    int64_t end = until.at(partition);
    auto known = from.find(partition);
    auto fresh = added.find(partition);
    if (known == from.end() && fresh == added.end()) continue;
    int64_t begin = known != from.end() ? known->second : fresh->second;
    if (end < begin) {
      ARROW_RETURN_NOT_OK(ReportDataLoss(options, "PARTITION_OFFSET_CHANGED",
                                         {{"topicPartition", partition.ToString()},
                                          {"prevOffset", std::to_string(begin)},
                                          {"newOffset", std::to_string(end)}}));
    }
    ranges.push_back({partition, begin, end});
  }
  return ranges;
}

arrow::Result<InputPartitions> KafkaStream::PlanPartitions(const SourceOffset& start, const SourceOffset& end,
                                                           const ReadColumns& columns) {
  ARROW_ASSIGN_OR_RAISE(PartitionOffsets from, ParsePartitionOffsets(start.json));
  ARROW_ASSIGN_OR_RAISE(PartitionOffsets until, ParsePartitionOffsets(end.json));
  ARROW_RETURN_NOT_OK(CheckAvailableNow(until));
  ARROW_ASSIGN_OR_RAISE(std::vector<OffsetRange> ranges, RangesBetween(from, until));
  const SourceOptions& options = session_->options;
  ranges = SplitRanges(std::move(ranges), options.min_partitions, options.max_records_per_partition);
  return PlanRanges(session_, std::move(ranges), columns, /*keep_fetching=*/true);
}

SourceMetrics KafkaStream::Metrics(const std::optional<SourceOffset>& end) const {
  if (!end || !latest_ || latest_->empty()) return {};
  auto consumed = ParsePartitionOffsets(end->json);
  if (!consumed.ok()) return {};
  int64_t min_behind = std::numeric_limits<int64_t>::max();
  int64_t max_behind = std::numeric_limits<int64_t>::min();
  int64_t sum = 0;
  for (const auto& [partition, latest] : *latest_) {
    auto position = consumed->find(partition);
    int64_t behind = latest - (position == consumed->end() ? 0 : position->second);
    min_behind = std::min(min_behind, behind);
    max_behind = std::max(max_behind, behind);
    sum += behind;
  }
  return {{"minOffsetsBehindLatest", std::to_string(min_behind)},
          {"maxOffsetsBehindLatest", std::to_string(max_behind)},
          {"avgOffsetsBehindLatest", AverageText(sum, static_cast<int64_t>(latest_->size()))}};
}

bool KafkaStream::NotifyOnData(std::function<void()> on_data) {
  session_->readers->NotifyOnData(std::move(on_data));
  return true;
}

}  // namespace millrace::connector::kafka
