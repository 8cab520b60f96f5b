#include "state/rocksdb/rocksdb_state_store.h"

#include <rocksdb/db.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "base/error.h"
#include "base/ids.h"
#include "state/memory/row_table.h"
#include "state/rocksdb/rocksdb_options.h"
#include "state/rocksdb/scan_up_to.h"

namespace millrace::state {

using arrow::Result;
using arrow::Status;

namespace {

constexpr size_t kScanChunk = 1024;

// In the tables of a micro-batch a word stands before the row: whether there is one. A row without columns has no
// bytes.
constexpr size_t kTagBytes = 8;

bool IsThere(std::string_view tagged) { return tagged[0] != 0; }

std::string_view ViewOf(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

}  // namespace

class RocksDbStateStoreProvider::Store final : public StateStore {
 public:
  explicit Store(RocksDbStateStoreProvider* provider) : provider_(provider), encoding_(provider->encoding()) {}
  ~Store() override { Close(); }

  const StateStoreId& id() const override { return provider_->id_; }
  StateVersion version() const override { return version_; }
  std::string unique_id() const override { return unique_id_; }
  bool is_usable() const { return usable_; }
  bool has_changes() const { return changes_.num_changes() != 0; }

  /// From the newest snapshot that can be read, and the changelogs after it.
  Status Load(StateVersion version, const std::string& unique_id);
  /// From the snapshot of exactly `base`, and the changelogs after it.
  Status LoadFrom(StateVersion base, StateVersion version, const std::string& unique_id) {
    ARROW_RETURN_NOT_OK(provider_->files_.FindIds(base.value, version.value, unique_id));
    ARROW_ASSIGN_OR_RAISE(RocksDbFiles::Listing listing, provider_->files_.List());
    unique_id_ = unique_id;
    return LoadFrom(base.value, version, listing);
  }

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
      ARROW_ASSIGN_OR_RAISE(value, encoding_.DecodeValue(encoded_, ViewOf(value_), &unchecked_));
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

  Status FindAll(const UnsafeRows& keys, std::vector<StateEntry>* entries) override {
    entries->resize(static_cast<size_t>(keys.num_rows()));
    for (size_t i = 0; i < entries->size(); ++i) {
      ARROW_ASSIGN_OR_RAISE((*entries)[i], Find(keys.row(static_cast<int64_t>(i))));
    }
    return Status::OK();
  }

  Status PutAll(const UnsafeRows& keys, const UnsafeRows& values) override {
    for (int64_t i = 0; i < keys.num_rows(); ++i) ARROW_RETURN_NOT_OK(Put(keys.row(i), values.row(i)));
    return Status::OK();
  }

  Status PutAbsent(const UnsafeRows& keys, const UnsafeRows& values, std::vector<int32_t>* inserted) override {
    for (int64_t i = 0; i < keys.num_rows(); ++i) {
      ARROW_ASSIGN_OR_RAISE(std::string_view known, Get(keys.row(i)));
      if (known.data() != nullptr) continue;
      ARROW_RETURN_NOT_OK(Put(keys.row(i), values.row(i)));
      inserted->push_back(static_cast<int32_t>(i));
    }
    return Status::OK();
  }

  Status Scan(const Visitor& visit) override {
    // Views outlive the scan, as they do in the memory store: whoever scans all wants all.
    scanned_.clear();
    return ScanFrom(std::string(), visit, &scanned_);
  }

  Status ScanUpTo(int64_t time_us, const Visitor& visit, int64_t* earliest_us) override {
    const std::optional<StoreTime>& column = provider_->schema_.time;
    if (!column) return InternalError("eviction by time of a store that was not declared for it");
    return ScanAllUpTo(*column, time_us, visit, earliest_us,
                       [this](const Visitor& each) { return ScanFrom(std::string(), each); });
  }

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

  Status OpenDb(int64_t snapshot) {
    rocksdb::DB* db = nullptr;
    rocksdb::Options options = RocksDbOptions();
    options.create_if_missing = snapshot == 0;
    rocksdb::Status status = rocksdb::DB::Open(options, database_path(), &db);
    // What was just copied cannot be opened: whatever is not the disk's fault is the snapshot's.
    if (snapshot > 0 && !status.ok() && (!status.IsIOError() || status.IsPathNotFound())) {
      return Damaged(snapshot, status);
    }
    ARROW_RETURN_NOT_OK(FromRocksDb(status, "open"));
    db_.reset(db);
    return Status::OK();
  }

  // Rows whose encoded key begins with `prefix`, in the order of RocksDB; `kept` gets what holds them, else the views
  // are valid during the visit only.
  Status ScanFrom(const std::string& prefix, const Visitor& visit, std::vector<UnsafeRows>* kept = nullptr);
  Status LoadFrom(int64_t base, StateVersion version, const RocksDbFiles::Listing& listing);
  Status CheckTables(int64_t snapshot);
  Status Damaged(int64_t snapshot, const rocksdb::Status& status) const;
  Status CountKeys();
  Status WriteChanges(StateFileWriter* changelog);
  Status WriteSnapshot(StateVersion version);
  std::string database_path() const { return JoinPath(provider_->local_folder_.path(), "db"); }

