#include "kafka/admin.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>

#include "base/error.h"
#include "kafka/native_client.h"

namespace millrace::kafka {

namespace {

using std::chrono::milliseconds;

constexpr std::array<std::string_view, 4> kInternalTopics = {"__consumer_offsets", "__transaction_state",
                                                             "__share_group_state", "__cluster_metadata"};

/// A request is cut into slices so that a query that is being stopped does not wait for a broker that is away.
constexpr milliseconds kSlice{500};

struct MetadataDeleter {
  void operator()(const rd_kafka_metadata_t* metadata) const { rd_kafka_metadata_destroy(metadata); }
};
using MetadataHandle = std::unique_ptr<const rd_kafka_metadata_t, MetadataDeleter>;

int RemainingMillis(std::chrono::steady_clock::time_point deadline, milliseconds at_most) {
  auto left = std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp(left, milliseconds(1), at_most).count());
}

arrow::Status Stopped() { return arrow::Status::Cancelled("The query was stopped"); }

arrow::Status UnknownTopic(const std::string& topic, const ClientConfig& config) {
  return arrow::Status::KeyError(
      fmt::format("The Kafka topic '{}' does not exist at {}: This server does not host this "
                  "topic-partition.",
                  topic, config.bootstrap_servers));
}

/// Sleeps, but wakes when the query is stopped.
void Pause(const std::stop_token& stop, milliseconds how_long) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, stop, how_long, [] { return false; });
}

}  // namespace

Admin::Admin(std::unique_ptr<NativeClient> client, RetryPolicy retry, std::stop_token stop)
    : client_(std::move(client)), retry_(retry), stop_(std::move(stop)) {}

Admin::~Admin() = default;

arrow::Result<std::unique_ptr<Admin>> Admin::Open(const ClientConfig& config, RetryPolicy retry, std::stop_token stop) {
  ARROW_ASSIGN_OR_RAISE(auto client, NativeClient::Open(ClientRole::kConsumer, config));
  return std::unique_ptr<Admin>(new Admin(std::move(client), retry, std::move(stop)));
}

template <typename Attempt>
auto Admin::WithRetries(std::string_view what, Attempt attempt) -> decltype(attempt(Clock::time_point())) {
  const Clock::time_point start = Clock::now();
  const Clock::time_point deadline = start + client_->config().api_timeout;
  for (int number = 1;; ++number) {
    auto result = attempt(deadline);
    // A broker may not have heard yet of a topic that another one has just made.
    const bool may_change = IsRetryable(result.status()) || result.status().IsKeyError();
    if (result.ok() || !may_change || stop_.stop_requested()) return result;
    if (Clock::now() >= deadline) return client_->Unreachable(what, client_->config().api_timeout);
    if (number >= retry_.max_attempts) return result;
    Pause(stop_, retry_.interval);
  }
}

namespace {

/// The client does not know where the partitions are: they are not there, or it is still finding out who the brokers
/// are (librdkafka lets go of what it knows by the bootstrap address when it has met the brokers themselves).
bool IsUnknownPlace(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION || error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
}

/// Asks until an answer comes, the deadline passes or the query is stopped. Errors: KeyError for what stays unknown.
template <typename Ask>
arrow::Status AskInSlices(const NativeClient& client, std::string_view what,
                          std::chrono::steady_clock::time_point deadline, const std::stop_token& stop, Ask ask) {
  constexpr int kPlaceTries = 40;
  for (int unknown = 0;;) {
    if (stop.stop_requested()) return Stopped();
    rd_kafka_resp_err_t error = ask(RemainingMillis(deadline, kSlice));
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return arrow::Status::OK();
    bool unanswered = error == RD_KAFKA_RESP_ERR__TIMED_OUT || error == RD_KAFKA_RESP_ERR__TRANSPORT ||
                      error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || error == kBrokerHandleDestroyed;
    if (IsUnknownPlace(error)) {
      if (++unknown == kPlaceTries) return arrow::Status::KeyError(client.Failed(what, error).message());
    } else if (!unanswered) {
      return client.Failed(what, error);
    }
    if (std::chrono::steady_clock::now() >= deadline) return client.Unreachable(what, client.config().api_timeout);
    if (error != RD_KAFKA_RESP_ERR__TIMED_OUT) Pause(stop, milliseconds(50));
  }
}

}  // namespace

