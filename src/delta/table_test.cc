#include "delta/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "delta/history/commit_times.h"
#include "delta/log/log_paths.h"
#include "delta/skipping/file_selection.h"

namespace millrace::delta {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kProtocol = R"({"protocol":{"minReaderVersion":1,"minWriterVersion":2}})";
constexpr const char* kMetadata =
    R"({"metaData":{"id":"m","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"integer\",\"nullable\":true,\"metadata\":{}},{\"name\":\"p\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":["p"],"configuration":{},"createdTime":1}})";

std::string AddLine(const std::string& path, int64_t size = 10, const std::string& more = "") {
  return R"({"add":{"path":")" + path + R"(","partitionValues":{"p":"x"},"size":)" + std::to_string(size) +
         R"(,"modificationTime":1,"dataChange":true)" + more + "}}";
}
std::string RemoveLine(const std::string& path) {
  return R"({"remove":{"path":")" + path + R"(","deletionTimestamp":5,"dataChange":true}})";
}

class TableTest : public ::testing::Test {
 protected:
  TableTest() {
    path_ = ::testing::TempDir() + "delta_table_" + ::testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(path_);
    fs::create_directories(path_ + "/_delta_log");
  }
  ~TableTest() override { fs::remove_all(path_); }

  void Write(const std::string& name, std::initializer_list<std::string> lines) {
    std::ofstream file(path_ + "/_delta_log/" + name);
    for (const std::string& line : lines) file << line << "\n";
  }
  void Commit(int64_t version, std::initializer_list<std::string> lines) {
    Write(CommitFileName(TableVersion(version)), lines);
  }
  std::vector<std::string> Paths(const Snapshot& snapshot) {
    std::vector<std::string> paths;
    snapshot.files().ForEach([&](const FileRef& file) { paths.emplace_back(file.columns->path(file.row)); });
    std::sort(paths.begin(), paths.end());
    return paths;
  }
  Table Open() { return Table(LocalFileSystem(), path_); }

  std::string path_;
};

TEST_F(TableTest, CommitsAreReplayed) {
  Commit(0, {kProtocol, kMetadata, AddLine("a"), AddLine("b")});
  Commit(1, {RemoveLine("a"), AddLine("c", 30), R"({"txn":{"appId":"q","version":4}})"});
  Commit(2, {AddLine("a"), R"({"txn":{"appId":"q","version":5}})",
             R"({"domainMetadata":{"domain":"d","configuration":"x","removed":false}})"});
  Table table(LocalFileSystem(), path_);
  auto snapshot = table.Update();
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ((*snapshot)->version(), TableVersion(2));
  EXPECT_THAT(Paths(**snapshot), ElementsAre("a", "b", "c"));
  EXPECT_EQ((*snapshot)->files().total_size_bytes(), 50);
  EXPECT_EQ((*snapshot)->TxnVersion("q"), 5);
  EXPECT_EQ((*snapshot)->domain_metadata().at("d").configuration, "x");
  EXPECT_THAT(Paths(**table.SnapshotAt(TableVersion(1))), ElementsAre("b", "c"));
  EXPECT_TRUE(IsErrorCondition(table.SnapshotAt(TableVersion(3)).status(), "DELTA_VERSION_NOT_FOUND"));
  // Following the log gives what reading it anew gives.
  Commit(3, {RemoveLine("b"), AddLine("c", 31)});
  Commit(4, {AddLine("d"), R"({"domainMetadata":{"domain":"d","configuration":"","removed":true}})"});
  SnapshotPtr followed = *table.Update();
  Table fresh(LocalFileSystem(), path_);
  SnapshotPtr rebuilt = *fresh.Update();
  EXPECT_EQ(followed->version(), TableVersion(4));
  EXPECT_THAT(Paths(*followed), ElementsAre("a", "c", "d"));
  EXPECT_EQ(Paths(*followed), Paths(*rebuilt));
  EXPECT_EQ(followed->files().total_size_bytes(), rebuilt->files().total_size_bytes());
  EXPECT_EQ(followed->timestamp_ms(), rebuilt->timestamp_ms());
  EXPECT_TRUE(followed->domain_metadata().empty());
  EXPECT_TRUE(rebuilt->domain_metadata().empty());
  // Tombstones: what is removed and not back.
  std::vector<std::string> gone;
  for (const Remove& remove : *table.Tombstones(*followed)) gone.push_back(remove.path);
  EXPECT_THAT(gone, ElementsAre("b"));
}

