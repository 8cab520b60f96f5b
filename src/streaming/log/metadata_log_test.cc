#include "streaming/log/metadata_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/fault_injection_file_system.h"

namespace millrace::streaming {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class MetadataLogTest : public ::testing::Test {
 protected:
  MetadataLogTest() {
    directory_ =
        ::testing::TempDir() + "metadata_log_" + ::testing::UnitTest::GetInstance()->current_test_info()->name();
    (void)LocalFileSystem()->RemoveTree(directory_);
  }
  ~MetadataLogTest() override { (void)LocalFileSystem()->RemoveTree(directory_); }

  MetadataLog Open() { return {&files_, JoinPath(directory_, "offsets"), Durability::kMachine}; }
  std::vector<int64_t> Ids(const MetadataLog& log) {
    std::vector<int64_t> ids;
    for (BatchId id : *log.Ids()) ids.push_back(id.value);
    return ids;
  }
  void Put(const std::string& name, const std::string& text) {
    ASSERT_TRUE(files_.CreateDirectories(JoinPath(directory_, "offsets")).ok());
    ASSERT_TRUE(*WriteFileIfAbsent(files_, JoinPath(directory_, "offsets/" + name), text, Durability::kProcess));
  }

  std::string directory_;
  FaultInjectionFileSystem files_{LocalFileSystem()};
};

TEST_F(MetadataLogTest, NoDirectoryIsAnEmptyLog) {
  MetadataLog log = Open();
  EXPECT_THAT(Ids(log), IsEmpty());
  EXPECT_EQ(*log.LatestId(), std::nullopt);
  EXPECT_EQ(*log.Get(BatchId(0)), std::nullopt);
}

TEST_F(MetadataLogTest, EntriesAreFoundByNumberNotByText) {
  MetadataLog log = Open();
  for (int64_t id : {0, 1, 2, 9, 10}) ASSERT_TRUE(log.Add(BatchId(id), "text " + std::to_string(id)).ok());
  EXPECT_THAT(Ids(Open()), ElementsAre(0, 1, 2, 9, 10));
  EXPECT_EQ((*Open().LatestId())->value, 10);
  EXPECT_EQ(*Open().Get(BatchId(9)), "text 9");
}

TEST_F(MetadataLogTest, ForeignNamesAreIgnored) {
  Put("3", "x");
  Put(".4.4e0c.tmp", "half");
  Put("5.tmp", "half");
  Put(".6.crc", "crc");
  Put("-7", "x");
  Put("eight", "x");
  EXPECT_THAT(Ids(Open()), ElementsAre(3));
}

TEST_F(MetadataLogTest, SecondWriterOfAnEntryIsRefused) {
  MetadataLog first = Open();
  MetadataLog second = Open();
  ASSERT_TRUE(first.Add(BatchId(0), "first").ok());
  arrow::Status status = second.Add(BatchId(0), "second");
  EXPECT_TRUE(IsErrorCondition(status, "CONCURRENT_STREAM_LOG_UPDATE")) << status.ToString();
  EXPECT_THAT(status.message(), HasSubstr("Multiple streaming jobs detected for 0"));
  EXPECT_EQ(*first.Get(BatchId(0)), "first");
}

TEST_F(MetadataLogTest, PurgeKeepsFromTheThresholdOn) {
  MetadataLog log = Open();
  for (int64_t id = 0; id < 10; ++id) ASSERT_TRUE(log.Add(BatchId(id), "x").ok());
  ASSERT_TRUE(log.Purge(BatchId(0)).ok());
  ASSERT_TRUE(log.Purge(BatchId(-3)).ok());
  EXPECT_EQ(Ids(log).size(), 10u);
  ASSERT_TRUE(log.Purge(BatchId(4)).ok());
  EXPECT_THAT(Ids(log), ElementsAre(4, 5, 6, 7, 8, 9));
  ASSERT_TRUE(log.Purge(BatchId(5)).ok());
  ASSERT_TRUE(log.Purge(BatchId(6)).ok());
  EXPECT_THAT(Ids(log), ElementsAre(6, 7, 8, 9));
}

TEST_F(MetadataLogTest, AnAddedEntrySurvivesPowerLoss) {
  MetadataLog log = Open();
  ASSERT_TRUE(log.Add(BatchId(0), "kept").ok());
  files_.DropUnsynced();
  EXPECT_EQ(*Open().Get(BatchId(0)), "kept");
}

TEST_F(MetadataLogTest, WhicheverCallFailsAnEntryIsWholeOrNotThere) {
  for (int nth = 1; nth <= 8; ++nth) {
    BatchId id(nth);
    files_.FailNth(nth);
    arrow::Status status = Open().Add(id, "whole");
    files_.DropUnsynced();
    auto text = *Open().Get(id);
    if (status.ok()) {
      EXPECT_EQ(text, "whole");
    }
    EXPECT_TRUE(!text || *text == "whole") << nth << ": " << *text;
  }
  files_.SetReadOnly(true);
  EXPECT_THAT(Open().Add(BatchId(99), "x").message(), HasSubstr("Read-only file system"));
  files_.SetReadOnly(false);
  files_.SetFreeBytes(2);
  EXPECT_THAT(Open().Add(BatchId(99), "four").message(), HasSubstr("No space left on device"));
  EXPECT_EQ(*Open().Get(BatchId(99)), std::nullopt);
}

}  // namespace
}  // namespace millrace::streaming
