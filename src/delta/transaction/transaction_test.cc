#include "delta/transaction/transaction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/fault_injection_file_system.h"
#include "base/ids.h"
#include "base/json_value.h"
#include "delta/checkpoint/maintenance.h"
#include "delta/log/log_paths.h"
#include "delta/transaction/table_metadata.h"

namespace millrace::delta {
namespace {

class TransactionTest : public ::testing::Test {
 protected:
  TransactionTest() : path_(std::filesystem::temp_directory_path() / ("delta-transaction-" + RandomUuid())) {
    settings_.durability = Durability::kProcess;
    settings_.clock = &clock_;
    settings_.engine_info = "test";
  }
  ~TransactionTest() override { std::filesystem::remove_all(path_); }

  std::shared_ptr<Table> Open(FileSystem* files = LocalFileSystem()) { return std::make_shared<Table>(files, path_); }

  std::unique_ptr<Transaction> Begin(const std::shared_ptr<Table>& table) {
    return Transaction::Begin(table, settings_).ValueOrDie();
  }

  static Add File(const std::string& name, PartitionValues values = {}) {
    Add add;
    add.path = name;
    add.partition_values = std::move(values);
    add.size_bytes = 10;
    add.stats = R"({"numRecords":1})";
    return add;
  }

  static PartitionValues InPartition(std::optional<std::string> value) {
    PartitionValues values;
    values.Add("p", std::move(value));
    return values;
  }

  static void Define(Transaction* transaction, std::vector<std::string> partitions = {},
                     const StringMap& properties = {}) {
    auto schema = types::ParseSchemaDdl("p INT, v BIGINT").ValueOrDie();
    auto table = DefineTable(schema, std::move(partitions), properties, 1).ValueOrDie();
    transaction->SetMetadata(table.metadata);
    transaction->SetProtocol(table.protocol);
  }

  static Operation Write() { return {"WRITE", {{"mode", JsonValue::String("Append")}}, {{"numFiles", 1}}, {}}; }

  // Creates the table with one file.
  void Create(std::vector<std::string> partitions = {}, const StringMap& properties = {}) {
    auto transaction = Begin(Open());
    PartitionValues values;
    if (!partitions.empty()) values.Add("p", "1");
    Define(transaction.get(), std::move(partitions), properties);
    transaction->Stage(File("first", values));
    ASSERT_EQ(Version(transaction.get()), 0);
  }

  // The version it was committed as, or -1 for a lost race.
  static int64_t Version(Transaction* transaction) {
    auto outcome = transaction->Commit(Write());
    EXPECT_TRUE(outcome.ok()) << outcome.status().ToString();
    if (!outcome.ok()) return -2;
    const auto* committed = std::get_if<Committed>(&*outcome);
    return committed == nullptr ? -1 : committed->version.value;
  }

  static std::string ConflictOf(Transaction* transaction) {
    auto outcome = transaction->Commit(Write());
    if (!outcome.ok()) return outcome.status().ToString();
    const auto* conflict = std::get_if<Conflict>(&*outcome);
    if (conflict == nullptr) return "committed";
    return GetErrorDetail(ToStatus(*conflict, "/t"))->condition();
  }

  std::vector<std::string> Lines(int64_t version) {
    std::string text =
        LocalFileSystem()->ReadFile(JoinPath(LogDirectory(path_), CommitFileName(TableVersion(version)))).ValueOrDie();
    std::vector<std::string> lines;
    for (size_t at = 0; at < text.size();) {
      size_t end = text.find('\n', at);
      lines.push_back(text.substr(at, end - at));
      at = end + 1;
    }
    return lines;
  }

