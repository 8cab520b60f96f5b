// Admin, consumer and producer against the mock cluster.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "kafka/admin.h"
#include "kafka/broker_for_test.h"
#include "kafka/consumer.h"
#include "kafka/native_client.h"
#include "kafka/producer.h"

namespace millrace::kafka {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

ClientConfig ConfigFor(ClientRole role, const std::string& bootstrap, std::map<std::string, std::string> more = {}) {
  more["bootstrap.servers"] = bootstrap;
  more.emplace(role == ClientRole::kConsumer ? "default.api.timeout.ms" : "max.block.ms", "5000");
  return TranslateClientConfig(role, more).ValueOrDie();
}

OutgoingRecord Record(const std::string& value, int32_t partition) {
  OutgoingRecord record;
  record.value = reinterpret_cast<const uint8_t*>(value.data());
  record.value_size = static_cast<uint32_t>(value.size());
  record.partition = partition;
  return record;
}

std::string ValueOf(const ConsumedRecord& record) {
  return {reinterpret_cast<const char*>(record.value), record.value_size};
}

/// All values of [from, until).
std::vector<std::string> ReadAll(PartitionReader& reader, int64_t from, int64_t until) {
  EXPECT_TRUE(reader.Seek(from).ok());
  std::vector<std::string> values;
  for (;;) {
    auto read = reader.Read(until, 100, milliseconds(10'000), {});
    EXPECT_TRUE(read.ok()) << read.status().ToString();
    if (!read.ok() || read->loss) return values;
    for (const ConsumedRecord& record : read->records) values.push_back(ValueOf(record));
    if (read->complete) return values;
  }
}

class ClientTest : public testing::Test {
 protected:
  void SetUp() override {
    producer_ = Producer::Open(ConfigFor(ClientRole::kProducer, broker_.bootstrap())).ValueOrDie();
    consumer_ = Consumer::Open(ConfigFor(ClientRole::kConsumer, broker_.bootstrap())).ValueOrDie();
  }

  void Send(int32_t partition, int first, int count) {
    std::vector<std::string> values;
    for (int i = 0; i < count; ++i) values.push_back(std::to_string(first + i));
    std::vector<OutgoingRecord> records;
    for (const std::string& value : values) records.push_back(Record(value, partition));
    ASSERT_TRUE(producer_->Send("t", records).ok());
    ASSERT_TRUE(producer_->Flush().ok());
  }

  MockBroker broker_;
  std::unique_ptr<Producer> producer_;
  std::unique_ptr<Consumer> consumer_;
};

TEST_F(ClientTest, RangesAreReadExactly) {
  Send(1, 0, 3000);
  PartitionReader* reader = consumer_->Reader({"t", 1}).ValueOrDie();
  std::vector<std::string> first = ReadAll(*reader, 0, 1000);
  ASSERT_EQ(first.size(), 1000u);
  EXPECT_EQ(first.front(), "0");
  EXPECT_EQ(first.back(), "999");
  // Continues from what was fetched ahead.
  EXPECT_EQ(ReadAll(*reader, 1000, 3000).size(), 2000u);
  // And goes back when a batch is run again.
  std::vector<std::string> again = ReadAll(*reader, 500, 502);
  EXPECT_THAT(again, testing::ElementsAre("500", "501"));
}

TEST_F(ClientTest, RecordsThatComeLaterAreAnnounced) {
  Send(0, 0, 1);
  std::atomic<int> arrivals{0};
  consumer_->NotifyOnArrival([&] { ++arrivals; });
  PartitionReader* reader = consumer_->Reader({"t", 0}).ValueOrDie();
  ASSERT_EQ(ReadAll(*reader, 0, 1).size(), 1u);
  // Lets the note about the end of the partition come and go.
  std::this_thread::sleep_for(milliseconds(800));
  EXPECT_FALSE(reader->HasFetched());
  arrivals = 0;
  Send(0, 1, 1);
  for (int i = 0; i < 200 && arrivals == 0; ++i) std::this_thread::sleep_for(milliseconds(10));
  EXPECT_GT(arrivals, 0);
  for (int i = 0; i < 200 && !reader->HasFetched(); ++i) std::this_thread::sleep_for(milliseconds(10));
  EXPECT_EQ(reader->KnownEndOffset(), 2);
  EXPECT_THAT(ReadAll(*reader, 1, 2), testing::ElementsAre("1"));
  consumer_->NotifyOnArrival({});  // `arrivals` goes before the consumer
}

TEST_F(ClientTest, AdminTellsPartitionsAndOffsets) {
  Send(0, 0, 5);
  auto admin = Admin::Open(ConfigFor(ClientRole::kConsumer, broker_.bootstrap()), {}).ValueOrDie();
  TopicPartitionSet partitions = admin->ListPartitions({"t"}).ValueOrDie();
  EXPECT_EQ(partitions.size(), 2u);
  PartitionOffsets latest = admin->LatestOffsets(partitions).ValueOrDie();
  EXPECT_EQ((latest[{"t", 0}]), 5);
  EXPECT_EQ((latest[{"t", 1}]), 0);
  EXPECT_THAT(admin->ListTopics().ValueOrDie(), testing::Contains("t"));
}

TEST_F(ClientTest, ReadWithoutAnswerEndsAndNamesTheBroker) {
  PartitionReader* reader = consumer_->Reader({"t", 0}).ValueOrDie();
  ASSERT_TRUE(reader->Seek(0).ok());
  auto read = reader->Read(1, 100, milliseconds(300), {});
  ASSERT_FALSE(read.ok());
  EXPECT_THAT(read.status().message(), HasSubstr("Cannot fetch record for offset 0 of t-0"));
  EXPECT_THAT(read.status().message(), HasSubstr(broker_.bootstrap()));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(reader->Read(1, 100, milliseconds(10'000), stop.get_token()).status().IsCancelled());
}

TEST_F(ClientTest, TooLargeRecordNamesTheSetting) {
  std::string value(2'000'000, 'x');
  OutgoingRecord record = Record(value, 0);
  arrow::Status sent = producer_->Send("t", {&record, 1});
  EXPECT_THAT(sent.message(), HasSubstr("kafka.max.request.size"));
}

TEST_F(ClientTest, UnknownPartitionIsAnError) {
  Send(0, 0, 1);  // the topic's partitions are known from here on
  std::string value = "x";
  OutgoingRecord record = Record(value, 17);
  arrow::Status sent = producer_->Send("t", {&record, 1});
  if (sent.ok()) sent = producer_->Flush();
  EXPECT_FALSE(sent.ok());
}

TEST_F(ClientTest, FailedDeliveryFailsTheFlush) {
  Send(0, 0, 1);
  rd_kafka_mock_push_request_errors(broker_.cluster(), /*Produce*/ 0, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  std::string value = "x";
  OutgoingRecord record = Record(value, 0);
  arrow::Status sent = producer_->Send("t", {&record, 1});
  if (sent.ok()) sent = producer_->Flush();
  EXPECT_THAT(sent.message(), HasSubstr("authorization"));
  EXPECT_FALSE(producer_->Send("t", {&record, 1}).ok());
  ASSERT_TRUE(producer_->Reset().ok());
  ASSERT_TRUE(producer_->Send("t", {&record, 1}).ok());
  EXPECT_TRUE(producer_->Flush().ok());
}

TEST(TransientErrorTest, ABrokerHandleLetGoIsAskedAgain) {
  EXPECT_STREQ(rd_kafka_err2name(kBrokerHandleDestroyed), "_DESTROY_BROKER");
  EXPECT_TRUE(IsTransient(kBrokerHandleDestroyed));
  EXPECT_FALSE(IsTransient(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED));
}

TEST(UnreachableBrokerTest, EveryCallEndsAndNamesIt) {
  // Nothing listens on the discard port.
  const std::string bootstrap = "127.0.0.1:9";
  auto config = ConfigFor(ClientRole::kConsumer, bootstrap, {{"default.api.timeout.ms", "700"}});
  auto admin = Admin::Open(config, {}).ValueOrDie();
  arrow::Status listed = admin->ListPartitions({"t"}).status();
  EXPECT_THAT(listed.message(), testing::AllOf(HasSubstr(bootstrap), HasSubstr("refused")));
  EXPECT_TRUE(IsRetryable(listed));
  EXPECT_THAT(admin->LatestOffsets({{"t", 0}}).status().message(), HasSubstr(bootstrap));

  auto producer = Producer::Open(ConfigFor(ClientRole::kProducer, bootstrap, {{"max.block.ms", "700"}})).ValueOrDie();
  std::string value = "x";
  OutgoingRecord record = Record(value, -1);
  ASSERT_TRUE(producer->Send("t", {&record, 1}).ok());
  EXPECT_THAT(producer->Flush().message(), HasSubstr(bootstrap));
}

}  // namespace
}  // namespace millrace::kafka
