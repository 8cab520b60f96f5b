#include "state/state_stores.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/fault_injection_file_system.h"
#include "base/ids.h"
#include "state/operator_metadata.h"
#include "state/state_schema.h"
#include "state/version_files.h"

namespace millrace::state {
namespace {

namespace fs = std::filesystem;

std::string LongRow(int64_t value) {
  std::string row(16, '\0');
  std::memcpy(row.data() + 8, &value, 8);
  return row;
}

types::DataTypePtr LongStruct(const std::string& name) { return types::Struct({{name, types::Long()}}); }

class StateStoresTest : public testing::Test {
 protected:
  StateStoresTest() : directory_(fs::temp_directory_path() / ("state_" + RandomUuid())) {
    conf_.durability = Durability::kProcess;
    conf_.min_deltas_for_snapshot = 3;
    conf_.min_versions_to_retain = 2;
  }
  ~StateStoresTest() override { fs::remove_all(directory_); }

  std::unique_ptr<StateStores> Start(bool is_restart = false) {
    auto stores = std::make_unique<StateStores>(LocalFileSystem(), directory_.string(), conf_);
    auto status = stores->DeclareOperators({Aggregation()}, is_restart);
    EXPECT_TRUE(status.ok()) << status;
    return stores;
  }
  static StatefulOperatorInfo Aggregation() {
    return {0, "stateStoreSave", {{std::string(kDefaultStoreName), {LongStruct("k"), LongStruct("v"), 0}}}, 1};
  }

  // Version v puts (v % 5 → v) and, each third version, removes (v + 1) % 5.
  static void Change(StateStore* store, int64_t version) {
    ASSERT_TRUE(store->Put(LongRow(version % 5), LongRow(version)).ok());
    if (version % 3 != 0) return;
    ASSERT_TRUE(store->Remove(LongRow((version + 1) % 5)).ok());
  }
  static std::map<int64_t, int64_t> Expected(int64_t version) {
    std::map<int64_t, int64_t> rows;
    for (int64_t v = 1; v <= version; ++v) {
      rows[v % 5] = v;
      if (v % 3 == 0) rows.erase((v + 1) % 5);
    }
    return rows;
  }
  static std::map<int64_t, int64_t> Rows(StateStore* store) {
    std::map<int64_t, int64_t> rows;
    EXPECT_TRUE(store
                    ->Scan([&rows](std::span<const StateEntry> entries) {
                      for (const StateEntry& entry : entries) rows[LongAt(entry.key, 1, 0)] = LongAt(entry.value, 1, 0);
                      return arrow::Status::OK();
                    })
                    .ok());
    return rows;
  }
  void RunTo(StateStores* stores, int64_t from, int64_t to) {
    for (int64_t v = from; v < to; ++v) {
      StateStore* store = stores->Open({}, StateVersion(v)).ValueOrDie();
      Change(store, v + 1);
      ASSERT_EQ(store->Commit().ValueOrDie(), StateVersion(v + 1));
    }
  }