arrow::Result<std::vector<std::string>> Admin::ListTopics() {
  constexpr std::string_view kWhat = "Listing topics";
  return WithRetries(kWhat, [&](Clock::time_point deadline) -> arrow::Result<std::vector<std::string>> {
    const rd_kafka_metadata_t* raw = nullptr;
    ARROW_RETURN_NOT_OK(AskInSlices(*client_, kWhat, deadline, stop_, [&](int timeout_ms) {
      return rd_kafka_metadata(client_->handle(), /*all_topics=*/1, nullptr, &raw, timeout_ms);
    }));
    MetadataHandle metadata(raw);
    std::vector<std::string> topics;
    for (int i = 0; i < metadata->topic_cnt; ++i) {
      std::string_view name = metadata->topics[i].topic;
      if (std::find(kInternalTopics.begin(), kInternalTopics.end(), name) == kInternalTopics.end()) {
        topics.emplace_back(name);
      }
    }
    std::sort(topics.begin(), topics.end());
    return topics;
  });
}

arrow::Result<TopicPartitionSet> Admin::ListPartitions(const std::vector<std::string>& topics) {
  if (topics.empty()) return TopicPartitionSet{};
  std::string what = fmt::format("Describing the topics {}", fmt::join(topics, ", "));
  return WithRetries(what, [&](Clock::time_point deadline) -> arrow::Result<TopicPartitionSet> {
    // A request is about one topic or about all; a handful of topics is asked for one by one.
    constexpr size_t kAskAllAbove = 3;
    std::vector<MetadataHandle> answers;
    if (topics.size() > kAskAllAbove) {
      const rd_kafka_metadata_t* raw = nullptr;
      ARROW_RETURN_NOT_OK(AskInSlices(*client_, what, deadline, stop_, [&](int timeout_ms) {
        return rd_kafka_metadata(client_->handle(), /*all_topics=*/1, nullptr, &raw, timeout_ms);
      }));
      answers.emplace_back(raw);
    } else {
      for (const std::string& topic : topics) {
        ARROW_ASSIGN_OR_RAISE(TopicHandle handle, client_->OpenTopic(topic));
        const rd_kafka_metadata_t* raw = nullptr;
        ARROW_RETURN_NOT_OK(AskInSlices(*client_, what, deadline, stop_, [&](int timeout_ms) {
          return rd_kafka_metadata(client_->handle(), /*all_topics=*/0, handle.get(), &raw, timeout_ms);
        }));
        answers.emplace_back(raw);
      }
    }
    TopicPartitionSet partitions;
    std::set<std::string_view> missing(topics.begin(), topics.end());
    for (const MetadataHandle& answer : answers) {
      for (int i = 0; i < answer->topic_cnt; ++i) {
        const rd_kafka_metadata_topic_t& topic = answer->topics[i];
        if (std::find(topics.begin(), topics.end(), topic.topic) == topics.end()) continue;
        if (topic.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || topic.err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC) {
          return UnknownTopic(topic.topic, client_->config());
        }
        if (topic.err != RD_KAFKA_RESP_ERR_NO_ERROR) return client_->Failed(what, topic.err);
        missing.erase(topic.topic);
        for (int p = 0; p < topic.partition_cnt; ++p) partitions.insert({topic.topic, topic.partitions[p].id});
      }
    }
    if (!missing.empty()) return UnknownTopic(std::string(*missing.begin()), client_->config());
    return partitions;
  });
}

