#include "state/rocksdb/family_store.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/ids.h"
#include "state/compression/compressed_stream.h"
#include "state/struct_rows.h"

namespace millrace::state {
namespace {

class FamilyStoreTest : public ::testing::Test {
 protected:
  FamilyStoreTest() : folder_(std::filesystem::temp_directory_path() / ("family-store-" + RandomUuid())) {}
  ~FamilyStoreTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<FamilyStoreProvider> Provider(bool with_comma = false) const {
    StateStoreConf conf;
    conf.durability = Durability::kProcess;
    conf.rocksdb_merges_with_comma = with_comma;
    return std::make_unique<FamilyStoreProvider>(LocalFileSystem(), folder_.string(), StateStoreId{}, conf, nullptr);
  }
  static FamilyStore& Open(FamilyStoreProvider& provider, int64_t version) {
    return *static_cast<FamilyStore*>(provider.Open(StateVersion(version)).ValueOrDie());
  }

  std::filesystem::path folder_;
};

TEST_F(FamilyStoreTest, RowsOfFamiliesSurviveACommitAndCountWhenTheyAreNotInternal) {
  {
    auto provider = Provider();
    FamilyStore& store = Open(*provider, 0);
    int count = store.OpenFamily("count", false).ValueOrDie();
    int index = store.OpenFamily("$ttl_count", true).ValueOrDie();
    EXPECT_EQ(count, 1);
    EXPECT_EQ(store.OpenFamily("count", false).ValueOrDie(), count);
    ASSERT_TRUE(store.PutIn(count, WholeKey("key-of-8"), StoredValue(LongRow(5))).ok());
    ASSERT_TRUE(store.PutIn(index, WholeKey("key-of-8"), StoredValue(NullRow())).ok());
    ASSERT_TRUE(store.Commit().ok());
    EXPECT_EQ(store.metrics().num_keys, 1);
  }
  auto provider = Provider();
  FamilyStore& store = Open(*provider, 1);
  int count = store.OpenFamily("count", false).ValueOrDie();
  EXPECT_EQ(count, 1);
  EXPECT_EQ(store.OpenFamily("other", false).ValueOrDie(), 3);
  EXPECT_EQ(RowOfValue(store.GetIn(count, WholeKey("key-of-8")).ValueOrDie()).ValueOrDie(), LongRow(5));
  EXPECT_EQ(store.GetIn(2, WholeKey("absent")).ValueOrDie().data(), nullptr);
  EXPECT_EQ(store.metrics().num_keys, 1);
  EXPECT_TRUE(store.DropFamily("count").ValueOrDie());
  EXPECT_FALSE(store.DropFamily("count").ValueOrDie());
  ASSERT_TRUE(store.Commit().ok());
  EXPECT_EQ(store.metrics().num_keys, 0);
}

TEST_F(FamilyStoreTest, AbortedChangesAreGone) {
  auto provider = Provider();
  FamilyStore& store = Open(*provider, 0);
  int family = store.OpenFamily("v", false).ValueOrDie();
  ASSERT_TRUE(store.PutIn(family, WholeKey("a"), StoredValue(LongRow(1))).ok());
  store.Abort();
  FamilyStore& again = Open(*provider, 0);
  EXPECT_EQ(again.GetIn(again.OpenFamily("v", false).ValueOrDie(), WholeKey("a")).ValueOrDie().data(), nullptr);
}

TEST_F(FamilyStoreTest, EntriesComeInTheOrderOfTheirKeysStoredAndNewOnes) {
  auto provider = Provider();
  FamilyStore& store = Open(*provider, 0);
  int family = store.OpenFamily("$procTimers_timestampToKey", true).ValueOrDie();
  auto key = [](int64_t time) { return PrefixedKey(OrderedPrefixRow(time), RowOfStructs({LongRow(7)})); };
  auto times = [&](FamilyStore& from, std::optional<std::string> end, size_t limit) {
    std::vector<int64_t> found;
    auto entries = from.EntriesIn(family, {}, std::move(end), limit).ValueOrDie();
    for (const auto& entry : entries) found.push_back(OrderedValueOf(entry.first).ValueOrDie());
    return found;
  };
  for (int64_t time : {300, -5, 20}) ASSERT_TRUE(store.PutIn(family, key(time), StoredValue(NullRow())).ok());
  ASSERT_TRUE(store.Commit().ok());
  FamilyStore& next = Open(*provider, 1);
  ASSERT_TRUE(next.PutIn(family, key(100), StoredValue(NullRow())).ok());
  ASSERT_TRUE(next.RemoveIn(family, key(20)).ok());
  EXPECT_EQ(times(next, std::nullopt, SIZE_MAX), (std::vector<int64_t>{-5, 100, 300}));
  EXPECT_EQ(times(next, KeyPrefix(OrderedPrefixRow(300)), SIZE_MAX), (std::vector<int64_t>{-5, 100}));
  EXPECT_EQ(times(next, std::nullopt, 1), (std::vector<int64_t>{-5}));
  auto entries = next.EntriesIn(family, {}).ValueOrDie();
  EXPECT_EQ(StructAt(RestOfKey(entries[0].first).ValueOrDie(), 1, 0), LongRow(7));
}

TEST_F(FamilyStoreTest, ListsGrowWithAndWithoutAComma) {
  for (bool with_comma : {false, true}) {
    std::filesystem::remove_all(folder_);
    auto provider = Provider(with_comma);
    FamilyStore& store = Open(*provider, 0);
    int family = store.OpenFamily("list", false).ValueOrDie();
    ASSERT_TRUE(store.AppendIn(family, WholeKey("k"), StoredElement(LongRow(1))).ok());
    ASSERT_TRUE(store.Commit().ok());
    FamilyStore& next = Open(*provider, 1);
    ASSERT_TRUE(next.AppendIn(family, WholeKey("k"), StoredElement(LongRow(2))).ok());
    std::string value(next.GetIn(family, WholeKey("k")).ValueOrDie());
    EXPECT_EQ(value.size(), 2 * (4 + 1 + 16) + (with_comma ? 1U : 0U));
    auto rows = next.ListRows(value).ValueOrDie();
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[1], LongRow(2));
    EXPECT_FALSE(next.ListRows(value.substr(0, value.size() - 3)).ok());
  }
}

// Spark writes no zip for versions that add no family when changelogs are on.
TEST_F(FamilyStoreTest, ChangelogsAfterASnapshotAreRead) {
  auto provider = Provider();
  FamilyStore& first = Open(*provider, 0);
  int value = first.OpenFamily("value", false).ValueOrDie();
  int list = first.OpenFamily("list", false).ValueOrDie();
  ASSERT_TRUE(first.PutIn(value, WholeKey("a"), StoredValue(LongRow(1))).ok());
  ASSERT_TRUE(first.PutIn(value, WholeKey("b"), StoredValue(LongRow(2))).ok());
  ASSERT_TRUE(first.AppendIn(list, WholeKey("a"), StoredElement(LongRow(1))).ok());
  ASSERT_TRUE(first.Commit().ok());

  auto big_endian = [](size_t size) {
    return std::string{static_cast<char>(size >> 24), static_cast<char>(size >> 16), static_cast<char>(size >> 8),
                       static_cast<char>(size)};
  };
  auto sized = [&](const std::string& bytes) { return big_endian(bytes.size()) + bytes; };
  auto key = [](int family, const std::string& row) {
    return std::string{static_cast<char>(family), '\0'} + WholeKey(row);
  };
  auto write = [&](int64_t version, const std::string& records) {
    auto file = LocalFileSystem()->OpenForWrite((folder_ / (std::to_string(version) + ".changelog")).string());
    auto writer = MakeCompressedWriter("lz4", file->get()).ValueOrDie();
    ASSERT_TRUE(writer->Append(std::string("\0\2v2", 4) + records).ok());
    ASSERT_TRUE(writer->Finish().ok());
    ASSERT_TRUE((*file)->Close().ok());
  };
  write(2, "\x01" + sized(key(value, "a")) + sized(StoredValue(LongRow(7))) +                              // put
               "\x10" + sized(key(value, "b")) + "\xff\xff\xff\xff" +                                      // delete
               "\x11" + sized(key(list, "a")) + sized(StoredElement(LongRow(2))) + std::string(1, '\0'));  // merge
  write(3, "\x11" + sized(key(list, "a")) + sized(StoredElement(LongRow(3)) + StoredElement(LongRow(4))) + "\x01" +
               sized(key(value, "c")) + sized(StoredValue(LongRow(9))) + std::string(1, '\0'));

  provider = Provider();
  FamilyStore& store = Open(*provider, 3);
  EXPECT_EQ(RowOfValue(store.GetIn(value, WholeKey("a")).ValueOrDie()).ValueOrDie(), LongRow(7));
  EXPECT_EQ(store.GetIn(value, WholeKey("b")).ValueOrDie().data(), nullptr);
  EXPECT_EQ(RowOfValue(store.GetIn(value, WholeKey("c")).ValueOrDie()).ValueOrDie(), LongRow(9));
  std::string listed(store.GetIn(list, WholeKey("a")).ValueOrDie());
  EXPECT_EQ(store.ListRows(listed).ValueOrDie().size(), 4U);
  EXPECT_EQ(store.metrics().num_keys, 3);
  EXPECT_EQ(Open(*provider, 2).EntriesIn(value, {}).ValueOrDie().size(), 1U);

  write(4, "\x01" + sized(key(value, "d")));
  EXPECT_FALSE(provider->Open(StateVersion(4)).ok());
  auto missing = provider->Open(StateVersion(6));
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.status().message().find("5.changelog"), std::string::npos) << missing.status();
}

// Keys as docs/formats/state_rocksdb.md says them.
TEST(FamilyKeyTest, BytesAreSparks) {
  EXPECT_EQ(PrefixedKey("pppppppp", "rr"), std::string("\x09\0\0\0\0pppppppp\0rr", 16));
  EXPECT_EQ(OrderedPrefixRow(258),
            std::string("\0\0\0\0\0\0\0\0\x09\0\0\0\x10\0\0\0\x01\0\0\0\0\0\0\x01\x02\0\0\0\0\0\0\0", 32));
  EXPECT_LT(OrderedPrefixRow(-1), OrderedPrefixRow(0));
  EXPECT_EQ(StructAt(RowOfStructs({LongRow(1), LongRow(2)}), 2, 1), LongRow(2));
  EXPECT_EQ(StructAt(RowWithTime(LongRow(3), 9), 2, 0), LongRow(3));
  EXPECT_TRUE(StructAt("short", 1, 0).empty());
}

}  // namespace
}  // namespace millrace::state
