// The source and the sink against a real broker. Skipped unless KAFKA_BOOTSTRAP names one.

#include <arrow/array.h>
#include <arrow/scalar.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/ids.h"
#include "connector/kafka/kafka_batch.h"
#include "connector/kafka/kafka_sink.h"
#include "connector/kafka/kafka_stream.h"
#include "connector/kafka/record_columns.h"
#include "kafka/broker_for_test.h"

namespace millrace::connector::kafka {
namespace {

using millrace::kafka::RealBroker;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class KafkaBrokerTest : public testing::Test {
 protected:
  void SetUp() override {
    if (RealBroker::Bootstrap() == nullptr) GTEST_SKIP() << "KAFKA_BOOTSTRAP is not set";
    broker_ = std::make_unique<RealBroker>();
    context_.clock = &clock_;
    directory_ = std::filesystem::temp_directory_path() / ("kafka-test-" + RandomUuid());
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  SourceRequest Request(const std::vector<std::pair<std::string, std::string>>& options) {
    SourceRequest request;
    request.options.Set("kafka.bootstrap.servers", RealBroker::Bootstrap());
    for (const auto& [key, value] : options) request.options.Set(key, value);
    request.metadata_path = directory_;
    request.context = &context_;
    return request;
  }

  std::unique_ptr<MicroBatchStream> OpenStream(std::vector<std::pair<std::string, std::string>> options) {
    auto stream = KafkaStream::Open(Request(options));
    EXPECT_TRUE(stream.ok()) << stream.status().ToString();
    return *std::move(stream);
  }

  static std::vector<std::string> Values(const InputPartitions& partitions, arrow::Status* failure = nullptr) {
    std::vector<std::string> values;
    for (const auto& partition : partitions) {
      auto reader = partition->Open(arrow::default_memory_pool()).ValueOrDie();
      for (;;) {
        auto batch = reader->Next();
        if (failure != nullptr && !batch.ok()) *failure = batch.status();
        if (failure == nullptr) {
          EXPECT_TRUE(batch.ok()) << batch.status().ToString();
        }
        if (!batch.ok() || *batch == nullptr) break;
        EXPECT_TRUE((*batch)->ValidateFull().ok());
        const auto& column = static_cast<const arrow::BinaryArray&>(*(*batch)->column(0));
        for (int64_t i = 0; i < column.length(); ++i) values.push_back(column.GetString(i));
      }
    }
    return values;
  }

  /// The value column between two offsets.
  static std::vector<std::string> Batch(MicroBatchStream& stream, const SourceOffset& from, const SourceOffset& until) {
    auto partitions = stream.PlanPartitions(from, until, {.indices = {1}});
    EXPECT_TRUE(partitions.ok()) << partitions.status().ToString();
    return partitions.ok() ? Values(*partitions) : std::vector<std::string>();
  }

  static SourceOffset Latest(MicroBatchStream& stream, const SourceOffset& start) {
    auto latest = stream.LatestOffset(start);
    EXPECT_TRUE(latest.ok()) << latest.status().ToString();
    return **latest;
  }

  std::unique_ptr<RealBroker> broker_;
  ManualClock clock_{1'700'000'000'000'000};
  ConnectorContext context_;
  std::string directory_;
};

TEST_F(KafkaBrokerTest, BatchesFollowEachOther) {
  std::string topic = broker_->CreateTopic(2);
  broker_->Produce(topic, 0, {"a", "b"});
  std::atomic<int> notified{0};
  auto stream = OpenStream({{"subscribe", topic}, {"startingOffsets", "earliest"}});
  EXPECT_EQ(stream->Description(), "KafkaV2[Subscribe[" + topic + "]]");
  SourceOffset start = stream->InitialOffset().ValueOrDie();
  EXPECT_EQ(start.json, "{\"" + topic + R"(":{"0":0,"1":0}})");
  SourceOffset end = Latest(*stream, start);
  EXPECT_THAT(Batch(*stream, start, end), ElementsAre("a", "b"));

  stream->NotifyOnData([&] { ++notified; });
  EXPECT_EQ(Latest(*stream, end), end);
  broker_->Produce(topic, 1, {"c"});
  for (int i = 0; i < 100 && Latest(*stream, end) == end; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  SourceOffset next = Latest(*stream, end);
  EXPECT_EQ(next.json, "{\"" + topic + R"(":{"0":2,"1":1}})");
  EXPECT_THAT(Batch(*stream, end, next), ElementsAre("c"));
  EXPECT_GT(notified, 0);
  // Run again, as after a crash.
  EXPECT_THAT(Batch(*stream, start, next), UnorderedElementsAre("a", "b", "c"));
}

TEST_F(KafkaBrokerTest, InitialOffsetsAreKept) {
  std::string topic = broker_->CreateTopic(1);
  broker_->Produce(topic, 0, {"a"});
  {
    auto stream = OpenStream({{"subscribe", topic}});
    EXPECT_EQ(stream->InitialOffset().ValueOrDie().json, "{\"" + topic + R"(":{"0":1}})");
  }
  broker_->Produce(topic, 0, {"b"});
  auto stream = OpenStream({{"subscribe", topic}});
  SourceOffset start = stream->InitialOffset().ValueOrDie();
  EXPECT_EQ(start.json, "{\"" + topic + R"(":{"0":1}})");
  EXPECT_THAT(Batch(*stream, start, Latest(*stream, start)), ElementsAre("b"));
}

TEST_F(KafkaBrokerTest, LimitsAndLag) {
  std::string topic = broker_->CreateTopic(2);
  broker_->Produce(topic, 0, std::vector<std::string>(54, "x"));
  broker_->Produce(topic, 1, std::vector<std::string>(36, "y"));
  auto stream = OpenStream({{"subscribe", topic}, {"startingOffsets", "earliest"}, {"maxOffsetsPerTrigger", "10"}});
  ASSERT_TRUE(stream->PrepareForAvailableNow().ok());
  SourceOffset start = stream->InitialOffset().ValueOrDie();
  SourceOffset end = Latest(*stream, start);
  EXPECT_EQ(end.json, "{\"" + topic + R"(":{"0":6,"1":4}})");
  EXPECT_EQ(stream->ReportLatestOffset().ValueOrDie()->json, "{\"" + topic + R"(":{"0":54,"1":36}})");
  EXPECT_EQ(Batch(*stream, start, end).size(), 10u);
  EXPECT_THAT(stream->Metrics(end), testing::UnorderedElementsAre(testing::Pair("minOffsetsBehindLatest", "32"),
                                                                  testing::Pair("maxOffsetsBehindLatest", "48"),
                                                                  testing::Pair("avgOffsetsBehindLatest", "40.0")));
  // What comes later is not part of the run.
  broker_->Produce(topic, 0, {"late"});
  stream->IgnoreLimits();
  EXPECT_EQ(Latest(*stream, end).json, "{\"" + topic + R"(":{"0":54,"1":36}})");
}

