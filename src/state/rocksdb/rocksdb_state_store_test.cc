#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <map>
#include <random>

#include "base/error.h"
#include "base/ids.h"
#include "state/rocksdb/zip_archive.h"
#include "state/state_stores.h"

namespace millrace::state {
namespace {

namespace fs = std::filesystem;

std::string LongRow(std::initializer_list<int64_t> values) {
  std::string row(8 + 8 * values.size(), '\0');
  size_t at = 8;
  for (int64_t value : values) {
    std::memcpy(row.data() + at, &value, 8);
    at += 8;
  }
  return row;
}

using Rows = std::map<std::string, std::string>;

class RocksDbStore : public testing::TestWithParam<bool> {
 protected:
  RocksDbStore() : directory_(fs::temp_directory_path() / ("rocksdb_" + RandomUuid())) {
    conf_.provider_class = std::string(kRocksDbProvider);
    conf_.rocksdb_changelog = GetParam();
    conf_.durability = Durability::kProcess;
    conf_.min_deltas_for_snapshot = 4;
    conf_.min_versions_to_retain = 3;
  }
  ~RocksDbStore() override { fs::remove_all(directory_); }

  std::unique_ptr<StateStores> Start(int num_prefix_columns) {
    auto stores = std::make_unique<StateStores>(LocalFileSystem(), directory_.string(), conf_);
    auto key = types::Struct({{"a", types::Long()}, {"b", types::Long()}});
    StateStoreSchema schema{key, types::Struct({{"v", types::Long()}}), num_prefix_columns};
    auto status = stores->DeclareOperators({{0, "any", {{"default", schema}}, 1}}, false);
    EXPECT_TRUE(status.ok()) << status;
    return stores;
  }
  static Rows RowsOf(StateStore* store) {
    Rows rows;
    auto status = store->Scan([&rows](std::span<const StateEntry> entries) {
      for (const StateEntry& entry : entries) EXPECT_TRUE(rows.emplace(entry.key, entry.value).second);
      return arrow::Status::OK();
    });
    EXPECT_TRUE(status.ok()) << status;
    return rows;
  }

