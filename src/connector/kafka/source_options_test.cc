#include "connector/kafka/source_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connector/kafka/kafka_sink.h"
#include "connector/kafka/topic_pattern.h"

namespace millrace::connector::kafka {
namespace {

using testing::HasSubstr;
using Pairs = std::vector<std::pair<std::string, std::string>>;

Options Given(const Pairs& pairs) {
  Options options;
  options.Set("kafka.bootstrap.servers", "b:9092");
  for (const auto& [key, value] : pairs) options.Set(key, value);
  return options;
}

std::string StreamError(const Pairs& pairs) {
  auto parsed = ParseStreamOptions(Given(pairs));
  return parsed.ok() ? "accepted" : parsed.status().message();
}

std::string BatchError(const Pairs& pairs) {
  auto parsed = ParseBatchOptions(Given(pairs));
  return parsed.ok() ? "accepted" : parsed.status().message();
}

TEST(SourceOptionsTest, Subscriptions) {
  auto describe = [](const Pairs& pairs) {
    return ParseStreamOptions(Given(pairs)).ValueOrDie().subscription.ToString();
  };
  EXPECT_EQ(describe({{"SUBSCRIBE", " visits , ads,"}}), "Subscribe[visits, ads]");
  EXPECT_EQ(describe({{"subscribePattern", "v.*"}}), "SubscribePattern[v.*]");
  EXPECT_EQ(describe({{"assign", R"({"a":[1,0]})"}}), "Assign[a-1, a-0]");
  EXPECT_THAT(StreamError({}), HasSubstr("One of the following options must be specified for Kafka source"));
  EXPECT_THAT(StreamError({{"subscribe", "a"}, {"assign", "{}"}}),
              HasSubstr("Only one of the following options can be"));
  EXPECT_THAT(StreamError({{"subscribe", " ,"}}), HasSubstr("No topics to subscribe to"));
  EXPECT_THAT(StreamError({{"assign", "a"}}), HasSubstr("No topicpartitions to assign"));
}

TEST(SourceOptionsTest, StartsAndTheirPreference) {
  auto start = [](const Pairs& pairs) {
    Pairs all = pairs;
    all.push_back({"subscribe", "a"});
    return ParseStreamOptions(Given(all)).ValueOrDie().starting;
  };
  EXPECT_EQ(start({}).kind, OffsetLimit::Kind::kLatest);
  EXPECT_EQ(start({{"startingOffsets", "Earliest"}}).kind, OffsetLimit::Kind::kEarliest);
  EXPECT_EQ(start({{"startingOffsets", R"({"a":{"0":-2}})"}}).offsets.size(), 1u);
  EXPECT_EQ(start({{"startingOffsets", "earliest"}, {"startingTimestamp", "5"}}).timestamp_ms, 5);
  EXPECT_TRUE(
      start({{"startingTimestamp", "5"}, {"startingOffsetsByTimestampStrategy", "Latest"}}).latest_when_no_match);
  EXPECT_THAT(StreamError({{"subscribe", "a"}, {"startingTimestamp", "x"}}),
              HasSubstr("Expected a single long value, got x"));
}

TEST(SourceOptionsTest, WhatDoesNotFitIsRefusedInSparksWords) {
  EXPECT_EQ(StreamError({{"subscribe", "a"}, {"endingOffsets", "latest"}}),
            "ending offset not valid in streaming queries");
  EXPECT_EQ(BatchError({{"subscribe", "a"}, {"startingOffsets", "latest"}}),
            "starting offset can't be latest for batch queries on Kafka");
  EXPECT_EQ(BatchError({{"subscribe", "a"}, {"endingOffsets", R"({"a":{"0":-2}})"}}),
            "ending offset for a-0 can't be earliest for batch queries on Kafka");
  EXPECT_THAT(
      BatchError({{"subscribe", "a"}, {"startingOffsets", R"({"a":{"0":9}})"}, {"endingOffsets", R"({"a":{"0":3}})"}}),
      testing::Eq("The specified start offset 9 is greater than the end offset 3 for topic a partition 0."));
  EXPECT_THAT(
      BatchError({{"subscribe", "a"}, {"startingOffsets", R"({"a":{"0":1}})"}, {"endingOffsets", R"({"a":{"1":3}})"}}),
      HasSubstr("topic-partitions for end offset: Set(a-1)"));
  EXPECT_THAT(StreamError({{"subscribe", "a"}, {"kafka.auto.offset.reset", "earliest"}}),
              HasSubstr("Kafka option 'auto.offset.reset' is not supported."));
  EXPECT_THAT(StreamError({{"subscribe", "a"}, {"kafka.enable.auto.commit", "true"}}),
              HasSubstr("Kafka option 'enable.auto.commit' is not supported"));
  EXPECT_THAT(StreamError({{"subscribe", "a"}, {"kafka.value.deserializer", "x"}}), HasSubstr("ByteArrayDeserializer"));
  EXPECT_EQ(StreamError({{"subscribe", "a"}, {"minPartitions", "0"}}), "minPartitions must be positive");
  EXPECT_EQ(StreamError({{"subscribe", "a"}, {"minOffsetsPerTrigger", "9"}, {"maxOffsetsPerTrigger", "3"}}),
            "The value of minOffsetPerTrigger(9) is higher than the maxOffsetsPerTrigger(3).");
}

TEST(SourceOptionsTest, Durations) {
  auto delay = [](const std::string& text) {
    return ParseStreamOptions(Given({{"subscribe", "a"}, {"maxTriggerDelay", text}}))
        .ValueOrDie()
        .max_trigger_delay.count();
  };
  EXPECT_EQ(delay("15m"), 900'000);
  EXPECT_EQ(delay("2s"), 2000);
  EXPECT_EQ(delay("7"), 7);
  EXPECT_THAT(StreamError({{"subscribe", "a"}, {"maxTriggerDelay", "soon"}}), HasSubstr("Failed to parse time string"));
}

TEST(TopicPatternTest, FindsAsSparkDoes) {
  auto matches = [](const std::string& pattern, std::string_view topic) {
    return TopicPattern::Compile(pattern).ValueOrDie()->Matches(topic);
  };
  EXPECT_TRUE(matches("visit", "my-visits"));
  EXPECT_FALSE(matches("^visit", "my-visits"));
  EXPECT_TRUE(matches("^(?!test-).*-v\\d+$", "ads-v2"));
  EXPECT_FALSE(matches("^(?!test-).*-v\\d+$", "test-v2"));
  EXPECT_THAT(TopicPattern::Compile("a(").status().message(), HasSubstr("subscribePattern"));
}

TEST(KafkaSinkTest, ColumnsAreChecked) {
  auto error = [](std::vector<types::StructField> fields, std::optional<std::string> topic) {
    auto layout = FindRecordColumns(*types::Struct(std::move(fields)), std::move(topic));
    return layout.ok() ? "accepted" : layout.status().message();
  };
  EXPECT_EQ(error({{"value", types::String()}}, "t"), "accepted");
  EXPECT_THAT(
      error({{"value", types::String()}}, std::nullopt),
      HasSubstr("topic option required when no 'topic' attribute is present. Use the topic option for setting a "
                "topic."));
  EXPECT_THAT(error({{"key", types::String()}}, "t"), HasSubstr("Required attribute 'value' not found"));
  EXPECT_THAT(error({{"value", types::Integer()}}, "t"),
              HasSubstr("value attribute unsupported type int. value must be a(n) string or binary"));
  EXPECT_THAT(error({{"value", types::Binary()}, {"partition", types::Long()}}, "t"),
              HasSubstr("partition attribute unsupported type bigint. partition must be a(n) int"));
  EXPECT_THAT(error({{"value", types::Binary()}, {"headers", types::String()}}, "t"),
              HasSubstr("headers must be a(n) array<struct<key:string,value:binary>>"));
}

}  // namespace
}  // namespace millrace::connector::kafka