  RocksDbStateStoreProvider* provider_;
  RocksDbEncoding encoding_;
  std::unique_ptr<rocksdb::DB> db_;
  StateVersion version_{0};
  std::string unique_id_;
  bool usable_ = true;
  int64_t num_keys_ = 0;
  int64_t last_snapshot_ = 0;
  RocksDbFiles::Snapshot known_;
  /// What the micro-batch changed and what it read, tagged.
  RowTable changes_;
  RowTable reads_;
  /// What the last scan saw.
  std::vector<UnsafeRows> scanned_;
  std::string encoded_;
  std::string tagged_;
  std::string unchecked_;
  rocksdb::PinnableSlice value_;
};

Status RocksDbStateStoreProvider::Store::Load(StateVersion version, const std::string& unique_id) {
  if (version.value < 0) {
    return UserError("CANNOT_LOAD_STATE_STORE.UNEXPECTED_VERSION", {{"version", version.ToString()}});
  }
  unique_id_ = unique_id;
  return provider_->files_.LoadNewest(
      version.value, unique_id,
      [&](int64_t base, const RocksDbFiles::Listing& listing) { return LoadFrom(base, version, listing); });
}

Status RocksDbStateStoreProvider::Store::LoadFrom(int64_t base, StateVersion version,
                                                  const RocksDbFiles::Listing& listing) {
  RocksDbFiles& files = provider_->files_;
  if (auto missing = files.MissingBetween(base, version.value, listing)) {
    return UserError("CANNOT_LOAD_STATE_STORE.CANNOT_READ_STREAMING_STATE_FILE", {{"fileToRead", *missing}});
  }
  Close();
  std::error_code ignored;
  std::filesystem::remove_all(database_path(), ignored);
  ARROW_RETURN_NOT_OK(LocalFileSystem()->CreateDirectories(provider_->local_folder_.path()));
  known_ = RocksDbFiles::Snapshot();
  if (base > 0) {
    ARROW_ASSIGN_OR_RAISE(known_, files.Download(base, database_path()));
    if (!known_.families.ids.empty()) {
      return Status::NotImplemented("state in column families (transformWithState): ",
                                    StoreDirectory("", provider_->id_));
    }
  }
  ARROW_RETURN_NOT_OK(OpenDb(base));
  if (base > 0) ARROW_RETURN_NOT_OK(CheckTables(base));
  num_keys_ = known_.num_keys;
  if (num_keys_ < 0) ARROW_RETURN_NOT_OK(CountKeys());
  last_snapshot_ = base;
  changes_ = RowTable();
  reads_ = RowTable();
  version_ = version;
  if (version.value == base) return Status::OK();
  for (int64_t v = base + 1; v <= version.value; ++v) {
    ARROW_RETURN_NOT_OK(provider_->ReadChanges(v, [this](std::string_view key, std::string_view value) -> Status {
      return value.data() == nullptr ? Remove(key) : Put(key, value);
    }));
  }
  return WriteChanges(nullptr);
}

// A bit that flipped is found now and not in the middle of a micro-batch, and the file is named that has to be
// replaced.
Status RocksDbStateStoreProvider::Store::CheckTables(int64_t snapshot) {
  rocksdb::Status status = db_->VerifyChecksum();
  if (status.ok() || status.IsIOError()) return FromRocksDb(status, "check");
  return Damaged(snapshot, status);
}

Status RocksDbStateStoreProvider::Store::Damaged(int64_t snapshot, const rocksdb::Status& status) const {
  std::string text = status.ToString();
  for (const RocksDbFiles::StoredFile& table : known_.tables) {
    if (text.find("/" + table.local_name) == std::string::npos) continue;
    return DamagedStateFile(provider_->files_.TablePath(table), text);
  }
  // What is wrong with a table at opening does not always name it.
  for (const RocksDbFiles::StoredFile& table : known_.tables) {
    rocksdb::SstFileReader reader(RocksDbOptions());
    rocksdb::Status opened = reader.Open(JoinPath(database_path(), table.local_name));
    if (opened.ok()) opened = reader.VerifyChecksum();
    if (!opened.ok()) return DamagedStateFile(provider_->files_.TablePath(table), opened.ToString());
  }
  return DamagedStateFile(provider_->files_.SnapshotPath(snapshot), text);
}

Status RocksDbStateStoreProvider::Store::CountKeys() {
  num_keys_ = 0;
  std::unique_ptr<rocksdb::Iterator> rows(db_->NewIterator({}));
  for (rows->SeekToFirst(); rows->Valid(); rows->Next()) ++num_keys_;
  return FromRocksDb(rows->status(), "scan");
}

// Puts the changes into the database, and into the changelog when there is one.
Status RocksDbStateStoreProvider::Store::WriteChanges(StateFileWriter* changelog) {
  rocksdb::WriteBatch batch;
  std::string key, value;
  ARROW_RETURN_NOT_OK(changes_.VisitChanges([&](const RowTable::Change& change) -> Status {
    encoding_.EncodeKey(change.key, &key);
    if (!IsThere(change.value)) {
      if (changelog != nullptr) ARROW_RETURN_NOT_OK(changelog->Remove(encoding_.EncodeRemoved(key, &value)));
      return FromRocksDb(batch.Delete(key), "write");
    }
    encoding_.EncodeValue(key, change.value.substr(kTagBytes), &value);
    if (changelog != nullptr) ARROW_RETURN_NOT_OK(changelog->Put(key, value));
    return FromRocksDb(batch.Put(key, value), "write");
  }));
  rocksdb::WriteOptions write;
  write.disableWAL = true;  // the checkpoint is what survives
  ARROW_RETURN_NOT_OK(FromRocksDb(db_->Write(write, &batch), "write"));
  changes_ = RowTable();
  reads_ = RowTable();
  scanned_.clear();
  return Status::OK();
}

Status RocksDbStateStoreProvider::Store::ScanFrom(const std::string& prefix, const Visitor& visit,
                                                  std::vector<UnsafeRows>* kept) {
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
    if (kept != nullptr) {
      kept->push_back(std::move(keys));
      kept->push_back(std::move(values));
      keys = UnsafeRows();
      values = UnsafeRows();
    }
    keys.Clear();
    values.Clear();
    return Status::OK();
  };
  std::string scratch, unchecked;
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
      ARROW_ASSIGN_OR_RAISE(value, encoding_.DecodeValue(encoded_key, stored_value, &unchecked));
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
  std::string folder = JoinPath(provider_->local_folder_.path(), "checkpoint");
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
  std::string next_id = provider_->conf_.has_unique_ids ? RandomUuid() : std::string();
  if (!next_id.empty()) provider_->files_.AddId(next.value, next_id);
  bool changelog = provider_->conf_.rocksdb_changelog;
  std::unique_ptr<StateFileWriter> writer;
  if (changelog) {
    ARROW_ASSIGN_OR_RAISE(writer, provider_->files_.CreateChangelog(next.value, /*has_families=*/false));
  }
  ARROW_RETURN_NOT_OK(WriteChanges(writer.get()));
  if (writer != nullptr) ARROW_RETURN_NOT_OK(provider_->files_.FinishChangelog(writer.get()));
  if (!changelog || next.value - last_snapshot_ >= provider_->conf_.min_deltas_for_snapshot) {
    ARROW_RETURN_NOT_OK(WriteSnapshot(next));
  }
  if (!next_id.empty()) provider_->files_.DropIdsBefore(last_snapshot_);
  version_ = next;
  unique_id_ = std::move(next_id);
  provider_->committed_version_ = next.value;
  usable_ = true;
  return version_;
}

RocksDbStateStoreProvider::RocksDbStateStoreProvider(FileSystem* file_system, std::string directory, StateStoreId id,
                                                     StateStoreSchema schema, StateStoreConf conf,
                                                     UnsyncedFiles* unsynced)
    : files_(file_system, std::move(directory), conf.compression_codec, conf.durability, unsynced),
      id_(std::move(id)),
      schema_(std::move(schema)),
      conf_(std::move(conf)),
      local_folder_(conf_) {}

RocksDbStateStoreProvider::~RocksDbStateStoreProvider() = default;

Result<StateStore*> RocksDbStateStoreProvider::Open(StateVersion version, const std::string& unique_id) {
  if (store_ != nullptr && store_->is_usable() && store_->version() == version && store_->unique_id() == unique_id &&
      !store_->has_changes()) {
    return store_.get();
  }
  store_.reset();
  store_ = std::make_unique<Store>(this);
  if (Status status = store_->Load(version, unique_id); !status.ok()) {
    store_.reset();
    return status;
  }
  committed_version_ = version.value;
  return store_.get();
}

Result<StateStore*> RocksDbStateStoreProvider::OpenFrom(StateVersion snapshot, StateVersion version,
                                                        const std::string& unique_id) {
  store_.reset();
  store_ = std::make_unique<Store>(this);
  ARROW_RETURN_NOT_OK(store_->LoadFrom(snapshot, version, unique_id));
  return store_.get();
}

Status RocksDbStateStoreProvider::ReadChanges(int64_t version, const StateRecordVisitor& visit) const {
  RocksDbEncoding of_rows = encoding();
  std::string scratch, row, unchecked;
  return files_.ReadChangelog(version, [&](std::string_view key, std::string_view value) -> Status {
    bool is_removed = value.data() == nullptr;
    if (is_removed) {
      ARROW_ASSIGN_OR_RAISE(key, of_rows.DecodeRemoved(key));
    }
    ARROW_ASSIGN_OR_RAISE(std::string_view key_row, of_rows.DecodeKey(key, &scratch));
    row.assign(key_row);
    if (is_removed) return visit(row, value);
    ARROW_ASSIGN_OR_RAISE(std::string_view value_row, of_rows.DecodeValue(key, value, &unchecked));
    return visit(row, value_row);
  });
}

Status RocksDbStateStoreProvider::Maintain() {
  int64_t earliest = committed_version_ - conf_.min_versions_to_retain;
  return earliest > 0 ? files_.Clean(earliest) : Status::OK();
}

}  // namespace millrace::state