TEST_F(TableTest, FollowingManyCommitsKeepsFewRuns) {
  Commit(0, {kProtocol, kMetadata});
  Table table(LocalFileSystem(), path_);
  ASSERT_TRUE(table.Update().ok());
  for (int64_t v = 1; v <= 200; ++v) {
    Commit(v, {AddLine("f" + std::to_string(v))});
    ASSERT_TRUE(table.Update().ok());
  }
  SnapshotPtr snapshot = *table.Update();
  EXPECT_EQ(snapshot->files().num_files(), 200);
  EXPECT_LE(snapshot->files().runs().size(), 12u);
}

TEST_F(TableTest, AdvanceIsWhatUpdateWouldRead) {
  Commit(0, {kProtocol, kMetadata, AddLine("a")});
  Table table(LocalFileSystem(), path_);
  ASSERT_TRUE(table.Update().ok());
  ActionParser parser;
  std::vector<Action> actions = *parser.ParseLines(RemoveLine("a") + "\n" + AddLine("b"), "");
  Commit(1, {RemoveLine("a"), AddLine("b")});
  ASSERT_TRUE(table.Advance(TableVersion(1), actions, 77).ok());
  ASSERT_TRUE(table.Advance(TableVersion(5), actions, 78).ok());  // not the next one: nothing happens
  SnapshotPtr snapshot = *table.Update();
  EXPECT_EQ(snapshot->version(), TableVersion(1));
  EXPECT_THAT(Paths(*snapshot), ElementsAre("b"));
}

TEST_F(TableTest, ATableThatWasMadeAnewIsNotTakenForTheOldOne) {
  Commit(0, {kProtocol, kMetadata, AddLine("a")});
  Commit(1, {AddLine("b")});
  Table table(LocalFileSystem(), path_);
  ASSERT_EQ((*table.Update())->version(), TableVersion(1));
  fs::remove_all(path_ + "/_delta_log");
  EXPECT_TRUE(IsErrorCondition(table.Update().status(), "DELTA_TABLE_NOT_FOUND"));
  fs::create_directories(path_ + "/_delta_log");
  Commit(0, {kProtocol, kMetadata, AddLine("other")});
  EXPECT_THAT(Paths(**table.Update()), ElementsAre("other"));
  fs::remove_all(path_ + "/_delta_log");
  fs::create_directories(path_ + "/_delta_log");
  for (int64_t v = 0; v < 4; ++v) Commit(v, {kProtocol, kMetadata, AddLine("third " + std::to_string(v))});
  EXPECT_EQ((*table.Update())->version(), TableVersion(3));
}

TEST_F(TableTest, FilesOfTheSamePathAreToldApartByTheirDeletionVector) {
  const std::string vector =
      R"(,"deletionVector":{"storageType":"i","pathOrInlineDv":"abc","sizeInBytes":4,"cardinality":1})";
  Commit(0, {kProtocol, kMetadata, AddLine("a")});
  Commit(1, {RemoveLine("a"), AddLine("a", 10, vector)});
  SnapshotPtr snapshot = *Open().Update();
  EXPECT_EQ(snapshot->files().num_files(), 1);
  snapshot->files().ForEach([](const FileRef& file) {
    ASSERT_TRUE(file.columns->has_deletion_vector(file.row));
    EXPECT_EQ(file.columns->deletion_vector(file.row)->UniqueId(), "iabc");
  });
}

TEST_F(TableTest, JsonCheckpointWithoutSidecarsAndCompactedCommits) {
  Write("00000000000000000002.checkpoint.3a0d65cd-4056-49b8-937b-95f9e3ee90e5.json",
        {R"({"checkpointMetadata":{"version":2}})", kProtocol, kMetadata, AddLine("a"), AddLine("b"), RemoveLine("old"),
         R"({"txn":{"appId":"q","version":1}})"});
  Write("00000000000000000003.00000000000000000005.compacted.json", {AddLine("c"), RemoveLine("a")});
  // They are there, and not looked into.
  for (int version = 3; version < 6; ++version) Commit(version, {"{"});
  Commit(6, {AddLine("d")});
  SnapshotPtr snapshot = *Open().Update();
  EXPECT_EQ(snapshot->version(), TableVersion(6));
  EXPECT_EQ(snapshot->checkpoint_version(), TableVersion(2));
  EXPECT_THAT(Paths(*snapshot), ElementsAre("b", "c", "d"));
  EXPECT_EQ(snapshot->TxnVersion("q"), 1);
}