  fs::path directory_;
  StateStoreConf conf_;
};

TEST_F(StateStoresTest, EveryVersionThatIsRetainedCanBeOpened) {
  for (const char* codec : {"lz4", "zstd", "snappy", "lzf"}) {
    fs::remove_all(directory_);
    conf_.compression_codec = codec;
    {
      auto stores = Start();
      for (int64_t v = 0; v < 20; ++v) {
        RunTo(stores.get(), v, v + 1);
        ASSERT_TRUE(stores->Maintain().ok());
      }
    }
    for (int64_t v = 18; v <= 20; ++v) {
      auto stores = Start(true);
      EXPECT_EQ(Rows(stores->Open({}, StateVersion(v)).ValueOrDie()), Expected(v)) << codec << v;
    }
    EXPECT_FALSE(fs::exists(directory_ / "0/0/1.delta"));
    EXPECT_TRUE(fs::exists(directory_ / "0/0/20.snapshot")) << "every fourth version";
  }
}

// DISTINCT keeps rows without columns.
TEST_F(StateStoresTest, ARowWithoutBytesIsARow) {
  for (std::string_view provider : {kHdfsBackedProvider, kRocksDbProvider}) {
    fs::remove_all(directory_);
    conf_.provider_class = std::string(provider);
    {
      auto stores = Start();
      for (int64_t v = 0; v < 9; ++v) {
        StateStore* store = stores->Open({}, StateVersion(v)).ValueOrDie();
        ASSERT_TRUE(store->Put(LongRow(v), std::string_view()).ok());
        ASSERT_TRUE(store->Commit().ok());
        ASSERT_TRUE(stores->Maintain().ok());
      }
    }
    StateStore* store = nullptr;
    auto stores = Start(true);
    store = stores->Open({}, StateVersion(9)).ValueOrDie();
    for (int64_t v = 0; v < 9; ++v) EXPECT_NE(store->Get(LongRow(v)).ValueOrDie().data(), nullptr) << provider << v;
    EXPECT_EQ(store->Get(LongRow(9)).ValueOrDie().data(), nullptr);
    EXPECT_EQ(store->metrics().num_keys, 9);
  }
}

TEST_F(StateStoresTest, AVersionWithoutChangesHasItsFile) {
  auto stores = Start();
  ASSERT_TRUE(stores->Open({}, StateVersion(0)).ValueOrDie()->Commit().ok());
  EXPECT_EQ(fs::file_size(directory_ / "0/0/1.delta"), 46U) << "as Spark's";
}

TEST_F(StateStoresTest, AbortedOrFailedChangesAreGone) {
  auto stores = Start();
  RunTo(stores.get(), 0, 4);
  StateStore* store = stores->Open({}, StateVersion(4)).ValueOrDie();
  Change(store, 99);
  store->Abort();
  store = stores->Open({}, StateVersion(4)).ValueOrDie();
  EXPECT_EQ(Rows(store), Expected(4));
  Change(store, 99);
  ASSERT_TRUE(ArmFailpoint("state.before_delta_rename", FailpointAction::kError).ok());
  EXPECT_FALSE(store->Commit().ok());
  DisarmFailpoints();
  store = stores->Open({}, StateVersion(4)).ValueOrDie();
  EXPECT_EQ(Rows(store), Expected(4));
  // A batch that was committed and is run again replaces its version.
  RunTo(stores.get(), 4, 5);
  RunTo(stores.get(), 3, 6);
  EXPECT_EQ(Rows(stores->Open({}, StateVersion(6)).ValueOrDie()), Expected(6));
}

TEST_F(StateStoresTest, ASnapshotOfARewoundRunIsNotUsed) {
  {
    auto stores = Start();
    RunTo(stores.get(), 0, 8);
    ASSERT_TRUE(stores->Maintain().ok());
    ASSERT_TRUE(fs::exists(directory_ / "0/0/8.snapshot"));
  }
  auto stores = Start(true);
  for (int64_t v = 3; v < 8; ++v) {
    StateStore* store = stores->Open({}, StateVersion(v)).ValueOrDie();
    ASSERT_TRUE(store->Put(LongRow(0), LongRow(1000 + v)).ok());
    ASSERT_TRUE(store->Commit().ok());
  }
  auto rows = Rows(Start(true)->Open({}, StateVersion(8)).ValueOrDie());
  auto expected = Expected(3);
  expected[0] = 1007;
  EXPECT_EQ(rows, expected);
}

// Nothing is synced store by store; after Sync a loss of power takes nothing back, new folders included.
TEST_F(StateStoresTest, WhatWasSyncedSurvivesALossOfPower) {
  FaultInjectionFileSystem disk(LocalFileSystem());
  conf_.durability = Durability::kMachine;
  for (std::string_view provider : {kHdfsBackedProvider, kRocksDbProvider}) {
    for (bool changelog : {false, true}) {
      fs::remove_all(directory_);
      conf_.provider_class = std::string(provider);
      conf_.rocksdb_changelog = changelog;
      auto start = [&](bool is_restart) {
        auto stores = std::make_unique<StateStores>(&disk, directory_.string(), conf_);
        EXPECT_TRUE(stores->DeclareOperators({Aggregation()}, is_restart).ok());
        return stores;
      };
      auto stores = start(false);
      for (int64_t v = 0; v < 3; ++v) {
        RunTo(stores.get(), v, v + 1);
        ASSERT_TRUE(stores->Sync().ok());
      }
      RunTo(stores.get(), 3, 4);
      stores.reset();
      disk.DropUnsynced();
      stores = start(true);
      EXPECT_FALSE(stores->Open({}, StateVersion(4)).ok()) << "version 4 was never synced";
      auto opened = stores->Open({}, StateVersion(3));
      ASSERT_TRUE(opened.ok()) << opened.status();
      EXPECT_EQ(Rows(*opened), Expected(3)) << provider << changelog;
      RunTo(stores.get(), 3, 5);
      ASSERT_TRUE(stores->Sync().ok());
      stores.reset();
      disk.DropUnsynced();
      opened = start(true)->Open({}, StateVersion(5));
      ASSERT_TRUE(opened.ok()) << opened.status();
    }
  }
}

TEST_F(StateStoresTest, RowsAreFoundByTheirTime) {
  for (std::string_view provider : {kHdfsBackedProvider, kRocksDbProvider}) {
    for (bool in_value : {false, true}) {
      fs::remove_all(directory_);
      conf_.provider_class = std::string(provider);
      StatefulOperatorInfo info = Aggregation();
      info.stores[0].schema.time = StoreTime{RowTime(1, 0, false), in_value};
      StateStores stores(LocalFileSystem(), directory_.string(), conf_);
      ASSERT_TRUE(stores.DeclareOperators({info}, false).ok());
      std::map<int64_t, int64_t> expected;  // time → the other column
      for (int64_t v = 0; v < 12; ++v) {
        StateStore* store = stores.Open({}, StateVersion(v)).ValueOrDie();
        for (int64_t i = 0; i < 100; ++i) {
          int64_t time = v * 100 + (i * 37) % 400, other = time * 7;
          expected[time] = other;
          ASSERT_TRUE(store->Put(LongRow(in_value ? other : time), LongRow(in_value ? time : other)).ok());
        }
        int64_t watermark = v * 100 - 50;
        std::map<int64_t, int64_t> seen, due(expected.begin(), expected.upper_bound(watermark));
        expected.erase(expected.begin(), expected.upper_bound(watermark));
        int64_t earliest = 0;
        auto remove = [&](std::span<const StateEntry> entries) -> arrow::Status {
          for (const StateEntry& entry : entries) {
            int64_t key = LongAt(entry.key, 1, 0), value = LongAt(entry.value, 1, 0);
            EXPECT_TRUE(seen.emplace(in_value ? value : key, in_value ? key : value).second);
            ARROW_RETURN_NOT_OK(store->Remove(entry.key));
          }
          return arrow::Status::OK();
        };
        ASSERT_TRUE(store->ScanUpTo(watermark, remove, &earliest).ok());
        EXPECT_EQ(seen, due) << provider << v;
        EXPECT_EQ(earliest, expected.begin()->first);
        EXPECT_EQ(Rows(store).size(), expected.size());
        ASSERT_TRUE(store->Commit().ok());
      }
    }
  }
}

// Hadoop's checksums, of files that Spark wrote before it died: what is written anew must not be checked by them.
TEST_F(StateStoresTest, ChecksumsOfReplacedFilesGo) {
  auto touch = [this](const char* name) {
    ASSERT_TRUE(LocalFileSystem()->OpenForWrite(directory_ / "0/0" / name).ok());
  };
  RunTo(Start().get(), 0, 2);
  for (const char* name : {".1.delta.crc", ".2.delta.crc", ".3.delta.crc", "3.snapshot", ".3.snapshot.crc"})
    touch(name);
  auto stores = Start(true);
  RunTo(stores.get(), 2, 12);
  EXPECT_TRUE(fs::exists(directory_ / "0/0/.2.delta.crc")) << "its file is Spark's";
  EXPECT_FALSE(fs::exists(directory_ / "0/0/.3.delta.crc"));
  EXPECT_FALSE(fs::exists(directory_ / "0/0/.3.snapshot.crc"));
  ASSERT_TRUE(stores->Maintain().ok());
  RunTo(stores.get(), 12, 15);
  ASSERT_TRUE(stores->Maintain().ok());
  EXPECT_FALSE(fs::exists(directory_ / "0/0/.2.delta.crc")) << "removed with its file";
}

TEST_F(StateStoresTest, DamagedFilesAreNamed) {
  RunTo(Start().get(), 0, 3);
  auto open = [this] { return Start(true)->Open({}, StateVersion(3)).status(); };
  std::string path = directory_ / "0/0/2.delta";
  std::string bytes = LocalFileSystem()->ReadFile(path).ValueOrDie();
  auto write = [&path](std::string_view content) {
    auto file = LocalFileSystem()->OpenForWrite(path).ValueOrDie();
    ASSERT_TRUE(file->Append(content).ok() && file->Close().ok());
  };
  for (size_t size = 0; size < bytes.size(); size += 5) {
    write(std::string_view(bytes).substr(0, size));
    arrow::Status status = open();
    EXPECT_TRUE(IsErrorCondition(status, "CANNOT_LOAD_STATE_STORE")) << status;
    EXPECT_NE(status.message().find(path), std::string::npos) << status;
  }
  bytes[30] = static_cast<char>(bytes[30] ^ 4);
  write(bytes);
  EXPECT_TRUE(IsErrorCondition(open(), "CANNOT_LOAD_STATE_STORE.UNCATEGORIZED"));
  fs::remove(path);
  EXPECT_TRUE(IsErrorCondition(open(), "CANNOT_LOAD_STATE_STORE.CANNOT_READ_DELTA_FILE_NOT_EXISTS"));
}

// Each file cut off at some places, and with a bit flipped at others: the version comes out as it was, or an error
// names the file; nothing of the checkpoint is touched.
TEST_F(StateStoresTest, DamageIsNamedOrHarmless) {
  conf_.min_versions_to_retain = 4;
  {
    auto stores = Start();
    RunTo(stores.get(), 0, 12);
    ASSERT_TRUE(stores->Maintain().ok());
    RunTo(stores.get(), 12, 15);
    ASSERT_TRUE(stores->Maintain().ok());
  }
  auto contents = [this] {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(directory_ / "0/0")) {
      if (entry.is_regular_file()) files[entry.path()] = LocalFileSystem()->ReadFile(entry.path()).ValueOrDie();
    }
    return files;
  };
  auto write = [](const std::string& path, std::string_view bytes) {
    auto file = LocalFileSystem()->OpenForWrite(path).ValueOrDie();
    ASSERT_TRUE(file->Append(bytes).ok() && file->Close().ok());
  };
  int num_errors = 0;
  for (const auto& [path, bytes] : contents()) {
    for (size_t k = 0; k < 2 * bytes.size(); k += 3) {
      std::string damaged = bytes;
      if (k < bytes.size()) {
        damaged.resize(k);
      } else {
        damaged[k - bytes.size()] ^= static_cast<char>(1 << k % 8);
      }
      write(path, damaged);
      auto before = contents();
      auto stores = Start(true);
      auto opened = stores->Open({}, StateVersion(15));
      if (opened.ok()) {
        EXPECT_EQ(Rows(*opened), Expected(15)) << path << k;
      } else {
        ++num_errors;
        EXPECT_TRUE(IsErrorCondition(opened.status(), "CANNOT_LOAD_STATE_STORE")) << opened.status();
        EXPECT_NE(opened.status().message().find(path), std::string::npos) << opened.status();
      }
      ASSERT_EQ(contents(), before);
    }
    write(path, bytes);
  }
  EXPECT_GE(num_errors, 100);
}

TEST_F(StateStoresTest, ADamagedSnapshotIsPassedOver) {
  conf_.min_versions_to_retain = 100;
  auto stores = Start();
  RunTo(stores.get(), 0, 8);
  ASSERT_TRUE(stores->Maintain().ok());
  fs::resize_file(directory_ / "0/0/8.snapshot", 30);
  EXPECT_EQ(Rows(Start(true)->Open({}, StateVersion(8)).ValueOrDie()), Expected(8));
  fs::remove(directory_ / "0/0/1.delta");
  EXPECT_TRUE(IsErrorCondition(Start(true)->Open({}, StateVersion(8)).status(), "CANNOT_LOAD_STATE_STORE"));
}

TEST_F(StateStoresTest, OperatorsAndSchemasAreChecked) {
  RunTo(Start().get(), 0, 1);
  auto declare = [this](const StatefulOperatorInfo& info) {
    return StateStores(LocalFileSystem(), directory_.string(), conf_).DeclareOperators({info}, true);
  };
  StatefulOperatorInfo renamed = Aggregation();
  renamed.operator_name = "dedupe";
  arrow::Status status = declare(renamed);
  EXPECT_TRUE(IsErrorCondition(status, "STREAMING_STATEFUL_OPERATOR_NOT_MATCH_IN_STATE_METADATA"));
  EXPECT_NE(status.message().find("[(OperatorId: 0 -> OperatorName: stateStoreSave)]"), std::string::npos) << status;

  StatefulOperatorInfo other_key = Aggregation();
  other_key.stores[0].schema.key = types::Struct({{"k", types::String()}});
  status = declare(other_key);
  EXPECT_TRUE(IsErrorCondition(status, "STATE_STORE_KEY_SCHEMA_NOT_COMPATIBLE"));
  EXPECT_NE(status.message().find("Existing key_schema=StructType(StructField(k,LongType,true)) and new "
                                  "key_schema=StructType(StructField(k,StringType,true))"),
            std::string::npos)
      << status;

  StatefulOperatorInfo other_value = Aggregation();
  other_value.stores[0].schema.value = types::Struct({{"v", types::Long()}, {"w", types::Long()}});
  EXPECT_TRUE(IsErrorCondition(declare(other_value), "STATE_STORE_VALUE_SCHEMA_NOT_COMPATIBLE"));
  StatefulOperatorInfo other_name = Aggregation();
  other_name.stores[0].schema.key = LongStruct("another");
  EXPECT_TRUE(declare(other_name).ok());
  StatefulOperatorInfo narrower = Aggregation();
  narrower.stores[0].schema.key = types::Struct({{"k", types::Long(), false}});
  EXPECT_TRUE(declare(narrower).ok());
}

// Bytes of a real 4.2 checkpoint's metadata file.
TEST(OperatorMetadata, TextIsSparks) {
  OperatorMetadata metadata;
  metadata.operator_name = "stateStoreSave";
  metadata.stores.push_back({"default", 0, 5, {}});
  std::string text =
      "v1\n{\"operatorInfo\":{\"operatorId\":0,\"operatorName\":\"stateStoreSave\"},\"stateStoreInfo\":[{\"storeName\":"
      "\"default\",\"numColsPrefixKey\":0,\"numPartitions\":5}]}";
  EXPECT_EQ(EncodeOperatorMetadata(metadata), text);
  auto decoded = DecodeOperatorMetadata(text, "metadata").ValueOrDie();
  EXPECT_EQ(EncodeOperatorMetadata(decoded), text);
  EXPECT_FALSE(DecodeOperatorMetadata(text.substr(0, 60), "metadata").ok());
}

TEST(StateSchema, ComesBack) {
  auto key = types::Struct({{"clé", types::String()}, {"n\xF0\x9F\x98\x80", types::Decimal(20, 3), false}});
  std::vector<types::StructField> many(3000, types::StructField{"a_rather_long_column_name", types::Long()});
  auto value = types::Struct(many);
  std::string bytes = EncodeSchemaFile(*key, *value);
  auto schemas = DecodeSchemaFile(bytes, "schema").ValueOrDie();
  ASSERT_EQ(schemas.size(), 1U);
  EXPECT_TRUE(schemas[0].key->Equals(*key));
  EXPECT_TRUE(schemas[0].value->Equals(*value));
  for (size_t size = 0; size < bytes.size(); size += 101)
    EXPECT_FALSE(DecodeSchemaFile(bytes.substr(0, size), "s").ok());
}

// Every store of the real checkpoints of Spark 3.2 and 3.5 loads, with the rows that its files hold.
TEST(SparkCheckpoints, Load) {
  fs::path shared = "../shared/spark-checkpoints";  // tests run in the root of the tree
  if (!fs::exists(shared)) GTEST_SKIP() << "no " << shared;
  struct Case {
    const char* checkpoint;
    const char* store;
    int64_t version;
    int64_t num_rows;
  };
  for (const Case& c : {Case{"checkpoint-version-3.5.1-streaming-deduplication", "default", 2, 2},
                        Case{"checkpoint-version-3.2.0-streaming-aggregate-with-repartition", "default", 2, 2},
                        Case{"checkpoint-version-3.2.0-session-window-with-repartition", "default", 2, 8},
                        Case{"checkpoint-version-3.5.1-streaming-join", "left-keyWithIndexToValue", 1, 2}}) {
    SCOPED_TRACE(c.checkpoint);
    std::string state = shared / c.checkpoint / "state";
    auto schema = ReadSchema(*LocalFileSystem(), state, 0, c.store).ValueOrDie();
    ASSERT_TRUE(schema.has_value());
    UnsafeRowDecoder keys(FieldTypes(*schema->key)), values(FieldTypes(*schema->value));
    int64_t num_rows = 0;
    for (int partition = 0; partition < 5; ++partition) {
      StatefulOperatorInfo info{0, "any", {{c.store, {schema->key, schema->value, 0}}}, 5};
      VersionFiles files(LocalFileSystem(), StoreDirectory(state, {0, partition, c.store}), {0, partition, c.store},
                         "lz4", /*has_row_checksums=*/false, Durability::kProcess, nullptr);
      RowTable table;
      ASSERT_TRUE(files.Load(StateVersion(c.version), &table).ok());
      ASSERT_TRUE(table
                      .Scan([&](std::span<const StateEntry> entries) {
                        for (const StateEntry& entry : entries) {
                          EXPECT_TRUE(keys.Decode(std::vector{entry.key}).ok());
                          EXPECT_TRUE(values.Decode(std::vector{entry.value}).ok());
                          ++num_rows;
                        }
                        return arrow::Status::OK();
                      })
                      .ok());
    }
    EXPECT_EQ(num_rows, c.num_rows);
  }
}

}  // namespace
}  // namespace millrace::state
