#include "delta/transaction/partition_file_counts.h"

#include <gtest/gtest.h>

namespace millrace::delta {
namespace {

PartitionValues Day(const std::string& day) { return PartitionValues({{"day", day}}); }

Add AddedTo(const PartitionValues& values) {
  Add add;
  add.partition_values = values;
  return add;
}

Remove RemovedFrom(const PartitionValues& values) {
  Remove remove;
  remove.partition_values = values;
  return remove;
}

TEST(PartitionFileCountsTest, PartitionIsDueOnceAndThenWhenItHasEnough) {
  PartitionFileCounts counts;
  std::vector<Action> one = {AddedTo(Day("1"))};
  auto written = counts.Count("table", one);
  ASSERT_EQ(written.size(), 1u);
  EXPECT_EQ(counts.Claim(written, 3).size(), 1u);
  EXPECT_TRUE(counts.Claim(written, 3).empty());  // somebody is at it
  counts.Release(written, /*are_compacted=*/true);
  EXPECT_TRUE(counts.Claim(written, 3).empty());
  counts.Count("table", one);
  EXPECT_TRUE(counts.Claim(written, 3).empty());
  counts.Count("table", one);
  EXPECT_EQ(counts.Claim(written, 3).size(), 1u);
}

TEST(PartitionFileCountsTest, PartitionThatLostItsFilesIsNew) {
  PartitionFileCounts counts;
  std::vector<Action> one = {AddedTo(Day("1")), AddedTo(Day("2"))};
  auto written = counts.Count("table", one);
  EXPECT_EQ(written.size(), 2u);
  counts.Release(counts.Claim(written, 9), /*are_compacted=*/true);
  std::vector<Action> gone = {RemovedFrom(Day("1"))};
  EXPECT_TRUE(counts.Count("table", gone).empty());
  EXPECT_TRUE(counts.Claim(written, 9).empty());
  counts.Count("table", one);
  auto due = counts.Claim(written, 9);
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0], Day("1"));
}

TEST(PartitionFileCountsTest, AnotherTableAtTheSamePathStartsAnew) {
  PartitionFileCounts counts;
  std::vector<Action> one = {AddedTo({})};
  auto written = counts.Count("table", one);
  counts.Release(counts.Claim(written, 9), /*are_compacted=*/true);
  counts.Count("other", one);
  EXPECT_EQ(counts.Claim(written, 9).size(), 1u);
}

}  // namespace
}  // namespace millrace::delta