TEST_F(TableTest, HolesShowInAnOpenTable) {
  Commit(0, {kProtocol, kMetadata});
  for (int version = 1; version < 4; ++version) Commit(version, {AddLine("f" + std::to_string(version))});
  Table table = Open();
  ASSERT_TRUE(table.Update().ok());
  fs::remove(path_ + "/_delta_log/" + CommitFileName(TableVersion(2)));
  EXPECT_TRUE(IsErrorCondition(table.Update().status(), "DELTA_VERSIONS_NOT_CONTIGUOUS"));
  Commit(2, {AddLine("f2")});
  ASSERT_TRUE(table.Update().ok());
  Commit(5, {AddLine("f5")});
  EXPECT_TRUE(IsErrorCondition(table.Update().status(), "DELTA_VERSIONS_NOT_CONTIGUOUS"));
  Commit(4, {AddLine("f4")});
  EXPECT_EQ((*table.Update())->version(), TableVersion(5));
  // A compacted file does not stand for a commit that is gone.
  Write(CompactedFileName(TableVersion(1), TableVersion(2)), {AddLine("f1"), AddLine("f2")});
  ASSERT_TRUE(Open().Update().ok());
  fs::remove(path_ + "/_delta_log/" + CommitFileName(TableVersion(2)));
  EXPECT_TRUE(IsErrorCondition(Open().Update().status(), "DELTA_VERSIONS_NOT_CONTIGUOUS"));
}

TEST_F(TableTest, OfOneCommitTheLastActionCounts) {
  Commit(0, {kProtocol, kMetadata, AddLine("a")});
  Table followed = Open();
  ASSERT_TRUE(followed.Update().ok());
  Commit(1, {RemoveLine("a"), AddLine("a", 20), AddLine("b"), RemoveLine("b"), R"({"txn":{"appId":"q","version":5}})",
             R"({"txn":{"appId":"q","version":4}})"});
  Table opened = Open();
  for (Table* table : {&followed, &opened}) {
    SnapshotPtr snapshot = table->Update().ValueOrDie();
    EXPECT_THAT(Paths(*snapshot), ElementsAre("a"));
    EXPECT_EQ(snapshot->files().total_size_bytes(), 20);
    EXPECT_EQ(snapshot->TxnVersion("q"), 4);
    EXPECT_EQ(table->Tombstones(*snapshot).ValueOrDie().size(), 1u);
  }
}

TEST_F(TableTest, OldStatesAreNotLookedAt) {
  constexpr int64_t kDayMs = 86400000;
  for (int version = 0; version < 2; ++version) {
    Commit(version, {version == 0 ? std::string(kProtocol) + "\n" + kMetadata : AddLine("a")});
  }
  Table table = Open();
  SnapshotPtr newest = table.Update().ValueOrDie();
  SnapshotPtr first = table.SnapshotAt(TableVersion(0)).ValueOrDie();
  EXPECT_TRUE(CheckWithinRetention(*first, *newest, first->timestamp_ms() + 7 * kDayMs).ok());
  EXPECT_TRUE(IsErrorCondition(CheckWithinRetention(*first, *newest, first->timestamp_ms() + 7 * kDayMs + 1),
                               "DELTA_UNSUPPORTED_TIME_TRAVEL_BEYOND_DELETED_FILE_RETENTION_DURATION"));
  EXPECT_TRUE(CheckWithinRetention(*newest, *newest, newest->timestamp_ms() + 90 * kDayMs).ok());
}

