#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "base/ids.h"
#include "state/rocksdb/family_view.h"
#include "state/rocksdb/rocksdb_state_store.h"
#include "state/struct_rows.h"

namespace millrace::state {
namespace {

namespace fs = std::filesystem;

// Checkpoint format 2: files are told apart by ids.
class UniqueIds : public ::testing::Test {
 protected:
  UniqueIds() : folder_(fs::temp_directory_path() / ("unique-ids-" + RandomUuid())) {
    conf_.durability = Durability::kProcess;
    conf_.has_unique_ids = true;
    conf_.has_row_checksums = true;
    conf_.rocksdb_changelog = true;
    conf_.min_deltas_for_snapshot = 3;
    conf_.min_versions_to_retain = 2;
  }
  ~UniqueIds() override { fs::remove_all(folder_); }

  std::unique_ptr<RocksDbStateStoreProvider> Provider() {
    StateStoreSchema schema{types::Struct({{"k", types::Long()}}), types::Struct({{"v", types::Long()}})};
    return std::make_unique<RocksDbStateStoreProvider>(LocalFileSystem(), folder_.string(), StateStoreId{}, schema,
                                                       conf_, &unsynced_);
  }
  // Puts `value` under the version's number and commits; the id of the new version.
  static std::string Write(RocksDbStateStoreProvider* provider, int64_t version, const std::string& id, int64_t value) {
    auto opened = provider->Open(StateVersion(version), id);
    EXPECT_TRUE(opened.ok()) << opened.status();
    EXPECT_TRUE((*opened)->Put(LongRow(version), LongRow(value)).ok());
    EXPECT_TRUE((*opened)->Commit().ok());
    return (*opened)->unique_id();
  }
  static std::string ValueAt(StateStore* store, int64_t key) {
    return std::string(store->Get(LongRow(key)).ValueOrDie());
  }
  std::vector<fs::path> FilesOf(int64_t version) const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      if (entry.path().filename().string().starts_with(std::to_string(version) + "_")) files.push_back(entry.path());
    }
    return files;
  }

  fs::path folder_;
  StateStoreConf conf_;
  UnsyncedFiles unsynced_;
};

TEST_F(UniqueIds, TwoAttemptsAtAVersionAreTwoVersions) {
  auto provider = Provider();
  std::map<int64_t, std::string> ids{{0, ""}};
  for (int64_t v = 0; v < 5; ++v) ids[v + 1] = Write(provider.get(), v, ids[v], v * 10);
  EXPECT_NE(ids[4], ids[5]);
  std::string other = Write(provider.get(), 3, ids[3], 99);
  EXPECT_NE(other, ids[4]);
  for (const auto& [id, value] : {std::pair{ids[4], int64_t{30}}, std::pair{other, int64_t{99}}}) {
    auto fresh = Provider();
    auto opened = fresh->Open(StateVersion(4), id);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(ValueAt(*opened, 3), LongRow(value));
    EXPECT_EQ(ValueAt(*opened, 0), LongRow(0));
    EXPECT_EQ((*opened)->metrics().num_keys, 4);
  }
  EXPECT_FALSE(Provider()->Open(StateVersion(4), "somebody-else").ok());
  EXPECT_FALSE(Provider()->Open(StateVersion(4), {}).ok()) << "format 1 has other names";
}

TEST_F(UniqueIds, AnOlderSnapshotIsFoundByTheIdsInChangelogs) {
  auto provider = Provider();
  std::string id;
  for (int64_t v = 0; v < 7; ++v) id = Write(provider.get(), v, id, v * 10);
  for (const fs::path& file : FilesOf(6)) {
    if (file.extension() == ".zip") std::ofstream(file) << "no zip";
  }
  auto fresh = Provider();
  auto opened = fresh->Open(StateVersion(7), id);
  ASSERT_TRUE(opened.ok()) << opened.status();
  for (int64_t v = 0; v < 7; ++v) EXPECT_EQ(ValueAt(*opened, v), LongRow(v * 10)) << v;

  for (const fs::path& file : FilesOf(5)) fs::remove(file);
  auto missing = Provider()->Open(StateVersion(7), id);
  ASSERT_FALSE(missing.ok());
}

