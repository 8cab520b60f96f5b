#include "delta/action/action.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::delta {
namespace {

using ::testing::HasSubstr;

Action Parse(std::string_view line) {
  ActionParser parser;
  auto action = parser.ParseLine(line);
  EXPECT_TRUE(action.ok()) << action.status();
  EXPECT_TRUE(action.ok() && action->has_value()) << line;
  return action.ok() && *action ? **action : Action(Add());
}

// Lines as real delta-spark 4.4 wrote them (ids shortened).
constexpr std::string_view kLines[] = {
    R"({"add":{"path":"part-0.parquet","partitionValues":{"day":"2024-01-01","hour":null},"size":1015,"modificationTime":1795192123147,"dataChange":true,"stats":"{\"numRecords\":5}","deletionVector":{"storageType":"u","pathOrInlineDv":"Ngq.4-8xl%RPGA?3R{i:","offset":1,"sizeInBytes":40,"cardinality":4}}})",
    R"({"remove":{"path":"part-0.parquet","deletionTimestamp":1795192125470,"dataChange":true,"extendedFileMetadata":true,"partitionValues":{},"size":1015,"stats":"{\"numRecords\":5}"}})",
    R"({"metaData":{"id":"be17624a","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[]}","partitionColumns":["day"],"configuration":{"delta.appendOnly":"true"},"createdTime":1795192122731}})",
    R"({"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors"],"writerFeatures":["deletionVectors","invariants"]}})",
    R"({"protocol":{"minReaderVersion":1,"minWriterVersion":2}})",
    R"({"txn":{"appId":"q","version":7,"lastUpdated":12}})",
    R"({"domainMetadata":{"domain":"delta.rowTracking","configuration":"{\"rowIdHighWaterMark\":4}","removed":false}})",
    R"({"cdc":{"path":"_change_data/cdc-0.parquet","partitionValues":{},"size":1528,"dataChange":false}})",
    R"({"sidecar":{"path":"016ae953.parquet","sizeInBytes":2304522,"modificationTime":1512909768000}})",
    R"({"checkpointMetadata":{"version":1,"tags":{"numOfAddFiles":"42"}}})",
    R"({"commitInfo":{"timestamp":1795192122761,"operation":"WRITE","operationParameters":{"mode":"Append","partitionBy":"[]"},"readVersion":0,"isBlindAppend":true,"operationMetrics":{"numFiles":"1"}}})",
};

TEST(ActionTest, WhatIsReadIsWrittenBack) {
  for (std::string_view line : kLines) EXPECT_EQ(ToJsonLine(Parse(line)), line);
}

TEST(ActionTest, MembersAndKindsThatAreNotKnownArePassedOver) {
  auto add = std::get<Add>(Parse(R"({"add":{"path":"a","partitionValues":{},"size":1,"later":{"x":[1]}}})"));
  EXPECT_EQ(add.path, "a");
  ActionParser parser;
  EXPECT_EQ(*parser.ParseLine(R"({"somethingNew":{"a":1}})"), std::nullopt);
  EXPECT_EQ(*parser.ParseLine(""), std::nullopt);
}

TEST(ActionTest, KindsThatNobodyWantsAreLeftOut) {
  ActionParser parser(kKinds<Txn>);
  std::string text;
  for (std::string_view line : kLines) text += std::string(line) + "\n";
  auto actions = parser.ParseLines(text, "x.json");
  ASSERT_TRUE(actions.ok());
  ASSERT_EQ(actions->size(), 1u);
  EXPECT_EQ(std::get<Txn>((*actions)[0]).version, 7);
}

TEST(ActionTest, MistakesNameFileAndLine) {
  for (std::string_view bad : {
           R"({"add":{"path":"a","size":1)",              // cut short
           R"({"add":{"partitionValues":{},"size":1}})",  // no path
           R"({"add":{"path":"a","size":"1"}})",          // a number as text
           R"({"protocol":{"minReaderVersion":99999999999,"minWriterVersion":1}})",
           R"([1])",
           "\xff\xfe",
       }) {
    ActionParser parser;
    auto actions = parser.ParseLines(std::string(kLines[0]) + "\n" + std::string(bad) + "\n", "00.json");
    ASSERT_FALSE(actions.ok()) << bad;
    EXPECT_THAT(actions.status().message(), HasSubstr("00.json is corrupt at line 2")) << bad;
  }
}

TEST(ActionTest, ALineCutShortIsSeenEvenWhereItIsNotWanted) {
  ActionParser parser(kKinds<Txn>);
  EXPECT_FALSE(parser.ParseLine(R"({"add":{"path":"a","partitionValues":{},"size":1,"dataCh)").ok());
}

}  // namespace
}  // namespace millrace::delta