arrow::Result<bool> Admin::CreateTopic(const std::string& topic, int num_partitions) {
  const std::string what = fmt::format("Creating the topic '{}'", topic);
  char reason[512];
  std::unique_ptr<rd_kafka_NewTopic_t, decltype(&rd_kafka_NewTopic_destroy)> wanted(
      rd_kafka_NewTopic_new(topic.c_str(), num_partitions, /*replication_factor=*/-1, reason, sizeof(reason)),
      &rd_kafka_NewTopic_destroy);
  if (wanted == nullptr) return arrow::Status::Invalid(fmt::format("{} failed: {}", what, reason));
  std::unique_ptr<rd_kafka_AdminOptions_t, decltype(&rd_kafka_AdminOptions_destroy)> options(
      rd_kafka_AdminOptions_new(client_->handle(), RD_KAFKA_ADMIN_OP_CREATETOPICS), &rd_kafka_AdminOptions_destroy);
  const auto timeout_ms = static_cast<int>(client_->config().api_timeout.count());
  rd_kafka_AdminOptions_set_request_timeout(options.get(), timeout_ms, reason, sizeof(reason));
  QueueHandle queue(rd_kafka_queue_new(client_->handle()));
  rd_kafka_NewTopic_t* list[] = {wanted.get()};
  rd_kafka_CreateTopics(client_->handle(), list, 1, options.get(), queue.get());
  std::unique_ptr<rd_kafka_event_t, decltype(&rd_kafka_event_destroy)> event(
      rd_kafka_queue_poll(queue.get(), timeout_ms), &rd_kafka_event_destroy);
  if (event == nullptr) return client_->Unreachable(what, client_->config().api_timeout);
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return client_->Failed(what, rd_kafka_event_error(event.get()));
  }
  size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    rd_kafka_resp_err_t error = rd_kafka_topic_result_error(results[i]);
    if (error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) return false;
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return client_->Failed(what, error);
  }
  return true;
}

arrow::Result<PartitionOffsets> Admin::AskOffsets(std::string_view what,
                                                  const std::map<TopicPartition, int64_t>& positions) {
  if (positions.empty()) return PartitionOffsets{};
  return WithRetries(what, [&](Clock::time_point deadline) -> arrow::Result<PartitionOffsets> {
    PartitionListHandle list;
    ARROW_RETURN_NOT_OK(AskInSlices(*client_, what, deadline, stop_, [&](int timeout_ms) {
      // Made anew for each try: the call overwrites what it is asked.
      list.reset(rd_kafka_topic_partition_list_new(static_cast<int>(positions.size())));
      for (const auto& [partition, position] : positions) {
        rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition)->offset = position;
      }
      return rd_kafka_offsets_for_times(client_->handle(), list.get(), timeout_ms);
    }));
    PartitionOffsets offsets;
    for (int i = 0; i < list->cnt; ++i) {
      const rd_kafka_topic_partition_t& answer = list->elems[i];
      TopicPartition partition{answer.topic, answer.partition};
      if (answer.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || IsUnknownPlace(answer.err)) {
        return arrow::Status::KeyError(fmt::format("The Kafka partition {} does not exist at {}", partition.ToString(),
                                                   client_->config().bootstrap_servers));
      }
      if (answer.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return client_->Failed(fmt::format("{} of {}", what, partition.ToString()), answer.err);
      }
      offsets[partition] = answer.offset;
    }
    return offsets;
  });
}

arrow::Result<PartitionOffsets> Admin::EarliestOffsets(const TopicPartitionSet& partitions) {
  std::map<TopicPartition, int64_t> positions;
  for (const TopicPartition& partition : partitions) positions[partition] = kEarliestOffset;
  return AskOffsets("Asking the earliest offsets", positions);
}

arrow::Result<PartitionOffsets> Admin::LatestOffsets(const TopicPartitionSet& partitions) {
  std::map<TopicPartition, int64_t> positions;
  for (const TopicPartition& partition : partitions) positions[partition] = kLatestOffset;
  return AskOffsets("Asking the latest offsets", positions);
}

arrow::Result<std::map<TopicPartition, std::optional<int64_t>>> Admin::OffsetsForTimestamps(
    const std::map<TopicPartition, int64_t>& timestamps_ms) {
  ARROW_ASSIGN_OR_RAISE(PartitionOffsets offsets, AskOffsets("Asking offsets by timestamp", timestamps_ms));
  std::map<TopicPartition, std::optional<int64_t>> found;
  for (const auto& [partition, offset] : offsets) {
    found[partition] = offset < 0 ? std::nullopt : std::optional<int64_t>(offset);
  }
  return found;
}

}  // namespace millrace::kafka