  std::string path_;
  ManualClock clock_{1700000000000000};
  TransactionSettings settings_;
};

TEST_F(TransactionTest, CreatesATable) {
  Create();
  auto lines = Lines(0);
  ASSERT_EQ(lines.size(), 4u);
  JsonValue info = ParseJson(lines[0]).ValueOrDie();
  const JsonValue& fields = *info.Find("commitInfo");
  EXPECT_EQ(fields.Find("timestamp")->AsInt64(), 1700000000000);
  EXPECT_EQ(fields.Find("readVersion"), nullptr);
  EXPECT_TRUE(fields.Find("isBlindAppend")->AsBool());
  EXPECT_EQ(fields.Find("isolationLevel")->AsString(), "Serializable");
  EXPECT_EQ(fields.Find("operationMetrics")->ToString(), R"({"numFiles":"1"})");
  EXPECT_TRUE(lines[1].starts_with(R"({"metaData":)"));
  EXPECT_EQ(lines[2], R"({"protocol":{"minReaderVersion":1,"minWriterVersion":2}})");
  EXPECT_TRUE(lines[3].starts_with(R"({"add":{"path":"first")"));
  EXPECT_TRUE(std::filesystem::is_directory(path_ + "/_delta_log/_staged_commits"));
}

TEST_F(TransactionTest, ChecksumTellsTheState) {
  Create();
  auto transaction = Begin(Open());
  transaction->SetTxn("app", 7);
  transaction->Stage(File("second"));
  ASSERT_EQ(Version(transaction.get()), 1);
  JsonValue crc =
      ParseJson(LocalFileSystem()->ReadFile(path_ + "/_delta_log/00000000000000000001.crc").ValueOrDie()).ValueOrDie();
  EXPECT_EQ(crc.Find("tableSizeBytes")->AsInt64(), 20);
  EXPECT_EQ(crc.Find("numFiles")->AsInt64(), 2);
  EXPECT_EQ(crc.Find("setTransactions")->ToString(), R"([{"appId":"app","version":7,"lastUpdated":1700000000000}])");
  EXPECT_EQ(crc.Find("allFiles")->elements().size(), 2u);
  EXPECT_EQ(crc.Find("fileSizeHistogram")->Find("fileCounts")->elements()[0].AsInt64(), 2);
}

TEST_F(TransactionTest, AppendsFindTheNextVersion) {
  Create();
  auto table = Open();
  auto slow = Begin(table);
  for (int i = 0; i < 3; ++i) {
    auto fast = Begin(Open());
    fast->Stage(File("fast" + std::to_string(i)));
    ASSERT_EQ(Version(fast.get()), i + 1);
  }
  slow->Stage(File("slow"));
  EXPECT_EQ(Version(slow.get()), 4);
  EXPECT_EQ(table->Update().ValueOrDie()->files().num_files(), 5);
}

TEST_F(TransactionTest, OnlyOneCreatesATable) {
  auto first = Begin(Open());
  auto second = Begin(Open());
  Define(first.get());
  Define(second.get());
  EXPECT_EQ(Version(first.get()), 0);
  EXPECT_EQ(ConflictOf(second.get()), "DELTA_PROTOCOL_CHANGED");
}

TEST_F(TransactionTest, ChangedMetadataIsAConflict) {
  Create();
  auto slow = Begin(Open());
  auto fast = Begin(Open());
  Metadata changed = fast->metadata();
  changed.configuration["delta.appendOnly"] = "true";
  fast->SetMetadata(changed);
  ASSERT_EQ(Version(fast.get()), 1);
  slow->Stage(File("slow"));
  EXPECT_EQ(ConflictOf(slow.get()), "DELTA_METADATA_CHANGED");
}

TEST_F(TransactionTest, OneApplicationTwice) {
  Create();
  auto slow = Begin(Open());
  EXPECT_EQ(slow->TxnVersion("app"), std::nullopt);
  auto fast = Begin(Open());
  fast->SetTxn("app", 1);
  ASSERT_EQ(Version(fast.get()), 1);
  slow->SetTxn("app", 1);
  EXPECT_EQ(ConflictOf(slow.get()), "DELTA_CONCURRENT_TRANSACTION");
  EXPECT_EQ(Begin(Open())->TxnVersion("app"), 1);
}

TEST_F(TransactionTest, ReadersOfTheTableMeetAppends) {
  Create();
  auto reader = Begin(Open());
  reader->ReadWholeTable();
  auto writer = Begin(Open());
  writer->Stage(File("new"));
  ASSERT_EQ(Version(writer.get()), 1);
  reader->Stage(File("derived"));
  EXPECT_EQ(ConflictOf(reader.get()), "DELTA_CONCURRENT_APPEND.WITHOUT_HINT");
}

TEST_F(TransactionTest, PartitionsKeepWritersApart) {
  Create({"p"});
  auto reads = [&](const std::string& value) {
    auto transaction = Begin(Open());
    transaction->ReadPartitions([value](const PartitionValues& values) { return **values.Find("p") == value; });
    transaction->Stage(File("of-" + value + RandomUuid(), InPartition(value)));
    return transaction;
  };
  auto one = reads("1");
  auto two = reads("2");
  auto append = Begin(Open());
  append->Stage(File("new", InPartition("1")));
  ASSERT_EQ(Version(append.get()), 1);
  EXPECT_EQ(Version(two.get()), 2);
  EXPECT_EQ(ConflictOf(one.get()), "DELTA_CONCURRENT_APPEND.WITH_PARTITION_HINT");
}

TEST_F(TransactionTest, RemovedFilesAreAConflict) {
  Create();
  auto remove_all = [&] {
    auto transaction = Begin(Open());
    transaction->snapshot()->files().ForEach(
        [&](const FileRef& file) { ASSERT_TRUE(transaction->StageRemove(file).ok()); });
    return transaction;
  };
  auto first = remove_all();
  auto second = remove_all();
  ASSERT_EQ(Version(first.get()), 1);
  EXPECT_EQ(ConflictOf(second.get()), "DELTA_CONCURRENT_DELETE_READ.WITHOUT_HINT");
}

TEST_F(TransactionTest, AppendOnlyTablesLoseNoFile) {
  Create({}, {{"delta.appendOnly", "true"}});
  auto transaction = Begin(Open());
  transaction->snapshot()->files().ForEach([&](const FileRef& file) {
    EXPECT_TRUE(IsErrorCondition(transaction->StageRemove(file), "DELTA_CANNOT_MODIFY_APPEND_ONLY"));
  });
}

TEST_F(TransactionTest, ATableMadeAnewIsNotTheOneThatWas) {
  Create();
  auto table = Open();
  auto transaction = Begin(table);
  transaction->Stage(File("a"));
  ASSERT_EQ(Version(transaction.get()), 1);
  std::filesystem::remove_all(path_);
  EXPECT_TRUE(Begin(table)->creates_table());
  Create();
  auto again = Begin(table);
  EXPECT_EQ(again->snapshot()->version().value, 0);
  again->Stage(File("b"));
  EXPECT_EQ(Version(again.get()), 1);
}

TEST_F(TransactionTest, InCommitTimestampsGrow) {
  Create({}, {{"delta.enableInCommitTimestamps", "true"}});
  for (int i = 1; i < 4; ++i) {
    auto transaction = Begin(Open());
    transaction->Stage(File("f" + std::to_string(i)));
    ASSERT_EQ(Version(transaction.get()), i);  // the clock stands still
    JsonValue info = ParseJson(Lines(i)[0]).ValueOrDie();
    EXPECT_EQ(info.Find("commitInfo")->members()[0].first, "inCommitTimestamp");
    EXPECT_EQ(info.Find("commitInfo")->members()[0].second.AsInt64(), 1700000000000 + i);
  }
}

TEST_F(TransactionTest, RowIdsGoOnWhereTheWinnerEnded) {
  Create({}, {{"delta.feature.rowTracking", "supported"}});
  auto file = [](const char* path, int64_t num_records) {
    Add add = File(path);
    add.stats = R"({"numRecords":)" + std::to_string(num_records) + "}";
    return add;
  };
  auto first = Begin(Open());
  auto second = Begin(Open());
  first->Stage(file("a", 5));
  first->Stage(file("b", 7));
  second->Stage(file("c", 2));
  ASSERT_EQ(Version(first.get()), 1);
  ASSERT_EQ(Version(second.get()), 2);
  auto lines = Lines(2);
  EXPECT_NE(lines[1].find(R"("baseRowId":13,"defaultRowCommitVersion":2)"), std::string::npos) << lines[1];
  EXPECT_EQ(lines[2], R"({"domainMetadata":{"domain":"delta.rowTracking",)"
                      R"("configuration":"{\"rowIdHighWaterMark\":14,\"domainName\":\"delta.rowTracking\"}",)"
                      R"("removed":false}})");
  SnapshotPtr snapshot = Open()->Update().ValueOrDie();
  EXPECT_TRUE(snapshot->metadata().Property("delta.rowTracking.materializedRowIdColumnName").has_value());
}

TEST_F(TransactionTest, ManyWritersLoseNothing) {
  Create();
  constexpr int kWriters = 8, kCommits = 125;
  std::vector<std::thread> writers;
  std::atomic<int> failures{0};
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      auto table = Open();
      for (int i = 0; i < kCommits; ++i) {
        auto transaction = Transaction::Begin(table, settings_);
        if (!transaction.ok()) {
          ++failures;
          continue;
        }
        (*transaction)->Stage(File("w" + std::to_string(writer) + "-" + std::to_string(i)));
        auto outcome = (*transaction)->Commit(Write());
        if (!outcome.ok() || !std::holds_alternative<Committed>(*outcome)) ++failures;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(failures, 0);
  SnapshotPtr snapshot = Open()->Update().ValueOrDie();
  EXPECT_EQ(snapshot->version().value, kWriters * kCommits);
  EXPECT_EQ(snapshot->files().num_files(), kWriters * kCommits + 1);
}

// Every changing call fails once in turn: the table is as before, or has the whole commit, and can be written to.
TEST_F(TransactionTest, AnyCallMayFail) {
  settings_.durability = Durability::kMachine;
  Create();
  FaultInjectionFileSystem files(LocalFileSystem());
  int64_t version = 0;
  for (int nth = 1; nth < 40; ++nth) {
    auto table = Open(&files);
    auto transaction = Begin(table);
    transaction->Stage(File("n" + std::to_string(nth)));
    files.FailNth(nth);
    auto outcome = transaction->Commit(Write());
    SnapshotPtr after = Open()->Update().ValueOrDie();
    if (outcome.ok()) {
      ASSERT_EQ(after->version().value, version + 1);
    } else {
      ASSERT_LE(after->version().value, version + 1);
    }
    version = after->version().value;
    ASSERT_EQ(after->files().num_files(), version + 1);
  }
}

TEST_F(TransactionTest, LostPowerLosesNoCommit) {
  settings_.durability = Durability::kMachine;
  FaultInjectionFileSystem files(LocalFileSystem());
  {
    auto transaction = Begin(Open(&files));
    Define(transaction.get());
    ASSERT_EQ(Version(transaction.get()), 0);
  }
  auto transaction = Begin(Open(&files));
  transaction->Stage(File("a"));
  ASSERT_EQ(Version(transaction.get()), 1);
  files.DropUnsynced();
  SnapshotPtr snapshot = Open()->Update().ValueOrDie();
  EXPECT_EQ(snapshot->version().value, 1);
  EXPECT_EQ(snapshot->files().num_files(), 1);
}

TEST_F(TransactionTest, FullDisk) {
  Create();
  FaultInjectionFileSystem files(LocalFileSystem());
  auto transaction = Begin(Open(&files));
  transaction->Stage(File("a"));
  files.SetFreeBytes(20);
  EXPECT_FALSE(transaction->Commit(Write()).ok());
  files.SetFreeBytes(std::nullopt);
  EXPECT_EQ(Open()->Update().ValueOrDie()->version().value, 0);
  auto again = Begin(Open(&files));
  again->Stage(File("b"));
  EXPECT_EQ(Version(again.get()), 1);
  for (const auto& entry : std::filesystem::directory_iterator(path_ + "/_delta_log")) {
    EXPECT_FALSE(entry.path().string().ends_with(".tmp")) << entry.path();
  }
}

// Removes the commits a checkpoint makes needless, and reads the table from it.
class CheckpointTest : public TransactionTest {
 protected:
  SnapshotPtr CommitMany(int count, const StringMap& properties) {
    auto table = Open();
    SnapshotPtr snapshot;
    for (int i = 0; i < count; ++i) {
      auto transaction = Begin(table);
      if (i == 0) Define(transaction.get(), {"p"}, properties);
      transaction->SetTxn("app", i);
      Add add = File("f" + std::to_string(i), InPartition(i % 2 == 0 ? std::optional<std::string>("1") : std::nullopt));
      add.stats = R"({"numRecords":1,"minValues":{"v":)" + std::to_string(i) + R"(},"maxValues":{"v":)" +
                  std::to_string(i) + R"(},"nullCount":{"v":0}})";
      if (i == 3) {
        transaction->snapshot()->files().ForEach([&](const FileRef& file) {
          if (file.columns->path(file.row) == "f0") {
            ASSERT_TRUE(transaction->StageRemove(file).ok());
          }
        });
      }
      transaction->Stage(add);
      auto outcome = transaction->Commit(Write()).ValueOrDie();
      auto committed = std::get<Committed>(outcome);
      EXPECT_TRUE(MaintainAfterCommit(*table, committed, {Durability::kProcess, &clock_, types::TimeZone::Utc()}).ok());
      snapshot = committed.snapshot;
    }
    return snapshot;
  }

  void RemoveCommitsBefore(int64_t version) {
    for (int64_t i = 0; i < version; ++i) {
      std::filesystem::remove(path_ + "/_delta_log/" + CommitFileName(TableVersion(i)));
      std::filesystem::remove(path_ + "/_delta_log/" + ChecksumFileName(TableVersion(i)));
    }
  }

  void ExpectSame(const Snapshot& a, const Snapshot& b) {
    EXPECT_EQ(a.version(), b.version());
    EXPECT_EQ(ToJsonLine(a.metadata()), ToJsonLine(b.metadata()));
    EXPECT_EQ(ToJsonLine(a.protocol()), ToJsonLine(b.protocol()));
    auto lines = [](const Snapshot& snapshot) {
      std::vector<std::string> all;
      snapshot.files().ForEach([&](const FileRef& file) {
        Add add = file.columns->ToAdd(file.row);
        add.data_change = false;
        all.push_back(ToJsonLine(add));
      });
      for (const auto& [app, txn] : snapshot.txns()) all.push_back(ToJsonLine(txn));
      std::sort(all.begin(), all.end());
      return all;
    };
    EXPECT_EQ(lines(a), lines(b));
  }
};

TEST_F(CheckpointTest, ClassicHoldsTheTable) {
  SnapshotPtr before = CommitMany(11, {});
  EXPECT_TRUE(std::filesystem::exists(path_ + "/_delta_log/00000000000000000010.checkpoint.parquet"));
  JsonValue last =
      ParseJson(LocalFileSystem()->ReadFile(path_ + "/_delta_log/_last_checkpoint").ValueOrDie()).ValueOrDie();
  EXPECT_EQ(last.Find("version")->AsInt64(), 10);
  EXPECT_EQ(last.Find("numOfAddFiles")->AsInt64(), 10);
  EXPECT_EQ(last.Find("size")->AsInt64(), 14);  // protocol, metadata, txn, ten files, a tombstone
  RemoveCommitsBefore(10);
  ExpectSame(*before, *Open()->Update().ValueOrDie());
}

TEST_F(CheckpointTest, V2HoldsTheTable) {
  SnapshotPtr before = CommitMany(5, {{"delta.checkpointPolicy", "v2"}, {"delta.checkpointInterval", "4"}});
  RemoveCommitsBefore(4);
  ExpectSame(*before, *Open()->Update().ValueOrDie());
}

// Appends let the list of files go; totals, checkpoints and commits of others are right all the same.
TEST_F(CheckpointTest, AppendsNeedNoFileList) {
  constexpr int kFilesAtFirst = 1100;
  auto table = Open();
  {
    auto transaction = Begin(table);
    Define(transaction.get(), {}, {{"delta.checkpointInterval", "5"}});
    for (int i = 0; i < kFilesAtFirst; ++i) transaction->Stage(File("first-" + std::to_string(i)));
    ASSERT_TRUE(transaction->Commit(Write()).ok());
  }
  {
    auto transaction = Begin(table);
    FileRef victim;
    transaction->snapshot()->files().ForEach([&](const FileRef& file) { victim = file; });
    ASSERT_TRUE(transaction->StageRemove(victim).ok());
    ASSERT_TRUE(transaction->Commit(Write()).ok());
  }
  settings_.detail = SnapshotDetail::kTotals;
  for (int i = 0; i < 20; ++i) {
    auto transaction = Begin(table);
    transaction->SetTxn("query", i);
    transaction->Stage(File("next-" + std::to_string(i)));
    auto committed = std::get<Committed>(transaction->Commit(Write()).ValueOrDie());
    ASSERT_TRUE(MaintainAfterCommit(*table, committed, {Durability::kProcess, &clock_, types::TimeZone::Utc()}).ok());
  }
  SnapshotPtr counted = table->Update(SnapshotDetail::kTotals).ValueOrDie();
  EXPECT_FALSE(counted->files().is_complete());
  EXPECT_EQ(counted->version(), TableVersion(21));
  RemoveCommitsBefore(20);
  SnapshotPtr rebuilt = Open()->Update().ValueOrDie();
  EXPECT_EQ(rebuilt->checkpoint_version(), TableVersion(20));
  EXPECT_EQ(rebuilt->files().num_files(), kFilesAtFirst - 1 + 20);
  EXPECT_EQ(counted->files().num_files(), rebuilt->files().num_files());
  EXPECT_EQ(counted->files().totals().counts(), rebuilt->files().totals().counts());
  EXPECT_EQ(rebuilt->TxnVersion("query"), 19);
  EXPECT_EQ(table->Tombstones(*rebuilt).ValueOrDie().size(), 1u);
  // Another writer removes a file: that cannot be counted without knowing which ones there are.
  {
    auto other = Open();
    settings_.detail = SnapshotDetail::kFiles;
    auto transaction = Begin(other);
    FileRef victim;
    transaction->snapshot()->files().ForEach([&](const FileRef& file) { victim = file; });
    ASSERT_TRUE(transaction->StageRemove(victim).ok());
    ASSERT_TRUE(transaction->Commit(Write()).ok());
  }
  EXPECT_EQ(table->Update(SnapshotDetail::kTotals).ValueOrDie()->files().num_files(), kFilesAtFirst - 2 + 20);
  SnapshotPtr whole = table->Update().ValueOrDie();
  EXPECT_TRUE(whole->files().is_complete());
  ExpectSame(*whole, *Open()->Update().ValueOrDie());
}

TEST_F(CheckpointTest, IntervalIsTheTables) {
  CommitMany(5, {{"delta.checkpointInterval", "2"}});
  EXPECT_TRUE(std::filesystem::exists(path_ + "/_delta_log/00000000000000000002.checkpoint.parquet"));
  EXPECT_TRUE(std::filesystem::exists(path_ + "/_delta_log/00000000000000000004.checkpoint.parquet"));
  EXPECT_FALSE(std::filesystem::exists(path_ + "/_delta_log/00000000000000000000.checkpoint.parquet"));
}

TEST_F(CheckpointTest, SidecarsGoWithTheirCheckpoints) {
  SnapshotPtr before = CommitMany(13, {{"delta.checkpointPolicy", "v2"}, {"delta.checkpointInterval", "4"}});
  auto num_sidecars = [&] {
    auto names = LocalFileSystem()->List(path_ + "/_delta_log/_sidecars").ValueOrDie();
    return names.size();
  };
  EXPECT_EQ(num_sidecars(), 3u);
  auto table = Open();
  SnapshotPtr snapshot = table->Update().ValueOrDie();
  int64_t later_ms = SystemClock().NowMillis() + int64_t{40} * 86400000;
  ASSERT_TRUE(CleanUpLog(*table, *snapshot, later_ms).ok());
  EXPECT_EQ(num_sidecars(), 1u);
  ExpectSame(*before, *Open()->Update().ValueOrDie());
}

TEST_F(CheckpointTest, OldLogFilesAreCleanedUp) {
  CommitMany(13, {{"delta.checkpointInterval", "5"}});
  auto table = Open();
  SnapshotPtr snapshot = table->Update().ValueOrDie();
  int64_t now_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  constexpr int64_t kDayMs = 86400000;
  ASSERT_TRUE(CleanUpLog(*table, *snapshot, now_ms + 29 * kDayMs).ok());
  EXPECT_TRUE(std::filesystem::exists(path_ + "/_delta_log/00000000000000000000.json"));
  ASSERT_TRUE(CleanUpLog(*table, *snapshot, now_ms + 32 * kDayMs).ok());
  EXPECT_FALSE(std::filesystem::exists(path_ + "/_delta_log/00000000000000000009.json"));
  EXPECT_FALSE(std::filesystem::exists(path_ + "/_delta_log/00000000000000000005.checkpoint.parquet"));
  EXPECT_TRUE(std::filesystem::exists(path_ + "/_delta_log/00000000000000000010.json"));
  ExpectSame(*snapshot, *Open()->Update().ValueOrDie());
}

}  // namespace
}  // namespace millrace::delta