  fs::path directory_;
  StateStoreConf conf_;
};

TEST_P(RocksDbStore, EveryVersionThatIsRetainedCanBeOpened) {
  for (int num_prefix_columns : {0, 1}) {
    fs::remove_all(directory_);
    std::mt19937_64 random(5);
    std::map<int64_t, Rows> versions;
    Rows rows;
    {
      auto stores = Start(num_prefix_columns);
      for (int64_t v = 0; v < 15; ++v) {
        auto opened = stores->Open({}, StateVersion(v));
        ASSERT_TRUE(opened.ok()) << opened.status();
        StateStore* store = *opened;
        for (int i = 0; i < 40; ++i) {
          std::string key = LongRow({static_cast<int64_t>(random() % 6), static_cast<int64_t>(random() % 10)});
          if (random() % 4 == 0) {
            ASSERT_TRUE(store->Remove(key).ok());
            rows.erase(key);
          } else {
            std::string value = LongRow({v * 100 + i});
            ASSERT_TRUE(store->Put(key, value).ok());
            rows[key] = value;
          }
        }
        ASSERT_EQ(RowsOf(store), rows) << "before the commit";
        auto committed = store->Commit();
        ASSERT_TRUE(committed.ok()) << committed.status();
        EXPECT_EQ(store->metrics().num_keys, static_cast<int64_t>(rows.size()));
        ASSERT_EQ(RowsOf(store), rows);
        ASSERT_TRUE(stores->Maintain().ok());
        versions[v + 1] = rows;
      }
    }
    for (int64_t v = 13; v <= 15; ++v) {
      auto stores = Start(num_prefix_columns);
      auto opened = stores->Open({}, StateVersion(v));
      ASSERT_TRUE(opened.ok()) << opened.status();
      EXPECT_EQ(RowsOf(*opened), versions[v]);
      EXPECT_EQ((*opened)->metrics().num_keys, static_cast<int64_t>(versions[v].size()));
      if (num_prefix_columns == 0) continue;
      std::vector<StateEntry> found;
      ASSERT_TRUE((*opened)->PrefixScan(LongRow({3}), &found).ok());
      size_t expected = 0;
      for (const auto& [key, value] : versions[v]) expected += LongAt(key, 2, 0) == 3 ? 1 : 0;
      EXPECT_EQ(found.size(), expected);
      for (const StateEntry& entry : found) EXPECT_EQ(versions[v][std::string(entry.key)], entry.value);
    }
    EXPECT_FALSE(fs::exists(directory_ / "0/0/1.zip"));
    EXPECT_FALSE(fs::exists(directory_ / "0/0/1.changelog"));
  }
}

TEST_P(RocksDbStore, AbortedChangesAreGoneAndMissingFilesAreNamed) {
  auto stores = Start(0);
  for (int64_t v = 0; v < 3; ++v) {
    StateStore* store = *stores->Open({}, StateVersion(v));
    ASSERT_TRUE(store->Put(LongRow({1, v}), LongRow({v})).ok());
    ASSERT_TRUE(store->Commit().ok());
  }
  StateStore* store = *stores->Open({}, StateVersion(3));
  ASSERT_TRUE(store->Put(LongRow({9, 9}), LongRow({9})).ok());
  store->Abort();
  store = *stores->Open({}, StateVersion(3));
  EXPECT_EQ(RowsOf(store).size(), 3U);
  fs::path file = directory_ / "0/0" / (GetParam() ? "2.changelog" : "3.zip");
  fs::remove(file);
  auto reopened = Start(0)->Open({}, StateVersion(3));
  ASSERT_FALSE(reopened.ok());
  EXPECT_TRUE(IsErrorCondition(reopened.status(), "CANNOT_LOAD_STATE_STORE")) << reopened.status();
}

// Snapshots of a run that was rewound hold rows that are not those of this run.
TEST_P(RocksDbStore, FilesOfARewoundRunAreNotUsed) {
  auto put = [](StateStores* stores, int64_t version, int64_t value) {
    StateStore* store = *stores->Open({}, StateVersion(version));
    ASSERT_TRUE(store->Put(LongRow({1, version}), LongRow({value})).ok());
    ASSERT_TRUE(store->Commit().ok());
  };
  {
    auto stores = Start(0);
    for (int64_t v = 0; v < 9; ++v) put(stores.get(), v, v);
  }
  {
    auto stores = Start(0);
    for (int64_t v = 6; v < 9; ++v) put(stores.get(), v, 100 + v);
  }
  auto stores = Start(0);
  auto opened = stores->Open({}, StateVersion(9));
  ASSERT_TRUE(opened.ok()) << opened.status();
  Rows expected;
  for (int64_t v = 0; v < 9; ++v) expected[LongRow({1, v})] = LongRow({v < 6 ? v : 100 + v});
  EXPECT_EQ(RowsOf(*opened), expected);
}

// Each file cut off at some places, and with a bit flipped at others: the version comes out as it was, or an error
// names the file; nothing of the checkpoint is touched.
TEST_P(RocksDbStore, DamageIsNamedOrHarmless) {
  Rows expected;
  {
    auto stores = Start(0);
    for (int64_t v = 0; v < 6; ++v) {
      StateStore* store = *stores->Open({}, StateVersion(v));
      for (int64_t i = 0; i < 30; ++i) {
        ASSERT_TRUE(store->Put(LongRow({v, i}), LongRow({v * i})).ok());
        expected[LongRow({v, i})] = LongRow({v * i});
      }
      ASSERT_TRUE(store->Commit().ok());
    }
  }
  auto contents = [this] {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(directory_)) {
      if (entry.is_regular_file()) files[entry.path()] = LocalFileSystem()->ReadFile(entry.path()).ValueOrDie();
    }
    return files;
  };
  auto write = [](const std::string& path, std::string_view bytes) {
    auto file = LocalFileSystem()->OpenForWrite(path).ValueOrDie();
    ASSERT_TRUE(file->Append(bytes).ok() && file->Close().ok());
  };
  std::mt19937_64 random(17);
  int num_errors = 0;
  for (const auto& [path, bytes] : contents()) {
    if (path.find("_metadata") != std::string::npos || bytes.empty()) continue;
    for (int k = 0; k < 8; ++k) {
      std::string damaged = bytes;
      if (k < 3) {
        damaged.resize(random() % bytes.size());
      } else {
        damaged[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
      }
      write(path, damaged);
      auto before = contents();
      auto stores = std::make_unique<StateStores>(LocalFileSystem(), directory_.string(), conf_);
      StateStoreSchema schema{types::Struct({{"a", types::Long()}, {"b", types::Long()}}),
                              types::Struct({{"v", types::Long()}}), 0};
      ASSERT_TRUE(stores->DeclareOperators({{0, "any", {{"default", schema}}, 1}}, true).ok());
      auto opened = stores->Open({}, StateVersion(6));
      if (opened.ok()) {
        EXPECT_EQ(RowsOf(*opened), expected) << path << k;
      } else {
        ++num_errors;
        EXPECT_TRUE(IsErrorCondition(opened.status(), "CANNOT_LOAD_STATE_STORE")) << opened.status();
        EXPECT_NE(opened.status().message().find(path), std::string::npos) << opened.status() << path << k;
      }
      EXPECT_EQ(contents(), before);
    }
    write(path, bytes);
  }
  EXPECT_GE(num_errors, 12);
}

INSTANTIATE_TEST_SUITE_P(Changelog, RocksDbStore, testing::Bool());

TEST(ZipArchive, ComesBackAndDamageIsFound) {
  std::map<std::string, std::string> files{
      {"CURRENT", "MANIFEST-000004\n"}, {"empty", ""}, {"x", std::string(5000, 'x')}};
  std::string bytes = WriteZip(files);
  EXPECT_EQ(ReadZip(bytes).ValueOrDie(), files);
  for (size_t at = 0; at < bytes.size(); at += 3) {
    (void)ReadZip(bytes.substr(0, at));
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x20);
    (void)ReadZip(flipped);
  }
  bytes[bytes.find("xxxx") + 100] = 'y';
  EXPECT_FALSE(ReadZip(bytes).ok());
}

}  // namespace
}  // namespace millrace::state
