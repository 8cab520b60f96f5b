#include "connector/kafka/offset_ranges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace millrace::connector::kafka {
namespace {

const TopicPartition kA{"t", 0};
const TopicPartition kB{"t", 1};
const TopicPartition kC{"t", 2};

TEST(OrderOfTasksTest, IsThatOfScalaMaps) {
  // Real Spark, by the rows of its first task.
  auto first = [](const std::string& topic) {
    return OrderOfTasks({{{topic, 0}, 1}, {{topic, 1}, 1}}).front().partition;
  };
  for (const char* topic : {"rides", "olist.publicx", "kafka-topic"}) EXPECT_EQ(first(topic), 0) << topic;
  for (const char* topic : {"transactions", "numbers", "test_topic", "traffic_sensor"})
    EXPECT_EQ(first(topic), 1) << topic;
  PartitionOffsets wide;
  for (int32_t i = 0; i < 7; ++i) wide[{"wide.a", i}] = 1;
  std::vector<int32_t> numbers;
  for (const TopicPartition& one : OrderOfTasks(wide)) numbers.push_back(one.partition);
  EXPECT_THAT(numbers, testing::ElementsAre(3, 4, 5, 0, 2, 1, 6));
}

TEST(LimitOffsetsTest, SharesAreProportional) {
  // Real Spark: 10 of 54 and 36 gives 6 and 4, batch after batch (golden/003).
  PartitionOffsets from{{kA, 0}, {kB, 0}};
  const PartitionOffsets until{{kA, 54}, {kB, 36}};
  for (int batch = 1; batch <= 9; ++batch) {
    from = LimitOffsets(10, from, until);
    EXPECT_EQ(from, (PartitionOffsets{{kA, 6 * batch}, {kB, 4 * batch}}));
  }
  EXPECT_EQ(LimitOffsets(10, from, until), until);
}

TEST(LimitOffsetsTest, SmallPartitionsAreNotStarved) {
  EXPECT_EQ(LimitOffsets(10, {{kA, 0}, {kB, 100}}, {{kA, 1000}, {kB, 101}}), (PartitionOffsets{{kA, 9}, {kB, 101}}));
  EXPECT_EQ(LimitOffsets(1, {{kA, 0}, {kB, 0}}, {{kA, 5}, {kB, 5}}), (PartitionOffsets{{kA, 1}, {kB, 1}}));
}

TEST(LimitOffsetsTest, NothingNewIsTheEnd) {
  EXPECT_EQ(LimitOffsets(10, {{kA, 5}}, {{kA, 5}}), (PartitionOffsets{{kA, 5}}));
  // A partition that went back, or that has no start, is left to the checks that follow.
  EXPECT_EQ(LimitOffsets(2, {{kA, 5}, {kC, 0}}, {{kA, 3}, {kB, 7}, {kC, 4}}),
            (PartitionOffsets{{kA, 3}, {kB, 7}, {kC, 2}}));
}

TEST(LimitOffsetsTest, HugeLimitsDoNotOverflow) {
  const int64_t max = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(LimitOffsets(max, {{kA, 10}}, {{kA, 20}}), (PartitionOffsets{{kA, 20}}));
}

TEST(SplitRangesTest, EmptyRangesAreDropped) {
  EXPECT_EQ(SplitRanges({{kA, 0, 5}, {kB, 3, 3}, {kC, 4, 2}}, std::nullopt, std::nullopt),
            (std::vector<OffsetRange>{{kA, 0, 5}}));
}

TEST(SplitRangesTest, MinPartitionsCutsTheLargeOnes) {
  EXPECT_EQ(SplitRanges({{kA, 0, 10}}, 3, std::nullopt),
            (std::vector<OffsetRange>{{kA, 0, 3}, {kA, 3, 6}, {kA, 6, 10}}));
  EXPECT_EQ(SplitRanges({{kA, 0, 1}, {kB, 0, 21}}, 4, std::nullopt),
            (std::vector<OffsetRange>{{kA, 0, 1}, {kB, 0, 7}, {kB, 7, 14}, {kB, 14, 21}}));
  EXPECT_EQ(SplitRanges({{kA, 0, 1}, {kB, 0, 1}}, 2, std::nullopt).size(), 2u);
  // Fewer records than wanted partitions.
  EXPECT_EQ(SplitRanges({{kA, 0, 2}}, 5, std::nullopt).size(), 2u);
}

TEST(SplitRangesTest, MaxRecordsPerPartition) {
  EXPECT_EQ(SplitRanges({{kA, 0, 10}, {kB, 0, 4}}, std::nullopt, 4),
            (std::vector<OffsetRange>{{kA, 0, 3}, {kA, 3, 6}, {kA, 6, 10}, {kB, 0, 4}}));
  EXPECT_EQ(SplitRanges({{kA, 0, 10}}, 4, 5).size(), 4u);
}

}  // namespace
}  // namespace millrace::connector::kafka
