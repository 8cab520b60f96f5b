#include "delta/log/log_paths.h"

#include <gtest/gtest.h>

namespace millrace::delta {
namespace {

TEST(LogPathsTest, NamesReadBackAsWhatTheyWereMadeOf) {
  TableVersion v(12);
  EXPECT_EQ(CommitFileName(v), "00000000000000000012.json");
  EXPECT_EQ(ParseLogFileName(CommitFileName(v))->version, v);
  EXPECT_EQ(ParseLogFileName(ChecksumFileName(v))->kind, LogFileKind::kChecksum);
  EXPECT_EQ(ParseLogFileName(ClassicCheckpointFileName(v))->kind, LogFileKind::kClassicCheckpoint);
  auto part = ParseLogFileName(MultiPartCheckpointFileName(v, 2, 3));
  EXPECT_EQ(part->kind, LogFileKind::kMultiPartCheckpoint);
  EXPECT_EQ(part->part, 2);
  EXPECT_EQ(part->num_parts, 3);
  auto v2 = ParseLogFileName(V2CheckpointFileName(v, "3a0d65cd-4056-49b8-937b-95f9e3ee90e5", "json"));
  EXPECT_EQ(v2->kind, LogFileKind::kV2Checkpoint);
  EXPECT_TRUE(v2->is_json);
  auto compacted = ParseLogFileName(CompactedFileName(TableVersion(4), TableVersion(9)));
  EXPECT_EQ(compacted->kind, LogFileKind::kCompacted);
  EXPECT_EQ(compacted->version, TableVersion(4));
  EXPECT_EQ(compacted->last_version, TableVersion(9));
}

TEST(LogPathsTest, OtherNamesAreNotOurs) {
  for (const char* name :
       {"_last_checkpoint", "1.json", "00000000000000000012.json.tmp", ".00000000000000000012.json.crc",
        "00000000000000000012.checkpoint.2.json", "0000000000000000001a.json",
        "00000000000000000012.checkpoint.0000000004.0000000003.parquet", "99999999999999999999.json"}) {
    EXPECT_EQ(ParseLogFileName(name), std::nullopt) << name;
  }
}

TEST(LogPathsTest, PathsOfActionsAreUris) {
  EXPECT_EQ(DataFilePath("/t", "a=1/part%20one.parquet"), "/t/a=1/part one.parquet");
  EXPECT_EQ(DataFilePath("/t", "a=x%253Ay/p.parquet"), "/t/a=x%3Ay/p.parquet");
  EXPECT_EQ(DataFilePath("/t", "file:///else/p%25.parquet"), "/else/p%.parquet");
  EXPECT_EQ(DataFilePath("/t", "file:/else/p.parquet"), "/else/p.parquet");
  EXPECT_EQ(DataFilePath("/t", "s3://bucket/p.parquet"), "s3://bucket/p.parquet");
  EXPECT_EQ(DataFilePath("/t", EncodeDataPath("d=a b%:ü/p.parquet")), "/t/d=a b%:ü/p.parquet");
}

}  // namespace
}  // namespace millrace::delta