TEST_F(TableTest, DamageIsNamed) {
  EXPECT_TRUE(IsErrorCondition(Open().Update().status(), "DELTA_TABLE_NOT_FOUND"));
  EXPECT_FALSE(*Open().Exists());
  Commit(1, {AddLine("a")});
  EXPECT_TRUE(IsErrorCondition(Open().Update().status(), "DELTA_TRUNCATED_TRANSACTION_LOG"));
  Commit(0, {AddLine("a")});
  EXPECT_TRUE(IsErrorCondition(Open().Update().status(), "DELTA_STATE_RECOVER_ERROR"));
  Commit(0, {kProtocol, kMetadata});
  ASSERT_TRUE(Open().Update().ok());
  Commit(3, {AddLine("b")});
  EXPECT_TRUE(IsErrorCondition(Open().Update().status(), "DELTA_VERSIONS_NOT_CONTIGUOUS"));
  Commit(2, {R"({"add":{"path":"b","si)"});
  EXPECT_THAT(Open().Update().status().message(), HasSubstr("00000000000000000002.json is corrupt at line 1"));
  Commit(2, {});
  EXPECT_THAT(Open().Update().status().message(), HasSubstr("00000000000000000002.json is empty"));
  Commit(2, {AddLine("b")});
  ASSERT_TRUE(Open().Update().ok());
  // A broken checkpoint is passed over as long as the commits are there.
  Write("00000000000000000003.checkpoint.parquet", {"no parquet"});
  EXPECT_EQ((*Open().Update())->version(), TableVersion(3));
  fs::remove(path_ + "/_delta_log/00000000000000000000.json");
  EXPECT_THAT(Open().Update().status().message(), HasSubstr("00000000000000000003.checkpoint.parquet cannot be read"));
}

TEST_F(TableTest, IncompleteMultiPartCheckpointsAreNotUsed) {
  Commit(0, {kProtocol, kMetadata, AddLine("a")});
  Write("00000000000000000000.checkpoint.0000000001.0000000002.parquet", {"x"});
  EXPECT_TRUE(Open().Update().ok());
  fs::remove(path_ + "/_delta_log/00000000000000000000.json");
  EXPECT_TRUE(IsErrorCondition(Open().Update().status(), "DELTA_MISSING_PART_FILES"));
}

TEST_F(TableTest, FeaturesThatAreNotBuiltAreRefusedByName) {
  Commit(
      0,
      {R"({"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors","geospatial","zebra"],"writerFeatures":["deletionVectors","geospatial","zebra"]}})",
       kMetadata});
  arrow::Status status = Open().Update().status();
  EXPECT_TRUE(IsErrorCondition(status, "DELTA_UNSUPPORTED_FEATURES_FOR_READ"));
  EXPECT_THAT(status.message(), HasSubstr("geospatial, zebra"));
  Commit(0, {R"({"protocol":{"minReaderVersion":4,"minWriterVersion":7}})", kMetadata});
  EXPECT_TRUE(IsErrorCondition(Open().Update().status(), "DELTA_INVALID_PROTOCOL_VERSION"));
  // A commit that brings one is seen by those who follow the table, too.
  Commit(0, {kProtocol, kMetadata});
  Table table(LocalFileSystem(), path_);
  ASSERT_TRUE(table.Update().ok());
  Commit(
      1,
      {R"({"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["zebra"],"writerFeatures":["zebra"]}})"});
  EXPECT_TRUE(IsErrorCondition(table.Update().status(), "DELTA_UNSUPPORTED_FEATURES_FOR_READ"));
}

TEST_F(TableTest, InCommitTimestamps) {
  const std::string protocol =
      R"({"protocol":{"minReaderVersion":1,"minWriterVersion":7,"writerFeatures":["inCommitTimestamp"]}})";
  const std::string metadata =
      R"({"metaData":{"id":"m","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"integer\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],"configuration":{"delta.enableInCommitTimestamps":"true"}}})";
  Commit(0, {R"({"commitInfo":{"inCommitTimestamp":1000,"operation":"WRITE"}})", protocol, metadata});
  Commit(1, {R"({"commitInfo":{"inCommitTimestamp":2000,"operation":"WRITE"}})", AddLine("a")});
  Table table(LocalFileSystem(), path_);
  SnapshotPtr snapshot = *table.Update();
  EXPECT_EQ(snapshot->timestamp_ms(), 2000);
  Commit(2, {R"({"commitInfo":{"inCommitTimestamp":3000,"operation":"WRITE"}})", AddLine("b")});
  snapshot = *table.Update();
  EXPECT_EQ(snapshot->timestamp_ms(), 3000);
  const types::TimeZone& utc = *types::TimeZone::Utc();
  EXPECT_EQ(CommitAtTime(table, *snapshot, 2999, {}, utc)->version, TableVersion(1));
  EXPECT_EQ(CommitAtTime(table, *snapshot, 2000, {}, utc)->version, TableVersion(1));
  EXPECT_EQ(CommitAtTime(table, *snapshot, 3000, {}, utc)->version, TableVersion(2));
  EXPECT_TRUE(IsErrorCondition(CommitAtTime(table, *snapshot, 999, {}, utc).status(),
                               "DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION"));
  EXPECT_TRUE(
      IsErrorCondition(CommitAtTime(table, *snapshot, 3001, {}, utc).status(), "DELTA_TIMESTAMP_GREATER_THAN_COMMIT"));
  Commit(3, {AddLine("c")});
  snapshot = *table.Update();  // what the table holds is known, only its time is not
  EXPECT_EQ(snapshot->files().num_files(), 3);
  EXPECT_TRUE(IsErrorCondition(snapshot->timestamp_status(), "DELTA_MISSING_COMMIT_INFO"));
  EXPECT_TRUE(
      IsErrorCondition(CommitAtTime(table, *snapshot, 4000, {}, utc).status(), "DELTA_MISSING_COMMIT_TIMESTAMP"));
  Commit(4, {R"({"commitInfo":{"inCommitTimestamp":5000,"operation":"WRITE"}})", AddLine("d")});
  EXPECT_TRUE((*table.Update())->timestamp_status().ok());
}