TEST_F(KafkaBrokerTest, MinOffsetsPerTriggerWaits) {
  std::string topic = broker_->CreateTopic(1);
  auto stream = OpenStream({{"subscribe", topic},
                            {"startingOffsets", "earliest"},
                            {"minOffsetsPerTrigger", "3"},
                            {"maxTriggerDelay", "10s"}});
  SourceOffset start = stream->InitialOffset().ValueOrDie();
  EXPECT_EQ(Latest(*stream, start), start);  // the first trigger always goes
  broker_->Produce(topic, 0, {"a"});
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(Latest(*stream, start), start);
  clock_.AdvanceMicros(11'000'000);
  EXPECT_EQ(Batch(*stream, start, Latest(*stream, start)).size(), 1u);
}

TEST_F(KafkaBrokerTest, NewPartitionsAreReadFromTheirBeginning) {
  std::string topic = broker_->CreateTopic(1);
  auto stream = OpenStream({{"subscribe", topic}, {"startingOffsets", "earliest"}});
  SourceOffset start = stream->InitialOffset().ValueOrDie();
  EXPECT_EQ(Latest(*stream, start), start);
  broker_->AddPartitions(topic, 2);
  broker_->Produce(topic, 1, {"n"});
  for (int i = 0; i < 300 && Latest(*stream, start) == start; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  SourceOffset end = Latest(*stream, start);
  EXPECT_EQ(end.json, "{\"" + topic + R"(":{"0":0,"1":1}})");
  EXPECT_THAT(Batch(*stream, start, end), ElementsAre("n"));
}

TEST_F(KafkaBrokerTest, LostPartitionsFailUnlessAllowed) {
  std::string topic = broker_->CreateTopic(1);
  broker_->Produce(topic, 0, {"a"});
  SourceOffset from{"{\"" + topic + R"(":{"0":0,"7":5}})"};
  SourceOffset until{"{\"" + topic + R"(":{"0":1}})"};
  auto strict = OpenStream({{"subscribe", topic}});
  EXPECT_THAT(strict->PlanPartitions(from, until, {.indices = {1}}).status().message(),
              testing::AllOf(HasSubstr("have been deleted."), HasSubstr(topic + "-7")));
  auto lenient = OpenStream({{"subscribe", topic}, {"failOnDataLoss", "false"}});
  EXPECT_THAT(Batch(*lenient, from, until), ElementsAre("a"));
}

