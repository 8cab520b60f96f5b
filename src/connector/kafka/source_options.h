#pragma once

#include <arrow/result.h>

#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/options.h"
#include "connector/kafka/offset_json.h"
#include "connector/source.h"
#include "kafka/admin.h"
#include "kafka/client_config.h"

namespace millrace::connector::kafka {

/// Which partitions are read.
struct Subscription {
  enum class Kind { kAssign, kSubscribe, kSubscribePattern };
  Kind kind = Kind::kSubscribe;
  std::vector<TopicPartition> partitions;  ///< kAssign
  std::vector<std::string> topics;         ///< kSubscribe
  std::string pattern;                     ///< kSubscribePattern

  /// `Subscribe[visits, ads]`, as it stands in progress and explain.
  std::string ToString() const;
};

/// A start or an end of a read as the user gave it.
struct OffsetLimit {
  enum class Kind {
    kEarliest,
    kLatest,
    kOffsets,              ///< by partition; may hold kLatestOffset and kEarliestOffset
    kPartitionTimestamps,  ///< by partition, ms since 1970 UTC
    kTimestamp,            ///< one for all, ms since 1970 UTC
  };
  Kind kind = Kind::kLatest;
  PartitionOffsets offsets;
  std::map<TopicPartition, int64_t> timestamps_ms;
  int64_t timestamp_ms = 0;
  /// Where no record is as late as the timestamp: an error, or the latest offset.
  bool latest_when_no_match = false;
};

/// Everything a user can say about a Kafka read, checked.
struct SourceOptions {
  bool streaming = false;
  Subscription subscription;
  OffsetLimit starting;
  OffsetLimit ending;
  std::optional<int64_t> max_offsets_per_trigger;
  std::optional<int64_t> min_offsets_per_trigger;
  std::chrono::milliseconds max_trigger_delay{15 * 60 * 1000};
  std::optional<int64_t> min_partitions;
  std::optional<int64_t> max_records_per_partition;
  bool fail_on_data_loss = true;
  bool include_headers = false;
  /// A user's kafka.group.id, else a made-up one; only shown in messages: nothing is committed to a group.
  std::string group_id;
  bool has_user_group_id = false;
  std::chrono::milliseconds poll_timeout{120'000};
  millrace::kafka::RetryPolicy offset_retry;
  millrace::kafka::ClientConfig client;
  /// About options that are accepted without effect.
  std::vector<std::string> warnings;
};

/// The table of the source's own options (the `kafka.*` ones aside), for documentation.
std::span<const OptionDef> SourceOptionDefs();

/// What is refused as soon as a source is named, as load() does; the rest waits for the query to start.
arrow::Status CheckStreamOptions(const Options& options);
arrow::Status CheckBatchOptions(const Options& options);

/// Errors: Invalid with Spark's words.
arrow::Result<SourceOptions> ParseStreamOptions(const Options& options);
arrow::Result<SourceOptions> ParseBatchOptions(const Options& options);

/// The settings `kafka.*` without that prefix.
std::map<std::string, std::string> ClientSettings(const Options& options);

}  // namespace millrace::connector::kafka