TEST_F(TableTest, TimesOfFilesRise) {
  Commit(0, {kProtocol, kMetadata});
  Commit(1, {AddLine("a")});
  Commit(2, {AddLine("b")});
  auto at = [&](int64_t version, int64_t seconds) {
    fs::last_write_time(
        path_ + "/_delta_log/" + CommitFileName(TableVersion(version)),
        fs::file_time_type::clock::from_sys(std::chrono::system_clock::time_point(std::chrono::seconds(seconds))));
  };
  at(0, 1000);
  at(1, 900);  // a clock that went back
  at(2, 2000);
  Table table(LocalFileSystem(), path_);
  SnapshotPtr snapshot = *table.Update();
  auto times = CommitTimes(table, *snapshot, TableVersion(0), TableVersion(2));
  ASSERT_TRUE(times.ok());
  EXPECT_EQ((*times)[0].timestamp_ms, 1000000);
  EXPECT_EQ((*times)[1].timestamp_ms, 1000001);
  EXPECT_EQ((*times)[2].timestamp_ms, 2000000);
}

TEST_F(TableTest, FilesAreLeftOutByPartitionAndStatistics) {
  auto with_stats = [](const std::string& path, const std::string& stats) {
    return AddLine(path, 10, R"(,"stats":")" + stats + "\"");
  };
  Commit(0,
         {kProtocol, kMetadata,
          with_stats("low",
                     R"({\"numRecords\":3,\"minValues\":{\"a\":1},\"maxValues\":{\"a\":5},\"nullCount\":{\"a\":0}})"),
          with_stats("high",
                     R"({\"numRecords\":3,\"minValues\":{\"a\":6},\"maxValues\":{\"a\":9},\"nullCount\":{\"a\":1}})"),
          with_stats("nulls", R"({\"numRecords\":3,\"minValues\":{},\"maxValues\":{},\"nullCount\":{\"a\":3}})"),
          AddLine("unknown"), with_stats("broken", R"({\"numRec)"),
          R"({"add":{"path":"other","partitionValues":{"p":"y"},"size":1,"modificationTime":1,"dataChange":true}})"});
  SnapshotPtr snapshot = *Open().Update();
  using format::Predicate;
  using format::PredicateValue;
  auto selected = [&](const format::PredicatePtr& filter) {
    std::vector<std::string> paths;
    for (const FileRef& file : SelectFiles(*snapshot, filter, *types::TimeZone::Utc())) {
      paths.emplace_back(file.columns->path(file.row));
    }
    std::sort(paths.begin(), paths.end());
    return paths;
  };
  auto a = [](Predicate::Op op, std::vector<int64_t> values) {
    std::vector<PredicateValue> wrapped;
    for (int64_t value : values) wrapped.emplace_back(value);
    return Predicate::Compare(op, {"a"}, types::Integer(), std::move(wrapped));
  };
  auto p = [](const char* value) {
    return Predicate::Compare(Predicate::Op::kEqual, {"P"}, types::String(), {PredicateValue(std::string(value))});
  };
  using enum Predicate::Op;
  EXPECT_THAT(selected(a(kGreater, {5})), ElementsAre("broken", "high", "other", "unknown"));
  EXPECT_THAT(selected(a(kLessOrEqual, {1})), ElementsAre("broken", "low", "other", "unknown"));
  EXPECT_THAT(selected(Predicate::And({a(kIn, {7, 100}), p("x")})), ElementsAre("broken", "high", "unknown"));
  EXPECT_THAT(selected(p("y")), ElementsAre("other"));
  EXPECT_THAT(selected(Predicate::Not(p("x"))), ElementsAre("other"));
  EXPECT_THAT(selected(a(kIsNull, {})), ElementsAre("broken", "high", "nulls", "other", "unknown"));
  EXPECT_THAT(selected(Predicate::Not(a(kIsNull, {}))), ElementsAre("broken", "high", "low", "other", "unknown"));
}

}  // namespace
}  // namespace millrace::delta