TEST_F(KafkaBrokerTest, AgedOutRecordsFailUnlessAllowed) {
  std::string topic = broker_->CreateTopic(1);
  broker_->Produce(topic, 0, {"0", "1", "2", "3"});
  broker_->DeleteRecordsBefore(topic, 0, 2);
  SourceOffset from{"{\"" + topic + R"(":{"0":1}})"};
  SourceOffset until{"{\"" + topic + R"(":{"0":4}})"};
  auto strict = OpenStream({{"subscribe", topic}});
  auto partitions = strict->PlanPartitions(from, until, {.indices = {1}}).ValueOrDie();
  arrow::Status failure;
  Values(partitions, &failure);
  EXPECT_THAT(failure.message(),
              HasSubstr("Could not read records in offset [1, 4) for topic partition " + topic + "-0"));
  auto lenient = OpenStream({{"subscribe", topic}, {"failOnDataLoss", "false"}});
  EXPECT_THAT(Batch(*lenient, from, until), ElementsAre("2", "3"));
}

TEST_F(KafkaBrokerTest, BatchReadsBetweenLimits) {
  std::string topic = broker_->CreateTopic(1);
  broker_->Produce(topic, 0, {"0", "1", "2", "3", "4"}, 1'700'000'000'000);
  auto read = [&](std::vector<std::pair<std::string, std::string>> options) {
    options.push_back({"subscribePattern", topic});
    auto scan = KafkaBatchScan::Open(Request(options)).ValueOrDie();
    return Values(scan->PlanPartitions({.indices = {1}}).ValueOrDie());
  };
  EXPECT_EQ(read({}).size(), 5u);
  EXPECT_EQ(read({{"minPartitions", "3"}}), (std::vector<std::string>{"0", "1", "2", "3", "4"}));
  EXPECT_THAT(read({{"startingTimestamp", "1700000001000"}, {"endingTimestamp", "1700000003000"}}),
              ElementsAre("1", "2"));
  EXPECT_THAT(read({{"startingOffsets", "{\"" + topic + "\":{\"0\":3}}"}}), ElementsAre("3", "4"));

  auto scan =
      KafkaBatchScan::Open(Request({{"subscribe", topic}, {"startingTimestamp", "1800000000000"}})).ValueOrDie();
  EXPECT_EQ(scan->PlanPartitions({.indices = {1}}).status().message(),
            "No offset matched from request of topic-partition " + topic + "-0 and timestamp 1800000000000.");
  scan = KafkaBatchScan::Open(Request({{"subscribe", topic}, {"startingOffsets", "{\"x\":{\"0\":3}}"}})).ValueOrDie();
  EXPECT_THAT(scan->PlanPartitions({.indices = {1}}).status().message(),
              HasSubstr("Specified: Set(x-0) Assigned: Set(" + topic + "-0)"));
  scan = KafkaBatchScan::Open(Request({{"subscribe", "no-such-topic"}})).ValueOrDie();
  EXPECT_THAT(scan->PlanPartitions({.indices = {1}}).status().message(), HasSubstr("no-such-topic"));
}

