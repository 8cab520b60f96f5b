#include "state/rocksdb/rocksdb_state_store.h"

#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/ids.h"
#include "state/memory/row_table.h"

namespace millrace::state {

using arrow::Result;
using arrow::Status;

namespace {

constexpr size_t kScanChunk = 1024;

Status FromRocksDb(const rocksdb::Status& status, std::string_view what) {
  if (status.ok()) return Status::OK();
  if (status.IsCorruption()) {
    Status error = UserError("CANNOT_LOAD_STATE_STORE.UNCATEGORIZED");
    return error.WithMessage(error.message(), "\nRocksDB, ", what, ": ", status.ToString());
  }
  return WorldError("RocksDB, " + std::string(what) + ": " + status.ToString());
}

rocksdb::Options OptionsOf() {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.max_background_jobs = 2;
  rocksdb::BlockBasedTableOptions table;
  table.format_version = 5;  // as spark.sql.streaming.stateStore.rocksdb.formatVersion
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

// In the tables of a micro-batch a word stands before the row: whether there is one. A row without columns has no
// bytes.
constexpr size_t kTagBytes = 8;

bool IsThere(std::string_view tagged) { return tagged[0] != 0; }

std::string_view ViewOf(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

}  // namespace

class RocksDbStateStoreProvider::Store final : public StateStore {
 public:
  explicit Store(RocksDbStateStoreProvider* provider) : provider_(provider), encoding_(provider->schema_) {}
  ~Store() override { Close(); }

  const StateStoreId& id() const override { return provider_->id_; }
  StateVersion version() const override { return version_; }
  bool is_usable() const { return usable_; }
  bool has_changes() const { return changes_.num_changes() != 0; }

  Status Load(StateVersion version);

  Result<std::string_view> Get(std::string_view key) override {
    std::string_view known = changes_.Get(key);
    if (known.data() == nullptr) known = reads_.Get(key);
    if (known.data() != nullptr) return Untagged(known);
    encoding_.EncodeKey(key, &encoded_);
    value_.Reset();
    rocksdb::Status status = db_->Get({}, db_->DefaultColumnFamily(), encoded_, &value_);
    if (!status.IsNotFound()) ARROW_RETURN_NOT_OK(FromRocksDb(status, "get"));
    std::string_view value;
    if (status.ok()) {
      ARROW_ASSIGN_OR_RAISE(value, RocksDbEncoding::DecodeValue(ViewOf(value_)));
    }
    // Kept for the micro-batch: views stay valid, and each key is looked up once.
    ARROW_RETURN_NOT_OK(reads_.Put(key, Tagged(status.ok(), value)).status());
    return Untagged(reads_.Get(key));
  }

  Result<StateEntry> Find(std::string_view key) override {
    ARROW_ASSIGN_OR_RAISE(std::string_view value, Get(key));
    return value.data() == nullptr ? StateEntry{} : StateEntry{key, value, 0};
  }

  Status Put(std::string_view key, std::string_view value) override {
    ARROW_ASSIGN_OR_RAISE(std::string_view old, Get(key));
    if (old.data() == nullptr) ++num_keys_;
    return changes_.Put(key, Tagged(true, value)).status();
  }

  Status Remove(std::string_view key) override {
    ARROW_ASSIGN_OR_RAISE(std::string_view old, Get(key));
    if (old.data() == nullptr) return Status::OK();
    --num_keys_;
    return changes_.Put(key, Tagged(false, {})).status();
  }

  Status GetAll(const UnsafeRows& keys, std::vector<std::string_view>* values) override {
    values->resize(static_cast<size_t>(keys.num_rows()));
    for (size_t i = 0; i < values->size(); ++i) {
      ARROW_ASSIGN_OR_RAISE((*values)[i], Get(keys.row(static_cast<int64_t>(i))));
    }
    return Status::OK();
  }

  Status PutAll(const UnsafeRows& keys, const UnsafeRows& values) override {
    for (int64_t i = 0; i < keys.num_rows(); ++i) ARROW_RETURN_NOT_OK(Put(keys.row(i), values.row(i)));
    return Status::OK();
  }

  Status Scan(const Visitor& visit) override { return ScanFrom(std::string(), visit); }

  Status PrefixScan(std::string_view prefix, std::vector<StateEntry>* rows) override {
    std::string begin;
    encoding_.EncodePrefix(prefix, &begin);
    return ScanFrom(begin, [&](std::span<const StateEntry> entries) -> Status {
      // Views outlive the scan: the rows are read into the micro-batch's memory.
      for (const StateEntry& entry : entries) {
        if (reads_.Get(entry.key).data() == nullptr) {
          ARROW_RETURN_NOT_OK(reads_.Put(entry.key, Tagged(true, entry.value)).status());
        }
        StateEntry kept = changes_.Find(entry.key);
        if (kept.key.data() == nullptr) kept = reads_.Find(entry.key);
        rows->push_back({kept.key, Untagged(kept.value), 0});
      }
      return Status::OK();
    });
  }

  Result<StateVersion> Commit() override;
  void Abort() override { usable_ = false; }

  StateStoreMetrics metrics() const override {
    uint64_t tables = 0, memtables = 0;
    if (db_ != nullptr) {
      db_->GetIntProperty("rocksdb.estimate-table-readers-mem", &tables);
      db_->GetIntProperty("rocksdb.cur-size-all-mem-tables", &memtables);
    }
    return {num_keys_,
            static_cast<int64_t>(tables + memtables) + changes_.memory_bytes() + reads_.memory_bytes(),
            {{"SnapshotLastUploaded.partition_" + std::to_string(id().partition) + "_" + id().store_name,
              provider_->last_snapshot_.load()}}};
  }

 private:
  std::string_view Tagged(bool is_there, std::string_view value) {
    tagged_.assign(kTagBytes, '\0');
    tagged_[0] = is_there ? 1 : 0;
    tagged_.append(value);
    return tagged_;
  }
  static std::string_view Untagged(std::string_view tagged) {
    return IsThere(tagged) ? tagged.substr(kTagBytes) : std::string_view();
  }

  void Close() {
    if (db_ == nullptr) return;
    value_.Reset();  // it may hold a block of the database's cache
    (void)db_->Close();
    db_.reset();
  }

  Status OpenDb() {
    rocksdb::DB* db = nullptr;
    ARROW_RETURN_NOT_OK(FromRocksDb(rocksdb::DB::Open(OptionsOf(), database_path(), &db), "open"));
    db_.reset(db);
    return Status::OK();
  }

  // Changes that were put, in the order of RocksDB; rows whose encoded key begins with `prefix`.
  Status ScanFrom(const std::string& prefix, const Visitor& visit);
  Status WriteSnapshot(StateVersion version);
  std::string database_path() const { return JoinPath(provider_->local_directory_, "db"); }

  RocksDbStateStoreProvider* provider_;
  RocksDbEncoding encoding_;
  std::unique_ptr<rocksdb::DB> db_;
  StateVersion version_{0};
  bool usable_ = true;
  int64_t num_keys_ = 0;
  int64_t last_snapshot_ = 0;
  RocksDbFiles::Snapshot known_;
  /// What the micro-batch changed and what it read, tagged.
  RowTable changes_;
  RowTable reads_;
  std::string encoded_;
  std::string tagged_;
  rocksdb::PinnableSlice value_;
};

Status RocksDbStateStoreProvider::Store::Load(StateVersion version) {
  Close();
  std::error_code ignored;
  std::filesystem::remove_all(database_path(), ignored);
  ARROW_RETURN_NOT_OK(LocalFileSystem()->CreateDirectories(provider_->local_directory_));
  ARROW_ASSIGN_OR_RAISE(RocksDbFiles::Listing listing, provider_->files_.List());
  int64_t base = 0;
  if (version.value > 0) {
    auto after = listing.snapshots.upper_bound(version.value);
    if (after != listing.snapshots.begin()) base = *std::prev(after);
  }
  if (base > 0) {
    ARROW_ASSIGN_OR_RAISE(known_, provider_->files_.Download(base, database_path()));
    num_keys_ = known_.num_keys;
  }
  last_snapshot_ = base;
  ARROW_RETURN_NOT_OK(OpenDb());
  std::string scratch;
  for (int64_t v = base + 1; v <= version.value; ++v) {
    if (!listing.changelogs.contains(v)) {
      // Names the file whose absence stands in the way.
      return provider_->files_.Download(v, database_path() + ".missing").status();
    }
    ARROW_RETURN_NOT_OK(provider_->files_.ReadChangelog(v, [&](std::string_view key, std::string_view value) -> Status {
      ARROW_ASSIGN_OR_RAISE(std::string_view row, encoding_.DecodeKey(key, &scratch));
      std::string key_row(row);
      if (value.data() == nullptr) return Remove(key_row);
      ARROW_ASSIGN_OR_RAISE(std::string_view value_row, RocksDbEncoding::DecodeValue(value));
      return Put(key_row, value_row);
    }));
  }
  version_ = version;
  if (version.value == base) return Status::OK();
  // The changes of the changelogs go into the database as if they were a commit.
  rocksdb::WriteBatch batch;
  std::string key, value;
  ARROW_RETURN_NOT_OK(changes_.VisitChanges([&](const RowTable::Change& change) {
    encoding_.EncodeKey(change.key, &key);
    if (!IsThere(change.value)) return FromRocksDb(batch.Delete(key), "write");
    RocksDbEncoding::EncodeValue(change.value.substr(kTagBytes), &value);
    return FromRocksDb(batch.Put(key, value), "write");
  }));
  rocksdb::WriteOptions write;
  write.disableWAL = true;
  ARROW_RETURN_NOT_OK(FromRocksDb(db_->Write(write, &batch), "write"));
  changes_ = RowTable();
  reads_ = RowTable();
  return Status::OK();
}

Status RocksDbStateStoreProvider::Store::ScanFrom(const std::string& prefix, const Visitor& visit) {
  std::vector<std::string> added;
  std::string encoded;
  ARROW_RETURN_NOT_OK(changes_.VisitChanges([&](const RowTable::Change& change) {
    encoding_.EncodeKey(change.key, &encoded);
    if (encoded.starts_with(prefix)) added.push_back(encoded);
    return Status::OK();
  }));
  std::sort(added.begin(), added.end());

  std::unique_ptr<rocksdb::Iterator> stored(db_->NewIterator({}));
  UnsafeRows keys, values;
  auto flush = [&]() -> Status {
    if (keys.num_rows() == 0) return Status::OK();
    std::vector<StateEntry> entries;
    for (int64_t i = 0; i < keys.num_rows(); ++i) entries.push_back({keys.row(i), values.row(i), 0});
    ARROW_RETURN_NOT_OK(visit(entries));
    keys.Clear();
    values.Clear();
    return Status::OK();
  };
  std::string scratch;
  // A key that the micro-batch changed counts as it is now; one that `visit` removed before it came is not visited.
  auto add = [&](std::string_view encoded_key, std::string_view stored_value) -> Status {
    ARROW_ASSIGN_OR_RAISE(std::string_view key, encoding_.DecodeKey(encoded_key, &scratch));
    std::string_view changed = changes_.Get(key), value;
    if (changed.data() != nullptr) {
      if (!IsThere(changed)) return Status::OK();
      value = Untagged(changed);
    } else if (stored_value.data() == nullptr) {
      return Status::OK();
    } else {
      ARROW_ASSIGN_OR_RAISE(value, RocksDbEncoding::DecodeValue(stored_value));
    }
    keys.Append(key);
    values.Append(value);
    return keys.num_rows() < static_cast<int64_t>(kScanChunk) ? Status::OK() : flush();
  };
  size_t next = 0;
  for (stored->Seek(prefix); stored->Valid(); stored->Next()) {
    std::string_view key = ViewOf(stored->key());
    if (!key.starts_with(prefix)) break;
    for (; next < added.size() && added[next] < key; ++next) ARROW_RETURN_NOT_OK(add(added[next], {}));
    if (next < added.size() && added[next] == key) ++next;
    ARROW_RETURN_NOT_OK(add(key, ViewOf(stored->value())));
  }
  ARROW_RETURN_NOT_OK(FromRocksDb(stored->status(), "scan"));
  for (; next < added.size(); ++next) ARROW_RETURN_NOT_OK(add(added[next], {}));
  return flush();
}

Status RocksDbStateStoreProvider::Store::WriteSnapshot(StateVersion version) {
  std::string folder = JoinPath(provider_->local_directory_, "checkpoint");
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  rocksdb::Checkpoint* checkpoint = nullptr;
  ARROW_RETURN_NOT_OK(FromRocksDb(rocksdb::Checkpoint::Create(db_.get(), &checkpoint), "checkpoint"));
  std::unique_ptr<rocksdb::Checkpoint> owned(checkpoint);
  ARROW_RETURN_NOT_OK(FromRocksDb(checkpoint->CreateCheckpoint(folder), "checkpoint"));
  ARROW_ASSIGN_OR_RAISE(known_, provider_->files_.Upload(version.value, folder, num_keys_, known_));
  std::filesystem::remove_all(folder, ignored);
  last_snapshot_ = version.value;
  provider_->last_snapshot_ = version.value;
  return Status::OK();
}

Result<StateVersion> RocksDbStateStoreProvider::Store::Commit() {
  // Until the files are there, only opening the version again helps.
  usable_ = false;
  StateVersion next = version_.Next();
  bool changelog = provider_->conf_.rocksdb_changelog;
  std::unique_ptr<StateFileWriter> writer;
  if (changelog) {
    ARROW_ASSIGN_OR_RAISE(writer, provider_->files_.CreateChangelog(next.value));
  }
  rocksdb::WriteBatch batch;
  std::string key, value;
  ARROW_RETURN_NOT_OK(changes_.VisitChanges([&](const RowTable::Change& change) -> Status {
    encoding_.EncodeKey(change.key, &key);
    if (!IsThere(change.value)) {
      if (writer != nullptr) ARROW_RETURN_NOT_OK(writer->Remove(key));
      return FromRocksDb(batch.Delete(key), "write");
    }
    RocksDbEncoding::EncodeValue(change.value.substr(kTagBytes), &value);
    if (writer != nullptr) ARROW_RETURN_NOT_OK(writer->Put(key, value));
    return FromRocksDb(batch.Put(key, value), "write");
  }));
  rocksdb::WriteOptions write;
  write.disableWAL = true;  // the checkpoint is what survives
  ARROW_RETURN_NOT_OK(FromRocksDb(db_->Write(write, &batch), "write"));
  if (writer != nullptr) ARROW_RETURN_NOT_OK(provider_->files_.FinishChangelog(writer.get()));
  if (!changelog || next.value - last_snapshot_ >= provider_->conf_.min_deltas_for_snapshot) {
    ARROW_RETURN_NOT_OK(WriteSnapshot(next));
  }
  changes_ = RowTable();
  reads_ = RowTable();
  version_ = next;
  provider_->committed_version_ = next.value;
  usable_ = true;
  return version_;
}

RocksDbStateStoreProvider::RocksDbStateStoreProvider(FileSystem* file_system, std::string directory, StateStoreId id,
                                                     StateStoreSchema schema, StateStoreConf conf)
    : files_(file_system, std::move(directory), conf.compression_codec, conf.durability),
      id_(std::move(id)),
      schema_(std::move(schema)),
      conf_(std::move(conf)) {
  std::string base =
      conf_.local_directory.empty() ? std::filesystem::temp_directory_path().string() : conf_.local_directory;
  local_directory_ = JoinPath(base, "millrace-rocksdb-" + RandomUuid());
}

RocksDbStateStoreProvider::~RocksDbStateStoreProvider() {
  store_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(local_directory_, ignored);
}

Result<StateStore*> RocksDbStateStoreProvider::Open(StateVersion version) {
  if (store_ != nullptr && store_->is_usable() && store_->version() == version && !store_->has_changes()) {
    return store_.get();
  }
  store_.reset();
  store_ = std::make_unique<Store>(this);
  if (Status status = store_->Load(version); !status.ok()) {
    store_.reset();
    return status;
  }
  committed_version_ = version.value;
  return store_.get();
}

Status RocksDbStateStoreProvider::Maintain() {
  int64_t earliest = committed_version_ - conf_.min_versions_to_retain;
  return earliest > 0 ? files_.Clean(earliest) : Status::OK();
}

}  // namespace millrace::state
