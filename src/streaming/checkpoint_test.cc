#include "streaming/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "base/error.h"
#include "base/fault_injection_file_system.h"
#include "base/json_value.h"
#include "streaming/progress.h"
#include "streaming/streaming_query.h"

namespace millrace::streaming {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class CheckpointTest : public ::testing::Test {
 protected:
  CheckpointTest() {
    location_ = ::testing::TempDir() + "checkpoint_" + ::testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(location_);
  }
  ~CheckpointTest() override { fs::remove_all(location_); }

  arrow::Result<Checkpoint> Open(bool verify_metadata = true, bool verify_empty = true) {
    return OpenCheckpoint(&files_, location_, Durability::kMachine, verify_metadata, verify_empty);
  }
  void Put(const std::string& name, const std::string& text) {
    std::string path = JoinPath(location_, name);
    fs::create_directories(fs::path(path).parent_path());
    ASSERT_TRUE(*WriteFileIfAbsent(files_, path, text, Durability::kProcess));
  }

  std::string location_;
  FaultInjectionFileSystem files_{LocalFileSystem()};
};

TEST_F(CheckpointTest, NewLocationGetsAnIdThatStays) {
  Checkpoint created = *Open();
  EXPECT_TRUE(created.is_new);
  EXPECT_EQ(created.query_id.size(), 36u);
  EXPECT_EQ(*files_.ReadFile(JoinPath(location_, "metadata")), "{\"id\":\"" + created.query_id + "\"}");
  files_.DropUnsynced();
  Checkpoint opened = *Open();
  EXPECT_FALSE(opened.is_new);
  EXPECT_EQ(opened.query_id, created.query_id);
  EXPECT_EQ(*ReadQueryId(files_, location_), created.query_id);
}

TEST_F(CheckpointTest, LogsWithoutMetadataAreRefused) {
  Put("offsets/0", "v1\n{}\n0");
  arrow::Status status = Open().status();
  EXPECT_TRUE(IsErrorCondition(status, "STREAMING_CHECKPOINT_MISSING_METADATA_FILE")) << status.ToString();
  EXPECT_FALSE(fs::exists(JoinPath(location_, "metadata")));
  EXPECT_TRUE(Open(/*verify_metadata=*/false).ok());
}

TEST_F(CheckpointTest, CommitsWithoutOffsetsAreRefused) {
  Put("metadata", "{\"id\":\"11111111-2222-3333-4444-555555555555\"}");
  Put("commits/0", "v1\n{}");
  EXPECT_FALSE(Open().ok());
  EXPECT_TRUE(Open(true, /*verify_empty=*/false).ok());
}

TEST_F(CheckpointTest, StateWithoutOffsetsIsRefused) {
  Put("state/0/0/1.delta", "x");
  EXPECT_FALSE(Open().ok());
}

TEST_F(CheckpointTest, CorruptMetadataIsNamedAndLeftAlone) {
  for (const char* text : {"", "{", "[]", "{\"id\":7}", "{\"uid\":\"x\"}"}) {
    fs::remove_all(location_);
    Put("metadata", text);
    arrow::Status status = Open().status();
    ASSERT_FALSE(status.ok()) << text;
    EXPECT_THAT(status.message(), HasSubstr(JoinPath(location_, "metadata")));
    EXPECT_EQ(*files_.ReadFile(JoinPath(location_, "metadata")), text);
  }
}

TEST_F(CheckpointTest, ReadOnlyDiskIsNamed) {
  files_.SetReadOnly(true);
  EXPECT_THAT(Open().status().message(), HasSubstr("Read-only file system"));
}

std::string SparkCheckpoints() { return "tests/data/spark-checkpoint"; }

// Every checkpoint real Spark left is opened, and its logs say the same when they are written again.
void CheckLogs(const std::string& location) {
  SCOPED_TRACE(location);
  Checkpoint checkpoint = *OpenCheckpoint(LocalFileSystem(), location, Durability::kMachine, true, true);
  EXPECT_FALSE(checkpoint.is_new);
  EXPECT_EQ(checkpoint.query_id.size(), 36u);
  for (BatchId id : *checkpoint.offset_log.log().Ids()) {
    auto entry = checkpoint.offset_log.Get(id, -1);
    ASSERT_TRUE(entry.ok()) << entry.status().ToString();
    EXPECT_GT((*entry)->timestamp_ms, 1500000000000);
    OffsetEntry again = *DecodeOffsetEntry(EncodeOffsetEntry(**entry), "again");
    EXPECT_EQ(again.offsets, (*entry)->offsets);
    EXPECT_EQ(again.conf, (*entry)->conf);
    EXPECT_EQ(again.watermark_ms, (*entry)->watermark_ms);
    std::string text = *LocalFileSystem()->ReadFile(checkpoint.offset_log.log().PathOf(id));
    EXPECT_EQ(EncodeOffsetEntry(**entry).size(), text.size());
  }
  for (BatchId id : *checkpoint.commit_log.log().Ids()) {
    auto entry = checkpoint.commit_log.Get(id);
    ASSERT_TRUE(entry.ok()) << entry.status().ToString();
    EXPECT_EQ(EncodeCommitEntry(**entry), *LocalFileSystem()->ReadFile(checkpoint.commit_log.log().PathOf(id)));
  }
}

TEST(SparkCheckpointTest, LogsAreReadAndWrittenAlike) {
  int checked = 0;
  for (const auto& folder : fs::directory_iterator(SparkCheckpoints())) {
    std::string location = (folder.path() / "checkpoint").string();
    if (!fs::exists(location)) continue;
    CheckLogs(location);
    ++checked;
  }
  EXPECT_GE(checked, 10);
}

TEST(SparkCheckpointTest, SettingsAreTheOnesSparkStores) {
  Checkpoint checkpoint = *OpenCheckpoint(LocalFileSystem(), SparkCheckpoints() + "/file-to-file/checkpoint",
                                          Durability::kMachine, true, true);
  OffsetEntry entry = **checkpoint.offset_log.Get(BatchId(0), 1);
  std::set<std::string> stored;
  for (const auto& [key, value] : entry.conf) stored.insert(key);
  std::set<std::string> ours;
  for (const CheckpointedConf& conf : CheckpointedConfs()) {
    ours.insert(std::string(conf.key));
    if (conf.key == "spark.sql.shuffle.partitions") continue;
    EXPECT_EQ(entry.conf[std::string(conf.key)], conf.default_value);
  }
  EXPECT_EQ(stored, ours);
}

TEST(SparkCheckpointTest, OtherNumberOfSourcesIsRefused) {
  Checkpoint checkpoint = *OpenCheckpoint(LocalFileSystem(), SparkCheckpoints() + "/two-sources/checkpoint",
                                          Durability::kMachine, true, true);
  OffsetEntry entry = **checkpoint.offset_log.Get(BatchId(0), 2);
  EXPECT_EQ(entry.offsets[1], std::nullopt);
  EXPECT_THAT(
      checkpoint.offset_log.Get(BatchId(0), 3).status().message(),
      HasSubstr("assertion failed: There are [2] sources in the checkpoint offsets and now there are [3] sources"));
}

TEST(SparkCheckpointTest, GoldenCheckpointsAreRead) {
  fs::path golden = "../shared/spark-checkpoints";
  if (!fs::exists(golden)) GTEST_SKIP() << "no golden checkpoints beside this checkout";
  int checked = 0;
  for (const auto& entry : fs::recursive_directory_iterator(golden)) {
    if (!entry.is_directory() || entry.path().filename() != "offsets") continue;
    if (!fs::exists(entry.path().parent_path() / "metadata")) continue;
    CheckLogs(entry.path().parent_path().string());
    ++checked;
  }
  EXPECT_GT(checked, 0);
}

// The progress objects of real Spark, rebuilt from their own figures, are the same text.
QueryProgress FromJson(const JsonValue& json, std::optional<int64_t> since_last_ms) {
  QueryProgress progress;
  progress.id = json.Find("id")->AsString();
  progress.run_id = json.Find("runId")->AsString();
  progress.name = json.Find("name")->AsString();
  progress.batch_id = json.Find("batchId")->AsInt64();
  progress.batch_duration_ms = json.Find("batchDuration")->AsInt64();
  progress.since_last_trigger_ms = since_last_ms;
  for (const auto& [key, value] : json.Find("durationMs")->members()) progress.duration_ms[key] = value.AsInt64();
  auto offset = [](const JsonValue& value) -> std::optional<connector::SourceOffset> {
    if (value.is_null()) return std::nullopt;
    return connector::SourceOffset{value.ToString()};
  };
  for (const JsonValue& source : json.Find("sources")->elements()) {
    SourceProgress reported;
    reported.description = source.Find("description")->AsString();
    reported.start_offset = offset(*source.Find("startOffset"));
    reported.end_offset = offset(*source.Find("endOffset"));
    reported.latest_offset = offset(*source.Find("latestOffset"));
    reported.num_input_rows = source.Find("numInputRows")->AsInt64();
    if (const JsonValue* metrics = source.Find("metrics")) {
      for (const auto& [key, value] : metrics->members()) reported.metrics[key] = value.AsString();
    }
    progress.sources.push_back(std::move(reported));
  }
  progress.sink_description = json.Find("sink")->Find("description")->AsString();
  progress.num_output_rows = json.Find("sink")->Find("numOutputRows")->AsInt64();
  return progress;
}

std::vector<std::string> KeysOf(const JsonValue& json) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.members()) keys.push_back(key);
  return keys;
}

