#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/fault_injection_file_system.h"
#include "connector/file/compactible_log.h"
#include "connector/file/sink_log_entry.h"

namespace millrace::connector::file {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kSpark = "tests/data/spark-checkpoint/file-to-file/";

class CompactibleLogTest : public ::testing::Test {
 protected:
  CompactibleLogTest() {
    directory_ = ::testing::TempDir() + "file_log_" + ::testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(directory_);
  }
  ~CompactibleLogTest() override { fs::remove_all(directory_); }

  CompactibleLog Open(int64_t interval, int64_t retain = 100) {
    return {&files_,
            &clock_,
            {.directory = directory_ + "/log",
             .compact_interval = interval,
             .min_batches_to_retain = retain,
             .cleanup_delay_ms = 0}};
  }
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory_ + "/log")) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }
  static std::string Line(int64_t i) { return "{\"n\":" + std::to_string(i) + "}"; }

  std::string directory_;
  // Later than any file's time, so that old files are old enough.
  ManualClock clock_{4102444800000000};
  FaultInjectionFileSystem files_{LocalFileSystem()};
};

TEST_F(CompactibleLogTest, EveryIntervalHoldsAllLines) {
  CompactibleLog log = Open(3);
  EXPECT_EQ(*log.LatestId(), std::nullopt);
  for (int64_t i = 0; i < 7; ++i) ASSERT_TRUE(log.Add(i, {Line(i)}).ok());
  EXPECT_THAT(Names(), ElementsAre("0", "1", "2.compact", "3", "4", "5.compact", "6"));
  EXPECT_EQ(*files_.ReadFile(directory_ + "/log/2.compact"), "v1\n{\"n\":0}\n{\"n\":1}\n{\"n\":2}");
  EXPECT_EQ(log.AllLines()->size(), 7u);
  // An old log keeps its interval whatever is asked for.
  EXPECT_EQ(Open(10).AllLines()->size(), 7u);
  EXPECT_EQ(*Open(10).LatestId(), 6);
}

TEST_F(CompactibleLogTest, ExpiredFilesAreDeleted) {
  CompactibleLog log = Open(2, /*retain=*/2);
  for (int64_t i = 0; i < 8; ++i) ASSERT_TRUE(log.Add(i, {Line(i)}).ok());
  EXPECT_THAT(Names(), ElementsAre("5.compact", "6", "7.compact"));
  EXPECT_EQ(Open(2).AllLines()->size(), 8u);
}

TEST_F(CompactibleLogTest, SecondWriterIsRefused) {
  CompactibleLog first = Open(3);
  CompactibleLog second = Open(3);
  ASSERT_TRUE(first.Add(0, {}).ok());
  EXPECT_TRUE(IsErrorCondition(second.Add(0, {}), "CONCURRENT_STREAM_LOG_UPDATE"));
}

TEST_F(CompactibleLogTest, DamageNamesTheFile) {
  CompactibleLog log = Open(3);
  ASSERT_TRUE(log.Add(0, {Line(0)}).ok());
  ASSERT_TRUE(log.Add(1, {Line(1)}).ok());
  for (const char* text : {"", "v2\n{}", "v1\n{\"n\"", "{}"}) {
    fs::remove(directory_ + "/log/1");
    ASSERT_TRUE(*WriteFileIfAbsent(files_, directory_ + "/log/1", text, Durability::kProcess));
    EXPECT_THAT(Open(3).AllLines().status().message(), HasSubstr(directory_ + "/log/1")) << text;
  }
  fs::remove(directory_ + "/log/1");
  ASSERT_TRUE(log.Add(1, {}).ok());
  fs::remove(directory_ + "/log/0");
  EXPECT_THAT(Open(3).AllLines().status().message(), HasSubstr("/log/0 doesn't exist"));
}

TEST_F(CompactibleLogTest, EntriesSurvivePowerLoss) {
  for (int nth = 1; nth <= 9; ++nth) {
    CompactibleLog log = Open(2);
    files_.FailNth(nth);
    bool added = log.Add(nth - 1, {Line(nth)}).ok();
    files_.DropUnsynced();
    if (!added && *Open(2).LatestId() != nth - 1) {
      ASSERT_TRUE(Open(2).Add(nth - 1, {Line(nth)}).ok());
    }
    EXPECT_EQ(Open(2).AllLines()->size(), static_cast<size_t>(nth));
  }
}

TEST(CompactIntervalTest, DividesWhatIsThere) {
  EXPECT_EQ(DeriveCompactInterval(5, 2), 3);
  EXPECT_EQ(DeriveCompactInterval(5, 11), 6);
  EXPECT_EQ(DeriveCompactInterval(10, 9), 10);
  EXPECT_EQ(DeriveCompactInterval(10, 19), 10);
  EXPECT_EQ(DeriveCompactInterval(7, 11), 12);
  EXPECT_EQ(DeriveCompactInterval(5, 6), 7);
}

TEST(SparkFileLogTest, SourceLogIsRead) {
  SystemClock clock;
  CompactibleLog log(LocalFileSystem(), &clock, {.directory = std::string(kSpark) + "checkpoint/sources/0"});
  EXPECT_EQ(*log.LatestId(), 11);
  std::vector<std::string> lines = *log.AllLines();
  ASSERT_EQ(lines.size(), 12u);
  EXPECT_EQ(lines[0],
            "{\"path\":\"file:///data/stream/file-to-file/in/visits%20000.json\",\"timestamp\":1704067200000,"
            "\"batchId\":0}");
}

TEST(SparkFileLogTest, SinkLogIsReadAndWrittenAlike) {
  std::string output = std::string(kSpark) + "output";
  EXPECT_TRUE(*HasSinkLog(*LocalFileSystem(), output));
  std::vector<SinkLogEntry> entries = *ReadSinkLog(LocalFileSystem(), output);
  EXPECT_EQ(entries.size(), 12u);
  SystemClock clock;
  CompactibleLog log(LocalFileSystem(), &clock, {.directory = output + "/_spark_metadata"});
  std::vector<std::string> lines = *log.AllLines();
  for (size_t i = 0; i < entries.size(); ++i) EXPECT_EQ(EncodeSinkLogEntry(entries[i]), lines[i]);
  EXPECT_FALSE(*HasSinkLog(*LocalFileSystem(), kSpark));
}

}  // namespace
}  // namespace millrace::connector::file
