#include "streaming/log/commit_log.h"

#include <gtest/gtest.h>

namespace millrace::streaming {
namespace {

TEST(CommitEntryTest, VersionOneHasNoIds) {
  EXPECT_EQ(EncodeCommitEntry({5000}), "v1\n{\"nextBatchWatermarkMs\":5000}");
  auto entry = DecodeCommitEntry("v1\n{\"nextBatchWatermarkMs\":5000}", "commits/0").ValueOrDie();
  EXPECT_EQ(entry.next_watermark_ms, 5000);
  EXPECT_FALSE(entry.state_ids.has_value());
}

// As Spark writes it with checkpointFormatVersion 2: operator → partition → store.
TEST(CommitEntryTest, VersionTwoTellsTheIdsOfState) {
  const std::string text =
      "v2\n{\"nextBatchWatermarkMs\":7,\"stateUniqueIds\":{\"0\":[[\"a\"],[\"b\"]],\"10\":[[\"c\",\"d\",\"e\",\"f\"]]}"
      "}";
  auto entry = DecodeCommitEntry(text, "commits/3").ValueOrDie();
  ASSERT_TRUE(entry.state_ids.has_value());
  EXPECT_EQ(state::StateIdOf(*entry.state_ids, 0, 1, 0), "b");
  EXPECT_EQ(state::StateIdOf(*entry.state_ids, 10, 0, 3), "f");
  EXPECT_EQ(state::StateIdOf(*entry.state_ids, 10, 1, 0), "");
  EXPECT_EQ(state::StateIdOf(*entry.state_ids, 3, 0, 0), "");
  EXPECT_EQ(EncodeCommitEntry(entry), text);
}

TEST(CommitEntryTest, AQueryWithoutStateHasNone) {
  CommitEntry entry{0, state::StateIds()};
  EXPECT_EQ(EncodeCommitEntry(entry), "v2\n{\"nextBatchWatermarkMs\":0,\"stateUniqueIds\":{}}");
  EXPECT_FALSE(DecodeCommitEntry("v2\n{\"stateUniqueIds\":{\"0\":7}}", "commits/0").ValueOrDie().state_ids->empty());
}

}  // namespace
}  // namespace millrace::streaming