TEST(ProgressTest, LooksLikeSparks) {
  int checked = 0;
  for (const char* name : {"file-to-file", "file-restarted", "rate", "rate-micro-batch", "console", "two-sources",
                           "kafka-to-kafka", "kafka-to-file"}) {
    SCOPED_TRACE(name);
    std::string text = *LocalFileSystem()->ReadFile(SparkCheckpoints() + "/" + name + "/progress.jsonl");
    std::string pretty = *LocalFileSystem()->ReadFile(SparkCheckpoints() + "/" + name + "/progress.pretty.json");
    size_t start = 0;
    std::string last;
    for (size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', start)) {
      JsonValue spark = *ParseJson(std::string_view(text).substr(start, end - start));
      start = end + 1;
      JsonValue ours = ToJson(FromJson(spark, std::nullopt));
      EXPECT_EQ(KeysOf(ours), KeysOf(spark));
      // Rates need what no progress says (when the trigger before began) and are compared below.
      EXPECT_EQ(ours.Find("durationMs")->ToString(), spark.Find("durationMs")->ToString());
      EXPECT_EQ(ours.Find("processedRowsPerSecond")->ToString(), spark.Find("processedRowsPerSecond")->ToString());
      EXPECT_EQ(ours.Find("sink")->ToString(), spark.Find("sink")->ToString());
      ASSERT_EQ(ours.Find("sources")->elements().size(), spark.Find("sources")->elements().size());
      for (size_t i = 0; i < spark.Find("sources")->elements().size(); ++i) {
        const JsonValue& a = ours.Find("sources")->elements()[i];
        const JsonValue& b = spark.Find("sources")->elements()[i];
        EXPECT_EQ(KeysOf(a), KeysOf(b));
        EXPECT_EQ(a.Find("endOffset")->ToString(), b.Find("endOffset")->ToString());
        EXPECT_EQ(a.Find("description")->ToString(), b.Find("description")->ToString());
      }
      ++checked;
    }
    while (pretty.ends_with('\n')) pretty.pop_back();
    EXPECT_EQ(ParseJson(pretty)->ToPrettyString(), pretty);
  }
  EXPECT_GE(checked, 10);
}

TEST(ProgressTest, RatesAreRoundedToOneDecimal) {
  QueryProgress progress;
  progress.batch_duration_ms = 288;
  progress.since_last_trigger_ms = 1000;
  progress.sources.push_back({"s", std::nullopt, std::nullopt, std::nullopt, 3, {}});
  JsonValue json = ToJson(progress);
  EXPECT_EQ(json.Find("inputRowsPerSecond")->ToString(), "3.0");
  EXPECT_EQ(json.Find("processedRowsPerSecond")->ToString(), "10.4");
  progress.since_last_trigger_ms = std::nullopt;
  EXPECT_EQ(ToJson(progress).Find("inputRowsPerSecond")->ToString(), "0.0");
}

TEST(ProgressTest, TimestampsHaveMillis) { EXPECT_EQ(IsoMillis(1795199771688), "2026-11-20T18:36:11.688Z"); }

}  // namespace
}  // namespace millrace::streaming
