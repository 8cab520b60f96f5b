#pragma once

#include <arrow/result.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "kafka/client_config.h"
#include "kafka/topic_partition.h"

namespace millrace::kafka {

class NativeClient;

/// How often a failed question is asked again (Spark: fetchOffset.numRetries, fetchOffset.retryIntervalMs).
struct RetryPolicy {
  int max_attempts = 3;
  std::chrono::milliseconds interval{1000};
};

/// Questions about topics, partitions and offsets, on a connection of its own: a consumer's connection may be held by a
/// fetch that waits for data.
///
/// Each call asks the brokers, in one request a broker, waits at most `ClientConfig::api_timeout` in all its attempts,
/// and gives an IOError naming the brokers when nothing answers. A topic or partition that does not exist (at any
/// of `RetryPolicy::max_attempts` times) is a KeyError; nothing is created by asking. Thread-safe.
class Admin {
 public:
  static arrow::Result<std::unique_ptr<Admin>> Open(const ClientConfig& config, RetryPolicy retry,
                                                    std::stop_token stop = {});
  ~Admin();

  /// Names of all topics except Kafka's own, sorted.
  arrow::Result<std::vector<std::string>> ListTopics();
  arrow::Result<TopicPartitionSet> ListPartitions(const std::vector<std::string>& topics);

  /// Makes a topic with the broker's own replication. False when it exists already.
  arrow::Result<bool> CreateTopic(const std::string& topic, int num_partitions);

  arrow::Result<PartitionOffsets> EarliestOffsets(const TopicPartitionSet& partitions);
  /// Next offset to be written; with `read_committed`, the first offset of the oldest open transaction when lower.
  arrow::Result<PartitionOffsets> LatestOffsets(const TopicPartitionSet& partitions);
  /// Offset of the first record at or after each timestamp (ms since 1970 UTC); nullopt where there is none.
  arrow::Result<std::map<TopicPartition, std::optional<int64_t>>> OffsetsForTimestamps(
      const std::map<TopicPartition, int64_t>& timestamps_ms);

 private:
  Admin(std::unique_ptr<NativeClient> client, RetryPolicy retry, std::stop_token stop);

  using Clock = std::chrono::steady_clock;
  template <typename Attempt>
  auto WithRetries(std::string_view what, Attempt attempt) -> decltype(attempt(Clock::time_point()));
  /// Resolves the timestamps or the special values −1 (latest) and −2 (earliest) in place.
  arrow::Result<PartitionOffsets> AskOffsets(std::string_view what, const std::map<TopicPartition, int64_t>& positions);

  std::unique_ptr<NativeClient> client_;
  RetryPolicy retry_;
  std::stop_token stop_;
};

}  // namespace millrace::kafka