TEST_F(KafkaBrokerTest, WhatTheSinkWritesTheSourceReads) {
  std::string topic = broker_->CreateTopic(2);
  auto header_type = types::Array(types::Struct({{"key", types::String()}, {"value", types::Binary()}}));
  SinkRequest request;
  request.options.Set("kafka.bootstrap.servers", RealBroker::Bootstrap());
  request.context = &context_;
  request.schema = types::Struct({{"topic", types::String()},
                                  {"value", types::String()},
                                  {"key", types::Binary()},
                                  {"partition", types::Integer()},
                                  {"headers", header_type}});
  arrow::StringBuilder topics, values;
  arrow::BinaryBuilder keys;
  arrow::Int32Builder partitions;
  auto name = std::make_shared<arrow::StringBuilder>();
  auto content = std::make_shared<arrow::BinaryBuilder>();
  auto entry = std::make_shared<arrow::StructBuilder>(
      arrow::struct_({arrow::field("key", arrow::utf8()), arrow::field("value", arrow::binary())}),
      arrow::default_memory_pool(), std::vector<std::shared_ptr<arrow::ArrayBuilder>>{name, content});
  arrow::ListBuilder headers(arrow::default_memory_pool(), entry);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(topics.Append(topic).ok());
    ASSERT_TRUE((i == 2 ? values.AppendNull() : values.Append("v" + std::to_string(i))).ok());
    ASSERT_TRUE(keys.Append("k").ok());
    ASSERT_TRUE(partitions.Append(1).ok());
    if (i == 1) {
      ASSERT_TRUE(headers.Append().ok() && entry->Append().ok() && name->Append("h").ok() && content->Append("x").ok());
    } else {
      ASSERT_TRUE(headers.AppendNull().ok());
    }
  }
  auto batch = arrow::RecordBatch::Make(
      arrow::schema({arrow::field("topic", arrow::utf8()), arrow::field("value", arrow::utf8()),
                     arrow::field("key", arrow::binary()), arrow::field("partition", arrow::int32()),
                     arrow::field("headers", headers.type())}),
      3, {*topics.Finish(), *values.Finish(), *keys.Finish(), *partitions.Finish(), *headers.Finish()});
  auto sink = OpenKafkaStreamSink(request).ValueOrDie();
  auto write = sink->Begin(BatchId(0)).ValueOrDie();
  auto writer = write->OpenWriter(0).ValueOrDie();
  ASSERT_TRUE(writer->Write(batch).ok());
  auto message = writer->Commit();
  ASSERT_TRUE(message.ok()) << message.status().ToString();
  ASSERT_TRUE(write->Commit({*message}).ok());

  auto scan = KafkaBatchScan::Open(Request({{"subscribe", topic}, {"includeHeaders", "true"}})).ValueOrDie();
  auto planned = scan->PlanPartitions({.indices = {0, 1, 2, 3, 4, 5, 6, 7}}).ValueOrDie();
  ASSERT_EQ(planned.size(), 1u);
  auto rows = planned[0]->Open(arrow::default_memory_pool()).ValueOrDie()->Next().ValueOrDie();
  ASSERT_TRUE(rows->ValidateFull().ok());
  auto cell = [&](int column, int64_t row) { return rows->column(column)->GetScalar(row).ValueOrDie()->ToString(); };
  EXPECT_EQ(rows->num_rows(), 3);
  EXPECT_EQ(cell(1, 1), "v1");
  EXPECT_EQ(cell(1, 2), "null");
  EXPECT_EQ(cell(2, 0), topic);
  EXPECT_EQ(cell(3, 0), "1");
  EXPECT_EQ(cell(4, 2), "2");
  EXPECT_EQ(cell(6, 0), "0");
  EXPECT_EQ(cell(7, 0), "null");
  EXPECT_THAT(cell(7, 1), HasSubstr("h"));
}

/// Rows "<task>-<first>" and on, all for partition 0.
std::shared_ptr<arrow::RecordBatch> RowsOfTask(int task, int first, int count) {
  arrow::StringBuilder values;
  arrow::Int32Builder partitions;
  for (int i = first; i < first + count; ++i) {
    EXPECT_TRUE(values.Append(std::to_string(task) + "-" + std::to_string(i)).ok() && partitions.Append(0).ok());
  }
  return arrow::RecordBatch::Make(
      arrow::schema({arrow::field("value", arrow::utf8()), arrow::field("partition", arrow::int32())}), count,
      {*values.Finish(), *partitions.Finish()});
}

// Tasks that begin with many rows get producers of their own, the others share the first.
TEST_F(KafkaBrokerTest, EachTaskKeepsItsOrder) {
  constexpr int kTasks = 5, kRows = 6000;
  const int first_rows[kTasks] = {10, 3000, 3000, 10, 3000};
  std::string topic = broker_->CreateTopic(1);
  SinkRequest request;
  request.options.Set("kafka.bootstrap.servers", RealBroker::Bootstrap());
  request.options.Set("topic", topic);
  request.context = &context_;
  request.schema = types::Struct({{"value", types::String()}, {"partition", types::Integer()}});
  auto sink = OpenKafkaStreamSink(request).ValueOrDie();
  auto write = sink->Begin(BatchId(0)).ValueOrDie();
  std::vector<std::unique_ptr<DataWriter>> writers;
  for (int task = 0; task < kTasks; ++task) {
    writers.push_back(write->OpenWriter(task).ValueOrDie());
    ASSERT_TRUE(writers.back()->Write(RowsOfTask(task, 0, first_rows[task])).ok());
  }
  for (int task = 0; task < kTasks; ++task) {
    ASSERT_TRUE(
        writers[static_cast<size_t>(task)]->Write(RowsOfTask(task, first_rows[task], kRows - first_rows[task])).ok());
  }
  std::vector<WriterCommitMessage> messages;
  for (auto& writer : writers) messages.push_back(writer->Commit().ValueOrDie());
  ASSERT_TRUE(write->Commit(std::move(messages)).ok());

  auto scan = KafkaBatchScan::Open(Request({{"subscribe", topic}})).ValueOrDie();
  int next[kTasks] = {};
  for (const std::string& value : Values(scan->PlanPartitions({.indices = {1}}).ValueOrDie())) {
    int task = value[0] - '0';
    ASSERT_EQ(value, std::to_string(task) + "-" + std::to_string(next[task]));
    ++next[task];
  }
  EXPECT_THAT(next, testing::Each(kRows));
}

}  // namespace
}  // namespace millrace::connector::kafka
