#include "connector/kafka/source_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/ascii.h"
#include "base/error.h"
#include "base/ids.h"

namespace millrace::connector::kafka {

namespace {

using millrace::kafka::kEarliestOffset;
using millrace::kafka::kLatestOffset;
using std::chrono::milliseconds;

constexpr std::array kSourceOptions = {
    OptionDef{"subscribe", "", "Topics to read, separated by commas."},
    OptionDef{"subscribePattern", "", "Regular expression; topics with a match in their name are read."},
    OptionDef{"assign", "", R"(Partitions to read: {"topicA":[0,1],"topicB":[2,4]}.)"},
    OptionDef{"startingOffsets", "latest (stream), earliest (batch)",
              R"(Where a new query begins: earliest, latest, or {"topicA":{"0":23,"1":-2}} (-2 earliest, -1 latest).)"},
    OptionDef{"endingOffsets", "latest", "Where a batch read ends, written as startingOffsets."},
    OptionDef{"startingTimestamp", "", "Begin with records at or after this time, ms since 1970 UTC."},
    OptionDef{"endingTimestamp", "", "End a batch read before records at or after this time, ms since 1970 UTC."},
    OptionDef{"startingOffsetsByTimestamp", "", R"(startingTimestamp by partition: {"topicA":{"0":1000}}.)"},
    OptionDef{"endingOffsetsByTimestamp", "", "endingTimestamp by partition."},
    OptionDef{"startingOffsetsByTimestampStrategy", "error",
              "When no record is as late as the starting timestamp: error or latest."},
    OptionDef{"maxOffsetsPerTrigger", "", "At most so many offsets in a micro-batch, split over partitions by size."},
    OptionDef{"minOffsetsPerTrigger", "", "Wait for so many offsets before a micro-batch starts."},
    OptionDef{"maxTriggerDelay", "15m", "Longest wait for minOffsetsPerTrigger."},
    OptionDef{"minPartitions", "", "Split large partitions until there are so many tasks."},
    OptionDef{"maxRecordsPerPartition", "", "At most so many offsets in a task."},
    OptionDef{"failOnDataLoss", "true", "Fail when records may have been lost; false logs a warning."},
    OptionDef{"includeHeaders", "false", "Add the column headers."},
    OptionDef{"groupIdPrefix", "spark-kafka-source", "Prefix of the consumer group named in messages."},
    OptionDef{"kafkaConsumer.pollTimeoutMs", "120000", "Longest wait for a record of a planned range."},
    OptionDef{"fetchOffset.numRetries", "3", "How often a question about offsets is asked."},
    OptionDef{"fetchOffset.retryIntervalMs", "1000", "Pause between two such questions."},
    OptionDef{"kafka.bootstrap.servers", "", "Brokers to begin with: host:port,host:port."},
};

std::string Trim(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return std::string(text);
}

std::vector<std::string> SplitTopics(std::string_view text) {
  std::vector<std::string> topics;
  while (true) {
    size_t comma = text.find(',');
    std::string topic = Trim(text.substr(0, comma));
    if (!topic.empty()) topics.push_back(std::move(topic));
    if (comma == std::string_view::npos) return topics;
    text.remove_prefix(comma + 1);
  }
}

/// "15m", "30s", "500ms", "2h", "1d"; a bare number counts milliseconds.
arrow::Result<milliseconds> ParseDuration(const std::string& text) {
  std::string trimmed = ToLowerAscii(Trim(text));
  int64_t number = 0;
  auto [end, error] = std::from_chars(trimmed.data(), trimmed.data() + trimmed.size(), number);
  std::string_view unit(end, static_cast<size_t>(trimmed.data() + trimmed.size() - end));
  int64_t factor = unit.empty() || unit == "ms"   ? 1
                   : unit == "s"                  ? 1000
                   : unit == "m" || unit == "min" ? 60'000
                   : unit == "h"                  ? 3'600'000
                   : unit == "d"                  ? 86'400'000
                                                  : 0;
  if (unit == "us") return milliseconds(number / 1000);
  if (error != std::errc() || factor == 0) {
    return arrow::Status::Invalid(
        fmt::format("Time must be specified as seconds (s), milliseconds (ms), microseconds (us), minutes (m or min), "
                    "hour (h), or day (d). E.g. 50s, 100ms, or 250us.\nFailed to parse time string: {}",
                    text));
  }
  return milliseconds(number * factor);
}

/// Everything of it but what the JSON of `assign` says.
arrow::Result<Subscription> CheckSubscription(const Options& options) {
  constexpr std::string_view kStrategies = "subscribe, subscribepattern, assign";
  int given = 0;
  for (const char* key : {"subscribe", "subscribepattern", "assign"}) given += options.Has(key) ? 1 : 0;
  if (given != 1) {
    return arrow::Status::Invalid(
        fmt::format("{} of the following options {} be specified for Kafka source: {}. See the docs for more details.",
                    given == 0 ? "One" : "Only one", given == 0 ? "must" : "can", kStrategies));
  }
  Subscription subscription;
  if (auto value = options.Get("assign")) {
    subscription.kind = Subscription::Kind::kAssign;
    if (!Trim(*value).starts_with('{')) {
      return arrow::Status::Invalid(
          fmt::format("No topicpartitions to assign as specified value for option 'assign' is '{}'", *value));
    }
  } else if (value = options.Get("subscribe"); value) {
    subscription.kind = Subscription::Kind::kSubscribe;
    subscription.topics = SplitTopics(*value);
    if (subscription.topics.empty()) {
      return arrow::Status::Invalid(
          fmt::format("No topics to subscribe to as specified value for option 'subscribe' is '{}'", *value));
    }
  } else {
    value = options.Get("subscribepattern");
    subscription.kind = Subscription::Kind::kSubscribePattern;
    subscription.pattern = Trim(*value);
    if (subscription.pattern.empty()) {
      return arrow::Status::Invalid(fmt::format(
          "Pattern to subscribe is empty as specified value for option 'subscribePattern' is '{}'", *value));
    }
  }
  return subscription;
}

arrow::Result<Subscription> ParseSubscription(const Options& options) {
  ARROW_ASSIGN_OR_RAISE(Subscription subscription, CheckSubscription(options));
  if (auto value = options.Get("assign")) {
    ARROW_ASSIGN_OR_RAISE(subscription.partitions, ParsePartitions(*value));
  }
  return subscription;
}

struct LimitKeys {
  std::string_view timestamp;
  std::string_view by_timestamp;
  std::string_view offsets;
};
constexpr LimitKeys kStartingKeys{"startingTimestamp", "startingOffsetsByTimestamp", "startingOffsets"};
constexpr LimitKeys kEndingKeys{"endingTimestamp", "endingOffsetsByTimestamp", "endingOffsets"};

arrow::Result<OffsetLimit> ParseLimit(const Options& options, const LimitKeys& keys, OffsetLimit::Kind fallback) {
  OffsetLimit limit;
  std::string strategy = ToLowerAscii(options.GetOr("startingOffsetsByTimestampStrategy", "error"));
  if (strategy != "error" && strategy != "latest") {
    return arrow::Status::Invalid(fmt::format("No value found for '{}'", ToUpperAscii(strategy)));
  }
  limit.latest_when_no_match = strategy == "latest";
  if (auto text = options.Get(keys.timestamp)) {
    limit.kind = OffsetLimit::Kind::kTimestamp;
    std::string trimmed = Trim(*text);
    auto [end, error] = std::from_chars(trimmed.data(), trimmed.data() + trimmed.size(), limit.timestamp_ms);
    if (error != std::errc() || end != trimmed.data() + trimmed.size()) {
      return arrow::Status::Invalid(fmt::format("Expected a single long value, got {}", trimmed));
    }
  } else if (text = options.Get(keys.by_timestamp); text) {
    limit.kind = OffsetLimit::Kind::kPartitionTimestamps;
    ARROW_ASSIGN_OR_RAISE(limit.timestamps_ms, ParsePartitionTimestamps(Trim(*text)));
  } else if (text = options.Get(keys.offsets); text) {
    std::string trimmed = Trim(*text);
    if (EqualsIgnoreCase(trimmed, "latest")) {
      limit.kind = OffsetLimit::Kind::kLatest;
    } else if (EqualsIgnoreCase(trimmed, "earliest")) {
      limit.kind = OffsetLimit::Kind::kEarliest;
    } else {
      limit.kind = OffsetLimit::Kind::kOffsets;
      ARROW_ASSIGN_OR_RAISE(limit.offsets, ParsePartitionOffsets(trimmed));
    }
  } else {
    limit.kind = fallback;
  }
  return limit;
}

arrow::Result<std::optional<int64_t>> OptionalNumber(const Options& options, std::string_view key) {
  if (!options.Has(key)) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(int64_t number, options.GetInt64(key, 0));
  return number;
}

arrow::Status RefuseManagedSettings(const Options& options) {
  if (options.Has("kafka.auto.offset.reset")) {
    return arrow::Status::Invalid(
        "\nKafka option 'auto.offset.reset' is not supported.\n"
        "Instead set the source option 'startingoffsets' to 'earliest' or 'latest'\n"
        "to specify where to start. Structured Streaming manages which offsets are consumed\n"
        "internally, rather than relying on the kafkaConsumer to do it. This will ensure that no\n"
        "data is missed when new topics/partitions are dynamically subscribed. Note that\n"
        "'startingoffsets' only applies when a new Streaming query is started, and\n"
        "that resuming will always pick up from where the query left off. See the docs for more\n"
        "details.\n");
  }
  if (options.Has("kafka.key.deserializer")) {
    return arrow::Status::Invalid(
        "Kafka option 'key.deserializer' is not supported as keys are deserialized as byte arrays with "
        "ByteArrayDeserializer. Use DataFrame operations to explicitly deserialize the keys.");
  }
  if (options.Has("kafka.value.deserializer")) {
    return arrow::Status::Invalid(
        "Kafka option 'value.deserializer' is not supported as values are deserialized as byte arrays with "
        "ByteArrayDeserializer. Use DataFrame operations to explicitly deserialize the values.");
  }
  for (const char* name : {"enable.auto.commit", "interceptor.classes"}) {
    if (options.Has(std::string("kafka.") + name)) {
      return arrow::Status::Invalid(fmt::format("Kafka option '{}' is not supported", name));
    }
  }
  if (!options.Has("kafka.bootstrap.servers")) {
    return arrow::Status::Invalid("Option 'kafka.bootstrap.servers' must be specified for configuring Kafka consumer");
  }
  return arrow::Status::OK();
}

/// Spec: KafkaSourceProvider.validateGeneralOptions.
arrow::Status CheckGeneralOptions(const Options& options) {
  ARROW_RETURN_NOT_OK(CheckSubscription(options).status());
  ARROW_ASSIGN_OR_RAISE(std::optional<int64_t> min_partitions, OptionalNumber(options, "minPartitions"));
  if (min_partitions && *min_partitions <= 0) return arrow::Status::Invalid("minPartitions must be positive");
  ARROW_ASSIGN_OR_RAISE(std::optional<int64_t> max_records, OptionalNumber(options, "maxRecordsPerPartition"));
  if (max_records && *max_records <= 0) return arrow::Status::Invalid("maxrecordsperpartition must be positive");
  ARROW_RETURN_NOT_OK(RefuseManagedSettings(options));
  if (options.Has("minOffsetsPerTrigger") && options.Has("maxOffsetsPerTrigger")) {
    ARROW_ASSIGN_OR_RAISE(int64_t least, options.GetInt64("minOffsetsPerTrigger", 0));
    ARROW_ASSIGN_OR_RAISE(int64_t most, options.GetInt64("maxOffsetsPerTrigger", 0));
    if (least > most) {
      return arrow::Status::Invalid(fmt::format(
          "The value of minOffsetPerTrigger({}) is higher than the maxOffsetsPerTrigger({}).", least, most));
    }
  }
  return arrow::Status::OK();
}

arrow::Status ParseGeneralOptions(const Options& options, std::string_view default_group_prefix,
                                  SourceOptions* parsed) {
  ARROW_RETURN_NOT_OK(CheckGeneralOptions(options));
  ARROW_ASSIGN_OR_RAISE(parsed->subscription, ParseSubscription(options));
  ARROW_ASSIGN_OR_RAISE(parsed->min_partitions, OptionalNumber(options, "minPartitions"));
  ARROW_ASSIGN_OR_RAISE(parsed->max_records_per_partition, OptionalNumber(options, "maxRecordsPerPartition"));
  ARROW_ASSIGN_OR_RAISE(parsed->fail_on_data_loss, options.GetBool("failOnDataLoss", true));
  ARROW_ASSIGN_OR_RAISE(parsed->include_headers, options.GetBool("includeHeaders", false));
  ARROW_ASSIGN_OR_RAISE(int64_t poll_timeout_ms, options.GetInt64("kafkaConsumer.pollTimeoutMs", 120'000));
  parsed->poll_timeout = milliseconds(poll_timeout_ms);
  ARROW_ASSIGN_OR_RAISE(int64_t attempts, options.GetInt64("fetchOffset.numRetries", 3));
  ARROW_ASSIGN_OR_RAISE(int64_t interval_ms, options.GetInt64("fetchOffset.retryIntervalMs", 1000));
  parsed->offset_retry = {static_cast<int>(std::max<int64_t>(1, attempts)), milliseconds(interval_ms)};

  auto user_group = options.Get("kafka.group.id");
  parsed->has_user_group_id = user_group.has_value();
  if (user_group) {
    parsed->group_id = *user_group;
    parsed->warnings.push_back(
        "Kafka option 'kafka.group.id' has been set on this query: offsets are not committed to "
        "the group, and other queries with the same group may not run beside this one");
    if (options.Has("groupIdPrefix")) {
      parsed->warnings.push_back("Option groupIdPrefix will be ignored as option kafka.group.id has been set.");
    }
  } else {
    parsed->group_id =
        fmt::format("{}-{}-executor", options.GetOr("groupIdPrefix", default_group_prefix), RandomUuid());
  }
  ARROW_ASSIGN_OR_RAISE(parsed->client,
                        TranslateClientConfig(millrace::kafka::ClientRole::kConsumer, ClientSettings(options)));
  parsed->warnings.insert(parsed->warnings.end(), parsed->client.warnings.begin(), parsed->client.warnings.end());
  return arrow::Status::OK();
}

/// Starts and ends that contradict each other whatever the topic holds.
arrow::Status CheckLimits(const OffsetLimit& starting, const OffsetLimit& ending) {
  const PartitionOffsets* start = nullptr;
  const PartitionOffsets* end = nullptr;
  std::string_view what;
  if (starting.kind == OffsetLimit::Kind::kOffsets && ending.kind == OffsetLimit::Kind::kOffsets) {
    start = &starting.offsets;
    end = &ending.offsets;
    what = "offset";
  } else if (starting.kind == OffsetLimit::Kind::kPartitionTimestamps &&
             ending.kind == OffsetLimit::Kind::kPartitionTimestamps) {
    start = &starting.timestamps_ms;
    end = &ending.timestamps_ms;
    what = "timestamp";
  } else {
    return arrow::Status::OK();
  }
  if (PartitionsOf(*start) != PartitionsOf(*end)) {
    return UserError("MISMATCHED_TOPIC_PARTITIONS_BETWEEN_START_OFFSET_AND_END_OFFSET",
                     {{"tpsForStartOffset", DescribePartitions(PartitionsOf(*start))},
                      {"tpsForEndOffset", DescribePartitions(PartitionsOf(*end))}});
  }
  for (const auto& [partition, from] : *start) {
    int64_t until = end->at(partition);
    if (from > until && from >= 0 && until >= 0) {
      return UserError("UNRESOLVED_START_OFFSET_GREATER_THAN_END_OFFSET",
                       {{"offsetType", std::string(what)},
                        {"startOffset", std::to_string(from)},
                        {"endOffset", std::to_string(until)},
                        {"topic", partition.topic},
                        {"partition", std::to_string(partition.partition)}});
    }
  }
  return arrow::Status::OK();
}

}  // namespace

std::string Subscription::ToString() const {
  switch (kind) {
    case Kind::kAssign: {
      std::vector<std::string> names;
      for (const TopicPartition& partition : partitions) names.push_back(partition.ToString());
      return fmt::format("Assign[{}]", fmt::join(names, ", "));
    }
    case Kind::kSubscribe:
      return fmt::format("Subscribe[{}]", fmt::join(topics, ", "));
    case Kind::kSubscribePattern:
      return fmt::format("SubscribePattern[{}]", pattern);
  }
  return {};
}

std::span<const OptionDef> SourceOptionDefs() { return kSourceOptions; }

std::map<std::string, std::string> ClientSettings(const Options& options) {
  constexpr std::string_view kPrefix = "kafka.";
  std::map<std::string, std::string> settings;
  for (const auto& [key, entry] : options.entries()) {
    if (key.starts_with(kPrefix)) settings[key.substr(kPrefix.size())] = entry.value;
  }
  return settings;
}

arrow::Status CheckStreamOptions(const Options& options) {
  if (options.Has("endingOffsets")) return arrow::Status::Invalid("ending offset not valid in streaming queries");
  // A single endingTimestamp is not looked at, as in Spark.
  if (options.Has("endingOffsetsByTimestamp")) {
    return arrow::Status::Invalid("ending timestamp not valid in streaming queries");
  }
  return CheckGeneralOptions(options);
}

arrow::Result<SourceOptions> ParseStreamOptions(const Options& options) {
  ARROW_RETURN_NOT_OK(CheckStreamOptions(options));
  SourceOptions parsed;
  parsed.streaming = true;
  ARROW_RETURN_NOT_OK(ParseGeneralOptions(options, "spark-kafka-source", &parsed));
  ARROW_ASSIGN_OR_RAISE(parsed.max_offsets_per_trigger, OptionalNumber(options, "maxOffsetsPerTrigger"));
  ARROW_ASSIGN_OR_RAISE(parsed.min_offsets_per_trigger, OptionalNumber(options, "minOffsetsPerTrigger"));
  ARROW_ASSIGN_OR_RAISE(parsed.max_trigger_delay, ParseDuration(options.GetOr("maxTriggerDelay", "15m")));
  ARROW_ASSIGN_OR_RAISE(parsed.starting, ParseLimit(options, kStartingKeys, OffsetLimit::Kind::kLatest));
  return parsed;
}

namespace {

arrow::Status ParseBatchLimits(const Options& options, SourceOptions* limits) {
  SourceOptions& parsed = *limits;
  ARROW_ASSIGN_OR_RAISE(parsed.starting, ParseLimit(options, kStartingKeys, OffsetLimit::Kind::kEarliest));
  ARROW_ASSIGN_OR_RAISE(parsed.ending, ParseLimit(options, kEndingKeys, OffsetLimit::Kind::kLatest));
  if (parsed.starting.kind == OffsetLimit::Kind::kLatest) {
    return arrow::Status::Invalid("starting offset can't be latest for batch queries on Kafka");
  }
  for (const auto& [partition, offset] : parsed.starting.offsets) {
    if (offset == kLatestOffset) {
      return arrow::Status::Invalid(
          fmt::format("startingOffsets for {} can't be latest for batch queries on Kafka", partition.ToString()));
    }
  }
  if (parsed.ending.kind == OffsetLimit::Kind::kEarliest) {
    return arrow::Status::Invalid("ending offset can't be earliest for batch queries on Kafka");
  }
  for (const auto& [partition, offset] : parsed.ending.offsets) {
    if (offset == kEarliestOffset) {
      return arrow::Status::Invalid(
          fmt::format("ending offset for {} can't be earliest for batch queries on Kafka", partition.ToString()));
    }
  }
  return CheckLimits(parsed.starting, parsed.ending);
}

}  // namespace

arrow::Status CheckBatchOptions(const Options& options) {
  SourceOptions limits;
  ARROW_RETURN_NOT_OK(ParseBatchLimits(options, &limits));
  return CheckGeneralOptions(options);
}

arrow::Result<SourceOptions> ParseBatchOptions(const Options& options) {
  SourceOptions parsed;
  ARROW_RETURN_NOT_OK(ParseBatchLimits(options, &parsed));
  ARROW_RETURN_NOT_OK(ParseGeneralOptions(options, "spark-kafka-relation", &parsed));
  for (const char* name : {"maxOffsetsPerTrigger", "minOffsetsPerTrigger", "maxTriggerDelay"}) {
    if (options.Has(name)) parsed.warnings.push_back(fmt::format("{} option ignored in batch queries", name));
  }
  return parsed;
}

}  // namespace millrace::connector::kafka
