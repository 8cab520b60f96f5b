// What only a real broker shows. Skipped unless KAFKA_BOOTSTRAP names one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kafka/admin.h"
#include "kafka/broker_for_test.h"
#include "kafka/consumer.h"
#include "kafka/producer.h"

namespace millrace::kafka {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

class BrokerTest : public testing::Test {
 protected:
  void SetUp() override {
    if (RealBroker::Bootstrap() == nullptr) GTEST_SKIP() << "KAFKA_BOOTSTRAP is not set";
    broker_ = std::make_unique<RealBroker>();
    admin_ = Admin::Open(Config(ClientRole::kConsumer), {}).ValueOrDie();
    consumer_ = Consumer::Open(Config(ClientRole::kConsumer)).ValueOrDie();
  }

  static ClientConfig Config(ClientRole role, std::map<std::string, std::string> more = {}) {
    more["bootstrap.servers"] = RealBroker::Bootstrap();
    return TranslateClientConfig(role, more).ValueOrDie();
  }

  struct Outcome {
    std::vector<std::string> values;
    std::optional<RangeLoss> loss;
  };
  static Outcome Read(Consumer& consumer, const TopicPartition& partition, int64_t from, int64_t until) {
    PartitionReader* reader = consumer.Reader(partition).ValueOrDie();
    EXPECT_TRUE(reader->Seek(from).ok());
    Outcome outcome;
    for (;;) {
      auto read = reader->Read(until, 100, milliseconds(10'000), {});
      EXPECT_TRUE(read.ok()) << read.status().ToString();
      if (!read.ok()) return outcome;
      for (const ConsumedRecord& record : read->records) {
        outcome.values.emplace_back(reinterpret_cast<const char*>(record.value), record.value_size);
      }
      if (read->loss) outcome.loss = read->loss;
      if (read->loss || read->complete) return outcome;
    }
  }

  std::unique_ptr<RealBroker> broker_;
  std::unique_ptr<Admin> admin_;
  std::unique_ptr<Consumer> consumer_;
};

TEST_F(BrokerTest, RangesEndInTransactionMarkers) {
  std::string topic = broker_->CreateTopic(1);
  broker_->ProduceInTransaction(topic, 0, {"a", "b"}, /*commit=*/true);  // 0 1, marker 2
  broker_->ProduceInTransaction(topic, 0, {"c"}, /*commit=*/false);      // 3, marker 4
  // A marker is written soon after the client hears that the transaction has ended.
  int64_t latest = 0;
  for (int i = 0; i < 100 && latest < 5; ++i) {
    latest = admin_->LatestOffsets({{topic, 0}}).ValueOrDie()[{topic, 0}];
  }
  ASSERT_EQ(latest, 5);
  EXPECT_THAT(Read(*consumer_, {topic, 0}, 0, 5).values, ElementsAre("a", "b", "c"));
  EXPECT_THAT(Read(*consumer_, {topic, 0}, 0, 3).values, ElementsAre("a", "b"));
  EXPECT_THAT(Read(*consumer_, {topic, 0}, 2, 3).values, ElementsAre());

  auto committed = Consumer::Open(Config(ClientRole::kConsumer, {{"isolation.level", "read_committed"}})).ValueOrDie();
  EXPECT_THAT(Read(*committed, {topic, 0}, 0, 5).values, ElementsAre("a", "b"));
}

TEST_F(BrokerTest, EndedTransactionsAreBeforeTheEndWhenReadCommitted) {
  std::string topic = broker_->CreateTopic(1);
  broker_->Produce(topic, 0, {"a"});
  auto admin = Admin::Open(Config(ClientRole::kConsumer, {{"isolation.level", "read_committed"}}), {}).ValueOrDie();
  broker_->ProduceInTransaction(topic, 0, {"b"}, /*commit=*/true);
  int64_t latest = 0;
  for (int i = 0; i < 100 && latest < 3; ++i) {
    latest = admin->LatestOffsets({{topic, 0}}).ValueOrDie()[{topic, 0}];
  }
  EXPECT_EQ(latest, 3);
}

TEST_F(BrokerTest, AgedOutOffsetsAreAValue) {
  std::string topic = broker_->CreateTopic(1);
  broker_->Produce(topic, 0, {"0", "1", "2", "3", "4"});
  broker_->DeleteRecordsBefore(topic, 0, 3);
  EXPECT_EQ((admin_->EarliestOffsets({{topic, 0}}).ValueOrDie()[{topic, 0}]), 3);
  Outcome outcome = Read(*consumer_, {topic, 0}, 1, 5);
  ASSERT_TRUE(outcome.loss.has_value());
  EXPECT_EQ(outcome.loss->kind, RangeLoss::Kind::kOffsetOutOfRange);
  EXPECT_EQ(outcome.loss->offset, 1);
  EXPECT_THAT(Read(*consumer_, {topic, 0}, 3, 5).values, ElementsAre("3", "4"));
}

TEST_F(BrokerTest, ADeletedTopicIsAValue) {
  std::string topic = broker_->CreateTopic(1);
  broker_->Produce(topic, 0, {"0", "1"});
  EXPECT_THAT(Read(*consumer_, {topic, 0}, 0, 1).values, ElementsAre("0"));
  broker_->DeleteTopic(topic);
  Outcome outcome = Read(*consumer_, {topic, 0}, 0, 2);
  ASSERT_TRUE(outcome.loss.has_value());
  EXPECT_EQ(outcome.loss->kind, RangeLoss::Kind::kPartitionGone);
  EXPECT_TRUE(admin_->ListPartitions({topic}).status().IsKeyError());
}

TEST_F(BrokerTest, OffsetsByTimestamp) {
  std::string topic = broker_->CreateTopic(2);
  broker_->Produce(topic, 0, {"a", "b", "c"}, 1'700'000'000'000);
  auto found = admin_->OffsetsForTimestamps({{{topic, 0}, 1'700'000'000'500}, {{topic, 1}, 1'700'000'000'500}});
  ASSERT_TRUE(found.ok()) << found.status().ToString();
  EXPECT_EQ((found->at({topic, 0})), 1);
  EXPECT_EQ((found->at({topic, 1})), std::nullopt);
}

TEST_F(BrokerTest, TenMegabyteRecords) {
  std::string topic = broker_->CreateTopic(1, {{"max.message.bytes", "12000000"}});
  auto producer = Producer::Open(Config(ClientRole::kProducer, {{"max.request.size", "11000000"}})).ValueOrDie();
  std::string value(10 << 20, 'x');
  OutgoingRecord record;
  record.value = reinterpret_cast<const uint8_t*>(value.data());
  record.value_size = static_cast<uint32_t>(value.size());
  ASSERT_TRUE(producer->Send(topic, {&record, 1}).ok());
  arrow::Status flushed = producer->Flush();
  ASSERT_TRUE(flushed.ok()) << flushed.ToString();
  EXPECT_THAT(Read(*consumer_, {topic, 0}, 0, 1).values, ElementsAre(value));

  // The broker's own limit is told in the broker's words.
  std::string small = broker_->CreateTopic(1);
  ASSERT_TRUE(producer->Send(small, {&record, 1}).ok());
  EXPECT_THAT(producer->Flush().message(), HasSubstr("too large"));
}

TEST_F(BrokerTest, KeysHeadersAndNulls) {
  std::string topic = broker_->CreateTopic(1);
  auto producer = Producer::Open(Config(ClientRole::kProducer)).ValueOrDie();
  const uint8_t bytes[] = {'k', 'v'};
  RecordHeader headers[] = {{"h", bytes, 1}, {"h", nullptr, 0}};
  OutgoingRecord records[3];
  records[0].key = bytes;
  records[0].key_size = 1;
  records[1].value = bytes;  // empty, not null
  records[2].value = bytes + 1;
  records[2].value_size = 1;
  records[2].headers = headers;
  ASSERT_TRUE(producer->Send(topic, records).ok());
  ASSERT_TRUE(producer->Flush().ok());

  PartitionReader* reader = consumer_->Reader({topic, 0}).ValueOrDie();
  ASSERT_TRUE(reader->Seek(0).ok());
  std::vector<std::string> seen;
  std::vector<RecordHeader> read_headers;
  for (bool complete = false; !complete;) {
    auto read = reader->Read(3, 1, milliseconds(10'000), {});
    ASSERT_TRUE(read.ok()) << read.status().ToString();
    complete = read->complete;
    for (const ConsumedRecord& record : read->records) {
      ReadHeaders(record, &read_headers);
      seen.push_back(fmt::format("{}{} {} {}", record.key == nullptr ? "-" : "k", record.value == nullptr ? "-" : "v",
                                 record.value_size, read_headers.size()));
      EXPECT_EQ(record.timestamp_type, TimestampType::kCreateTime);
      EXPECT_GT(record.timestamp_ms, 1'600'000'000'000);
    }
  }
  EXPECT_THAT(seen, ElementsAre("k- 0 0", "-v 0 0", "-v 1 2"));
  EXPECT_EQ(read_headers[0].name, "h");
  EXPECT_EQ(read_headers[1].value, nullptr);
}

}  // namespace
}  // namespace millrace::kafka