TEST_F(UniqueIds, WhatNoVersionNeedsGoesWithTheChecksumsThatSparkWrote) {
  auto provider = Provider();
  std::string id, third;
  for (int64_t v = 0; v < 9; ++v) {
    id = Write(provider.get(), v, id, v);
    if (v == 2) third = id;
  }
  EXPECT_FALSE(Write(provider.get(), 3, third, 7).empty());  // an attempt that no commit tells of
  for (const fs::path& file : FilesOf(1)) std::ofstream(file.string() + ".crc") << "{}";
  ASSERT_TRUE(provider->Open(StateVersion(9), id).ok());
  ASSERT_TRUE(provider->Maintain().ok());
  for (int64_t v : {1, 2, 3, 4, 5}) EXPECT_TRUE(FilesOf(v).empty()) << v << " " << FilesOf(v).front();
  EXPECT_FALSE(FilesOf(6).empty());
  EXPECT_TRUE(Provider()->Open(StateVersion(9), id).ok());
}

// The stores of a join of state format 3.
TEST_F(UniqueIds, AFamilyIsAStoreOfRows) {
  FamilyStoreProvider provider(LocalFileSystem(), folder_.string(), StateStoreId{2, 5}, conf_, &unsynced_);
  auto* store = static_cast<FamilyStore*>(provider.Open(StateVersion(0)).ValueOrDie());
  {
    auto counts = FamilyView::Open(store, "counts", true, std::nullopt).ValueOrDie();
    auto rows =
        FamilyView::Open(store, "rows", false, StoreTime{RowTime(1, 0, /*is_window=*/false), true}).ValueOrDie();
    EXPECT_EQ(rows->id().store_name, "rows");
    EXPECT_EQ(rows->id().partition, 5);
    for (int64_t key : {1, 2, 3}) {
      ASSERT_TRUE(counts->Put(LongRow(key), LongRow(10 * key)).ok());
      ASSERT_TRUE(rows->Put(LongRow(key), LongRow(100 * key)).ok());
    }
    ASSERT_TRUE(rows->Remove(LongRow(2)).ok());
    EXPECT_EQ(rows->Get(LongRow(2)).ValueOrDie().data(), nullptr);
    EXPECT_EQ(counts->Get(LongRow(2)).ValueOrDie(), LongRow(20));
    ASSERT_TRUE(store->Commit().ok());
    EXPECT_EQ(store->metrics().num_keys, 2) << "counts are internal";
  }
  auto* again = static_cast<FamilyStore*>(
      FamilyStoreProvider(LocalFileSystem(), folder_.string(), StateStoreId{2, 5}, conf_, &unsynced_)
          .Open(StateVersion(1), "unknown")
          .ValueOr(nullptr));
  EXPECT_EQ(again, nullptr);
  auto rows = FamilyView::Open(store, "rows", false, StoreTime{RowTime(1, 0, false), true}).ValueOrDie();
  ASSERT_TRUE(rows->Put(LongRow(4), LongRow(50)).ok());
  int64_t earliest = 0;
  std::vector<std::string> due;
  ASSERT_TRUE(rows->ScanUpTo(
                      150,
                      [&](std::span<const StateEntry> entries) {
                        for (const StateEntry& entry : entries) due.emplace_back(entry.value);
                        return arrow::Status::OK();
                      },
                      &earliest)
                  .ok());
  EXPECT_EQ(due, (std::vector<std::string>{LongRow(100), LongRow(50)}));
  EXPECT_EQ(earliest, 300);
  EXPECT_FALSE(rows->Commit().ok()) << "the families' store commits";
}

}  // namespace
}  // namespace millrace::state
