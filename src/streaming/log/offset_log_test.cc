#include "streaming/log/offset_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json_value.h"
#include "streaming/log/commit_log.h"

namespace millrace::streaming {
namespace {

using ::testing::HasSubstr;

OffsetEntry Example() {
  OffsetEntry entry;
  entry.watermark_ms = 5000;
  entry.timestamp_ms = 1795191724188;
  entry.conf = {{"spark.sql.shuffle.partitions", "200"}};
  entry.offsets = {connector::SourceOffset{"{\"t\":{\"0\":23}}"}, std::nullopt, connector::SourceOffset{"7"}};
  return entry;
}

TEST(OffsetLogTest, TextIsSparks) {
  EXPECT_EQ(EncodeOffsetEntry(Example()),
            "v1\n{\"batchWatermarkMs\":5000,\"batchTimestampMs\":1795191724188,\"conf\":"
            "{\"spark.sql.shuffle.partitions\":\"200\"}}\n{\"t\":{\"0\":23}}\n-\n7");
}

TEST(OffsetLogTest, ReadsBackWhatItWrites) {
  OffsetEntry entry = *DecodeOffsetEntry(EncodeOffsetEntry(Example()), "offsets/0");
  EXPECT_EQ(entry.watermark_ms, 5000);
  EXPECT_EQ(entry.timestamp_ms, 1795191724188);
  EXPECT_EQ(entry.conf, Example().conf);
  EXPECT_EQ(entry.offsets, Example().offsets);
}

TEST(OffsetLogTest, ReadsWhatOldSparkWrote) {
  OffsetEntry without_conf = *DecodeOffsetEntry("v1\n{\"batchWatermarkMs\":0,\"batchTimestampMs\":7}\n12", "offsets/0");
  EXPECT_TRUE(without_conf.conf.empty());
  OffsetEntry without_metadata = *DecodeOffsetEntry("v1\n\n12\n-", "offsets/0");
  EXPECT_EQ(without_metadata.timestamp_ms, 0);
  ASSERT_EQ(without_metadata.offsets.size(), 2u);
  EXPECT_EQ(without_metadata.offsets[0]->json, "12");
  EXPECT_EQ(without_metadata.offsets[1], std::nullopt);
}

TEST(OffsetLogTest, DamageNamesTheFile) {
  struct Case {
    std::string text;
    std::string message;
  };
  std::string whole = EncodeOffsetEntry(Example());
  for (const Case& c : std::vector<Case>{
           {"", "Failed to read log file file:cp/offsets/3. Incomplete log file"},
           {"1\n{}\n0", "[MALFORMED_LOG_FILE] Log file was malformed: failed to read correct log version from 1."},
           {"v\n{}\n0", "failed to read correct log version from v."},
           {"v0\n{}\n0", "failed to read correct log version from v0."},
           {"vx1\n{}\n0", "failed to read correct log version from vx1."},
           {"v99\n{}\n0", "The maximum supported log version is v2, but encountered v99."},
           {"v1", "holds no offsets"},
           {"v1\n{\"batch", "second line is not a JSON object"},
           {"v1\n{}\n{\"t\":{\"0\":2", "an offset is not JSON"},
           {whole.substr(0, whole.size() / 2), "cp/offsets/3"}}) {
    arrow::Status status = DecodeOffsetEntry(c.text, "cp/offsets/3").status();
    ASSERT_FALSE(status.ok()) << c.text;
    EXPECT_THAT(status.message(), HasSubstr(c.message)) << c.text;
    EXPECT_THAT(status.message(), HasSubstr("cp/offsets/3")) << c.text;
  }
}

// The text is real Spark 4.2's, but for the settings.
TEST(OffsetLogTest, VersionTwoNamesSourcesByTheirPlace) {
  std::string text =
      "v2\n{\"batchWatermarkMs\":0,\"batchTimestampMs\":1796088092963,\"conf\":{},\"sourceMetadataInfo\":{}}\n"
      "0:{\"logOffset\":0}";
  OffsetEntry entry = *DecodeOffsetEntry(text, "offsets/0");
  EXPECT_EQ(entry.version, 2);
  EXPECT_EQ(entry.timestamp_ms, 1796088092963);
  ASSERT_EQ(entry.offsets.size(), 1u);
  EXPECT_EQ(entry.offsets[0]->json, "{\"logOffset\":0}");
  entry.offsets.resize(2);
  EXPECT_EQ(EncodeOffsetEntry(entry), text);
  // Many sources come in the order of a hash map.
  EXPECT_EQ((*DecodeOffsetEntry("v2\n{}\n1:7\n0:3", "offsets/0")).offsets[1]->json, "7");
  EXPECT_TRUE(IsErrorCondition(DecodeOffsetEntry("v2\n{}\nvisits:1", "offsets/0").status(), "UNSUPPORTED_CALL"));
}

TEST(OffsetLogTest, CarriesSparksFifteenSettings) { EXPECT_EQ(CheckpointedConfs().size(), 15u); }

TEST(CommitLogTest, TextIsSparks) {
  EXPECT_EQ(EncodeCommitEntry({.next_watermark_ms = 0}), "v1\n{\"nextBatchWatermarkMs\":0}");
  EXPECT_EQ(DecodeCommitEntry("v1\n{\"nextBatchWatermarkMs\":1234}", "commits/0")->next_watermark_ms, 1234);
  // Spark 2.
  EXPECT_EQ(DecodeCommitEntry("v1\n{}", "commits/0")->next_watermark_ms, 0);
}

TEST(CommitLogTest, DamageNamesTheFile) {
  for (const char* text : {"", "v1\n{\"nextBatchWater", "v9\n{}", "{}", "v1\n[]"}) {
    arrow::Status status = DecodeCommitEntry(text, "cp/commits/7").status();
    ASSERT_FALSE(status.ok()) << text;
    EXPECT_THAT(status.message(), HasSubstr("cp/commits/7"));
  }
  EXPECT_EQ((*DecodeCommitEntry("v1", "cp/commits/7")).next_watermark_ms, 0);
}

}  // namespace
}  // namespace millrace::streaming
