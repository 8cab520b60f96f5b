#include "state/rocksdb/family_store.h"

#include <rocksdb/db.h>
#include <rocksdb/merge_operator.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>

#include <cstring>
#include <filesystem>
#include <iterator>
#include <map>

#include "base/error.h"
#include "base/ids.h"
#include "state/rocksdb/rocksdb_options.h"
#include "state/row_checksum.h"

namespace millrace::state {

using arrow::Result;
using arrow::Status;

namespace {

constexpr char kRowVersion = 0;
// A long in an ordered key: a mark for its sign, then eight bytes, big-endian.
constexpr size_t kOrderedBytes = 9;

std::string_view ViewOf(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

// Lists of Spark's are appended to by RocksDB itself; with version 1 of its operator a comma stands between the parts.
class Appending final : public rocksdb::AssociativeMergeOperator {
 public:
  explicit Appending(bool with_comma) : with_comma_(with_comma) {}
  const char* Name() const override { return "StringAppendOperator"; }
  bool Merge(const rocksdb::Slice&, const rocksdb::Slice* existing, const rocksdb::Slice& value, std::string* merged,
             rocksdb::Logger*) const override {
    if (existing != nullptr) {
      merged->assign(existing->data(), existing->size());
      if (with_comma_) merged->push_back(',');
    }
    merged->append(value.data(), value.size());
    return true;
  }

 private:
  bool with_comma_;
};

int FamilyOf(std::string_view full_key) {
  return static_cast<uint8_t>(full_key[0]) | static_cast<uint8_t>(full_key[1]) << 8;
}

std::string FamilyPrefix(int family) { return {static_cast<char>(family), static_cast<char>(family >> 8)}; }

}  // namespace

class FamilyStoreProvider::Store final : public FamilyStore {
 public:
  explicit Store(FamilyStoreProvider* provider) : provider_(provider) {}
  ~Store() override { Close(); }

  const StateStoreId& id() const override { return provider_->id_; }
  StateVersion version() const override { return version_; }
  std::string unique_id() const override { return unique_id_; }
  bool is_usable() const { return usable_; }
  bool has_changes() const { return !changes_.empty() || families_changed_; }

  /// From the newest snapshot that can be read, and the changelogs after it.
  Status Load(StateVersion version, const std::string& unique_id) {
    unique_id_ = unique_id;
    return provider_->files_.LoadNewest(
        version.value, unique_id,
        [&](int64_t base, const RocksDbFiles::Listing& listing) { return LoadFrom(base, version, listing); });
  }
  /// From the snapshot of exactly `base`, and the changelogs after it.
  Status LoadFrom(StateVersion base, StateVersion version, const std::string& unique_id) {
    ARROW_RETURN_NOT_OK(provider_->files_.FindIds(base.value, version.value, unique_id));
    ARROW_ASSIGN_OR_RAISE(RocksDbFiles::Listing listing, provider_->files_.List());
    unique_id_ = unique_id;
    return LoadFrom(base.value, version, listing);
  }

  Result<int> OpenFamily(const std::string& name, bool is_internal) override {
    auto it = families_.ids.find(name);
    if (it != families_.ids.end()) return it->second;
    families_changed_ = true;
    int id = ++families_.max_id;
    families_.ids[name] = id;
    families_.internal[name] = is_internal;
    return id;
  }

  Result<bool> DropFamily(const std::string& name) override {
    auto it = families_.ids.find(name);
    if (it == families_.ids.end()) return false;
    ARROW_ASSIGN_OR_RAISE(std::vector<Entry> entries, EntriesIn(it->second, {}, std::nullopt, SIZE_MAX));
    for (const Entry& entry : entries) ARROW_RETURN_NOT_OK(RemoveIn(it->second, entry.first));
    families_.ids.erase(it);
    families_.internal.erase(name);
    families_changed_ = true;
    return true;
  }

  Result<std::string_view> GetIn(int family, std::string_view key) override {
    full_key_ = FamilyPrefix(family);
    full_key_.append(key);
    ARROW_ASSIGN_OR_RAISE(std::string_view stored, StoredAt(full_key_));
    return stored.data() == nullptr ? stored : Unchecked(full_key_, stored, &unchecked_);
  }

  Status PutIn(int family, std::string_view key, std::string_view value) override {
    full_key_ = FamilyPrefix(family);
    full_key_.append(key);
    std::string checked = Checked(full_key_, value);
    Log(FamilyChange::kPut, checked);
    return PutStored(full_key_, std::move(checked));
  }

  Status RemoveIn(int family, std::string_view key) override {
    full_key_ = FamilyPrefix(family);
    full_key_.append(key);
    Log(FamilyChange::kRemove, {});
    return RemoveStored(full_key_);
  }

  Status AppendIn(int family, std::string_view key, std::string_view element) override {
    full_key_ = FamilyPrefix(family);
    full_key_.append(key);
    std::string checked = Checked(full_key_, element);
    Log(FamilyChange::kAppend, checked);
    return AppendStored(full_key_, checked);
  }

  Status VisitIn(int family, std::string_view prefix, const FamilyVisitor& visit) override;
  Result<std::vector<Entry>> EntriesIn(int family, std::string_view prefix, std::optional<std::string> end,
                                       size_t limit) override;
  Result<std::vector<std::string_view>> ListRows(std::string_view value) const override;

  Result<std::string_view> Get(std::string_view) override { return Unfit(); }
  Result<StateEntry> Find(std::string_view) override { return Unfit(); }
  Status Put(std::string_view, std::string_view) override { return Unfit(); }
  Status Remove(std::string_view) override { return Unfit(); }
  Status GetAll(const UnsafeRows&, std::vector<std::string_view>*) override { return Unfit(); }
  Status FindAll(const UnsafeRows&, std::vector<StateEntry>*) override { return Unfit(); }
  Status PutAll(const UnsafeRows&, const UnsafeRows&) override { return Unfit(); }
  Status PutAbsent(const UnsafeRows&, const UnsafeRows&, std::vector<int32_t>*) override { return Unfit(); }
  Status Scan(const Visitor&) override { return Unfit(); }
  Status ScanUpTo(int64_t, const Visitor&, int64_t*) override { return Unfit(); }
  Status PrefixScan(std::string_view, std::vector<StateEntry>*) override { return Unfit(); }

  Result<StateVersion> Commit() override;
  void Abort() override { usable_ = false; }

  StateStoreMetrics metrics() const override {
    uint64_t tables = 0, memtables = 0;
    if (db_ != nullptr) {
      db_->GetIntProperty("rocksdb.estimate-table-readers-mem", &tables);
      db_->GetIntProperty("rocksdb.cur-size-all-mem-tables", &memtables);
    }
    return {num_keys_,
            static_cast<int64_t>(tables + memtables),
            {{"SnapshotLastUploaded.partition_" + std::to_string(id().partition) + "_" + id().store_name,
              provider_->last_snapshot_.load()}}};
  }

 private:
  Status LoadFrom(int64_t base, StateVersion version, const RocksDbFiles::Listing& listing);
  Status WriteChanges();
  Status WriteSnapshot(StateVersion version);
  Status Walk(int family, std::string_view prefix, const std::optional<std::string>& end,
              const std::function<Result<bool>(std::string_view, std::string_view)>& take);
  /// A change of full_key_, for the changelog.
  void Log(FamilyChange change, std::string_view value) {
    if (provider_->conf_.rocksdb_changelog) log_.push_back({change, full_key_, std::string(value)});
  }
  Status WriteLog(StateFileWriter* changelog);
  /// The value of a key with its family's number, as RocksDB has it: with checksums where rows have them.
  Result<std::string_view> StoredAt(const std::string& full_key);
  Status PutStored(const std::string& full_key, std::string value);
  Status RemoveStored(const std::string& full_key);
  Status AppendStored(const std::string& full_key, std::string_view element);
  bool has_checksums() const { return provider_->conf_.has_row_checksums; }
  std::string Checked(std::string_view full_key, std::string_view value) const;
  Result<std::string_view> Unchecked(std::string_view full_key, std::string_view stored, std::string* scratch) const;
  static Status Unfit() { return InternalError("a store of column families was read without one"); }
  bool with_comma() const { return provider_->conf_.rocksdb_merges_with_comma; }
  std::string database_path() const { return JoinPath(provider_->local_folder_.path(), "db"); }

  int64_t& CountOf(int family) {
    for (const auto& [name, id] : families_.ids) {
      if (id == family) return families_.internal[name] ? num_internal_keys_ : num_keys_;
    }
    return num_internal_keys_;
  }

  void Close() {
    if (db_ == nullptr) return;
    (void)db_->Close();
    db_.reset();
  }

  FamilyStoreProvider* provider_;
  std::unique_ptr<rocksdb::DB> db_;
  StateVersion version_{0};
  std::string unique_id_;
  int64_t last_snapshot_ = 0;
  bool usable_ = true;
  bool families_changed_ = false;
  int64_t num_keys_ = 0;
  int64_t num_internal_keys_ = 0;
  RocksDbFiles::Families families_;
  RocksDbFiles::Snapshot known_;
  /// By key with the family's number; nullopt: removed.
  std::map<std::string, std::optional<std::string>, std::less<>> changes_;
  /// The same one by one, where there are changelogs.
  struct LoggedChange {
    FamilyChange change;
    std::string key;
    std::string value;
  };
  std::vector<LoggedChange> log_;
  std::string full_key_;
  std::string value_;
  std::string unchecked_;
};

Result<std::string_view> FamilyStoreProvider::Store::StoredAt(const std::string& full_key) {
  auto changed = changes_.find(full_key);
  if (changed != changes_.end()) return changed->second ? std::string_view(*changed->second) : std::string_view();
  rocksdb::Status status = db_->Get({}, full_key, &value_);
  if (status.IsNotFound()) return std::string_view();
  ARROW_RETURN_NOT_OK(FromRocksDb(status, "get"));
  return std::string_view(value_);
}

Status FamilyStoreProvider::Store::PutStored(const std::string& full_key, std::string value) {
  ARROW_ASSIGN_OR_RAISE(std::string_view old, StoredAt(full_key));
  if (old.data() == nullptr) ++CountOf(FamilyOf(full_key));
  changes_[full_key] = std::move(value);
  return Status::OK();
}

Status FamilyStoreProvider::Store::RemoveStored(const std::string& full_key) {
  ARROW_ASSIGN_OR_RAISE(std::string_view old, StoredAt(full_key));
  if (old.data() == nullptr) return Status::OK();
  --CountOf(FamilyOf(full_key));
  changes_[full_key] = std::nullopt;
  return Status::OK();
}

Status FamilyStoreProvider::Store::AppendStored(const std::string& full_key, std::string_view element) {
  ARROW_ASSIGN_OR_RAISE(std::string_view old, StoredAt(full_key));
  if (old.data() == nullptr) return PutStored(full_key, std::string(element));
  std::optional<std::string>& value = changes_[full_key];
  if (!value) value = std::string(old);
  if (with_comma()) value->push_back(',');
  value->append(element);
  return Status::OK();
}

std::string FamilyStoreProvider::Store::Checked(std::string_view full_key, std::string_view value) const {
  if (!has_checksums()) return std::string(value);
  std::string checked;
  AddSizedChecksum(full_key, value, &checked);
  return checked;
}

Result<std::string_view> FamilyStoreProvider::Store::Unchecked(std::string_view full_key, std::string_view stored,
                                                               std::string* scratch) const {
  if (!has_checksums()) return stored;
  ARROW_RETURN_NOT_OK(CheckedSizedValues(full_key, stored, with_comma() ? 1 : 0, id().ToString(), scratch));
  return std::string_view(*scratch);
}

Status FamilyStoreProvider::Store::LoadFrom(int64_t base, StateVersion version, const RocksDbFiles::Listing& listing) {
  if (auto missing = provider_->files_.MissingBetween(base, version.value, listing)) {
    return UserError("CANNOT_LOAD_STATE_STORE.CANNOT_READ_STREAMING_STATE_FILE", {{"fileToRead", *missing}});
  }
  Close();
  std::error_code ignored;
  std::filesystem::remove_all(database_path(), ignored);
  ARROW_RETURN_NOT_OK(LocalFileSystem()->CreateDirectories(provider_->local_folder_.path()));
  known_ = RocksDbFiles::Snapshot();
  if (base > 0) {
    ARROW_ASSIGN_OR_RAISE(known_, provider_->files_.Download(base, database_path()));
  }
  num_keys_ = known_.num_keys;
  num_internal_keys_ = known_.num_internal_keys;
  families_ = known_.families;
  families_.max_id = std::max(families_.max_id, 0);
  changes_.clear();
  families_changed_ = false;
  rocksdb::Options options = RocksDbOptions();
  options.create_if_missing = base == 0;
  options.merge_operator = std::make_shared<Appending>(with_comma());
  rocksdb::DB* db = nullptr;
  ARROW_RETURN_NOT_OK(FromRocksDb(rocksdb::DB::Open(options, database_path(), &db), "open"));
  db_.reset(db);
  version_ = version;
  last_snapshot_ = base;
  if (base == version.value) return Status::OK();
  // No changelog adds a family: Spark writes a snapshot then.
  for (int64_t v = base + 1; v <= version.value; ++v) {
    ARROW_RETURN_NOT_OK(provider_->files_.ReadFamilyChanges(
        v, [this](FamilyChange change, std::string_view full_key, std::string_view value) -> Status {
          if (change == FamilyChange::kRemove && has_checksums()) {
            ARROW_ASSIGN_OR_RAISE(full_key, CheckedKey(full_key, id().ToString()));
          }
          if (full_key.size() < 2) return Status::Invalid("a key without a column family");
          std::string key(full_key);
          if (change == FamilyChange::kRemove) return RemoveStored(key);
          ARROW_RETURN_NOT_OK(Unchecked(key, value, &unchecked_).status());
          return change == FamilyChange::kPut ? PutStored(key, std::string(value)) : AppendStored(key, value);
        }));
  }
  return WriteChanges();
}

// In the order in which they were made: whoever reads the changes of state sees each.
Status FamilyStoreProvider::Store::WriteLog(StateFileWriter* changelog) {
  for (const auto& [change, key, value] : log_) {
    if (change == FamilyChange::kPut) {
      ARROW_RETURN_NOT_OK(changelog->Put(key, value));
    } else if (change == FamilyChange::kAppend) {
      ARROW_RETURN_NOT_OK(changelog->Append(key, value));
    } else {
      if (has_checksums()) AddKeyChecksum(key, &unchecked_);
      ARROW_RETURN_NOT_OK(changelog->Remove(has_checksums() ? unchecked_ : key));
    }
  }
  log_.clear();
  return Status::OK();
}

Status FamilyStoreProvider::Store::WriteChanges() {
  rocksdb::WriteBatch batch;
  for (const auto& [key, value] : changes_) {
    ARROW_RETURN_NOT_OK(FromRocksDb(value ? batch.Put(key, *value) : batch.Delete(key), "write"));
  }
  rocksdb::WriteOptions write;
  write.disableWAL = true;  // the checkpoint is what survives
  ARROW_RETURN_NOT_OK(FromRocksDb(db_->Write(write, &batch), "write"));
  changes_.clear();
  return Status::OK();
}

// Gives (key, value) in order, without the family's number, until `take` says that it is enough.
Status FamilyStoreProvider::Store::Walk(int family, std::string_view prefix, const std::optional<std::string>& end,
                                        const std::function<Result<bool>(std::string_view, std::string_view)>& take) {
  std::string begin = FamilyPrefix(family);
  begin.append(prefix);
  std::string stop = end ? FamilyPrefix(family) + *end : std::string();
  auto within = [&](std::string_view key) { return key.starts_with(begin) && (!end || key < stop); };
  std::unique_ptr<rocksdb::Iterator> stored(db_->NewIterator({}));
  stored->Seek(begin);
  // The micro-batch's changes stand before what is stored. `take` may add to them.
  auto changed = changes_.lower_bound(begin);
  size_t num_changes = changes_.size();
  std::string position, unchecked;
  for (;;) {
    bool has_stored = stored->Valid() && within(ViewOf(stored->key()));
    bool has_changed = changed != changes_.end() && within(changed->first);
    if (!has_stored && !has_changed) break;
    int order = !has_stored ? -1 : !has_changed ? 1 : std::string_view(changed->first).compare(ViewOf(stored->key()));
    position.assign(order > 0 ? ViewOf(stored->key()) : std::string_view(changed->first));
    bool more = true;
    std::string_view value = order > 0         ? ViewOf(stored->value())
                             : changed->second ? std::string_view(*changed->second)
                                               : std::string_view();
    if (value.data() != nullptr) {
      ARROW_ASSIGN_OR_RAISE(value, Unchecked(position, value, &unchecked));
      ARROW_ASSIGN_OR_RAISE(more, take(std::string_view(position).substr(2), value));
    }
    if (!more) return Status::OK();
    if (order <= 0 || num_changes != changes_.size()) changed = changes_.upper_bound(position);
    num_changes = changes_.size();
    if (order >= 0) stored->Next();
  }
  return FromRocksDb(stored->status(), "scan");
}

Status FamilyStoreProvider::Store::VisitIn(int family, std::string_view prefix, const FamilyVisitor& visit) {
  return Walk(family, prefix, std::nullopt, [&](std::string_view key, std::string_view value) -> Result<bool> {
    ARROW_RETURN_NOT_OK(visit(key, value));
    return true;
  });
}

Result<std::vector<FamilyStore::Entry>> FamilyStoreProvider::Store::EntriesIn(int family, std::string_view prefix,
                                                                              std::optional<std::string> end,
                                                                              size_t limit) {
  std::vector<Entry> entries;
  if (limit == 0) return entries;
  ARROW_RETURN_NOT_OK(Walk(family, prefix, end, [&](std::string_view key, std::string_view value) -> Result<bool> {
    entries.emplace_back(key, value);
    return entries.size() < limit;
  }));
  return entries;
}

Result<std::vector<std::string_view>> FamilyStoreProvider::Store::ListRows(std::string_view value) const {
  std::vector<std::string_view> rows;
  while (!value.empty()) {
    uint32_t size;
    if (value.size() < sizeof(size)) return Status::Invalid("a list that ends too early");
    std::memcpy(&size, value.data(), sizeof(size));
    value.remove_prefix(sizeof(size));
    if (size > value.size()) return Status::Invalid("a list that ends too early");
    ARROW_ASSIGN_OR_RAISE(std::string_view row, RowOfValue(value.substr(0, size)));
    rows.push_back(row);
    value.remove_prefix(size);
    if (with_comma() && !value.empty()) value.remove_prefix(1);
  }
  return rows;
}

Status FamilyStoreProvider::Store::WriteSnapshot(StateVersion version) {
  std::string folder = JoinPath(provider_->local_folder_.path(), "checkpoint");
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  rocksdb::Checkpoint* checkpoint = nullptr;
  ARROW_RETURN_NOT_OK(FromRocksDb(rocksdb::Checkpoint::Create(db_.get(), &checkpoint), "checkpoint"));
  std::unique_ptr<rocksdb::Checkpoint> owned(checkpoint);
  ARROW_RETURN_NOT_OK(FromRocksDb(checkpoint->CreateCheckpoint(folder), "checkpoint"));
  RocksDbFiles::Snapshot snapshot = known_;
  snapshot.num_keys = num_keys_;
  snapshot.num_internal_keys = num_internal_keys_;
  snapshot.families = families_;
  ARROW_ASSIGN_OR_RAISE(known_, provider_->files_.UploadFamilies(version.value, folder, snapshot));
  std::filesystem::remove_all(folder, ignored);
  last_snapshot_ = version.value;
  provider_->last_snapshot_ = version.value;
  return Status::OK();
}

Result<StateVersion> FamilyStoreProvider::Store::Commit() {
  // Until the files are there, only opening the version again helps.
  usable_ = false;
  StateVersion next = version_.Next();
  std::string next_id = provider_->conf_.has_unique_ids ? RandomUuid() : std::string();
  if (!next_id.empty()) provider_->files_.AddId(next.value, next_id);
  bool has_changelog = provider_->conf_.rocksdb_changelog;
  std::unique_ptr<StateFileWriter> changelog;
  if (has_changelog) {
    ARROW_ASSIGN_OR_RAISE(changelog, provider_->files_.CreateChangelog(next.value, /*has_families=*/true));
  }
  ARROW_RETURN_NOT_OK(WriteChanges());
  if (has_changelog) {
    ARROW_RETURN_NOT_OK(WriteLog(changelog.get()));
    ARROW_RETURN_NOT_OK(provider_->files_.FinishChangelog(changelog.get()));
  }
  // Changelogs do not tell which families there are.
  if (!has_changelog || families_changed_ || next.value - last_snapshot_ >= provider_->conf_.min_deltas_for_snapshot) {
    ARROW_RETURN_NOT_OK(WriteSnapshot(next));
  }
  if (!next_id.empty()) provider_->files_.DropIdsBefore(last_snapshot_);
  families_changed_ = false;
  version_ = next;
  unique_id_ = std::move(next_id);
  provider_->committed_version_ = next.value;
  usable_ = true;
  return version_;
}

FamilyStoreProvider::FamilyStoreProvider(FileSystem* file_system, std::string directory, StateStoreId id,
                                         StateStoreConf conf, UnsyncedFiles* unsynced)
    : files_(file_system, std::move(directory), conf.compression_codec, conf.durability, unsynced),
      id_(std::move(id)),
      conf_(std::move(conf)),
      local_folder_(conf_) {}

FamilyStoreProvider::~FamilyStoreProvider() = default;

Result<StateStore*> FamilyStoreProvider::Open(StateVersion version, const std::string& unique_id) {
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

Result<StateStore*> FamilyStoreProvider::OpenFrom(StateVersion snapshot, StateVersion version,
                                                  const std::string& unique_id) {
  store_.reset();
  store_ = std::make_unique<Store>(this);
  ARROW_RETURN_NOT_OK(store_->LoadFrom(snapshot, version, unique_id));
  return store_.get();
}

Status FamilyStoreProvider::ReadChanges(int64_t version, int family, const FamilyChangeVisitor& visit) const {
  bool has_checksums = conf_.has_row_checksums;
  std::string unchecked;
  return files_.ReadFamilyChanges(
      version, [&](FamilyChange change, std::string_view key, std::string_view value) -> Status {
        bool is_removed = change == FamilyChange::kRemove;
        if (is_removed && has_checksums) {
          ARROW_ASSIGN_OR_RAISE(key, CheckedKey(key, id_.ToString()));
        }
        if (key.size() < 2) return Status::Invalid("a key without a column family");
        if (FamilyOf(key) != family) return Status::OK();
        if (!is_removed && has_checksums) {
          ARROW_RETURN_NOT_OK(
              CheckedSizedValues(key, value, conf_.rocksdb_merges_with_comma ? 1 : 0, id_.ToString(), &unchecked));
          value = unchecked;
        }
        return visit(change, key.substr(2), value);
      });
}

Status FamilyStoreProvider::Maintain() {
  int64_t earliest = committed_version_ - conf_.min_versions_to_retain;
  return earliest > 0 ? files_.Clean(earliest) : Status::OK();
}

std::string WholeKey(std::string_view row) { return StoredValue(row); }

std::string KeyPrefix(std::string_view prefix_row) {
  auto size = static_cast<uint32_t>(prefix_row.size() + 1);
  std::string key(sizeof(size), '\0');
  std::memcpy(key.data(), &size, sizeof(size));
  key.push_back(kRowVersion);
  return key.append(prefix_row);
}

std::string PrefixedKey(std::string_view prefix_row, std::string_view rest_row) {
  return KeyPrefix(prefix_row).append(1, kRowVersion).append(rest_row);
}

Result<std::string_view> RestOfKey(std::string_view key) {
  uint32_t size;
  if (key.size() < sizeof(size) + 2) return Status::Invalid("a key that is too short");
  std::memcpy(&size, key.data(), sizeof(size));
  if (size > key.size() - sizeof(size) - 1) return Status::Invalid("a key whose prefix is longer than it");
  return key.substr(sizeof(size) + size + 1);
}

std::string OrderedPrefixRow(int64_t value) {
  // One binary column: null bits, where it lies and how long it is, the bytes up to a whole word.
  std::string row(8 + 8 + RoundUpToWord(kOrderedBytes), '\0');
  int64_t slot = int64_t{16} << 32 | static_cast<int64_t>(kOrderedBytes);
  std::memcpy(row.data() + 8, &slot, sizeof(slot));
  row[16] = value < 0 ? 0 : 1;
  auto bits = static_cast<uint64_t>(value);
  for (int i = 0; i < 8; ++i) row[static_cast<size_t>(17 + i)] = static_cast<char>(bits >> (56 - 8 * i));
  return row;
}

Result<int64_t> OrderedValueOf(std::string_view key) {
  constexpr size_t kFirstByte = 4 + 1 + 17;
  if (key.size() < kFirstByte + 8) return Status::Invalid("a key that is too short");
  uint64_t bits = 0;
  for (size_t i = 0; i < 8; ++i) bits = bits << 8 | static_cast<uint8_t>(key[kFirstByte + i]);
  return static_cast<int64_t>(bits);
}

std::string StoredValue(std::string_view row) { return std::string(1, kRowVersion).append(row); }

std::string StoredElement(std::string_view row) {
  auto size = static_cast<uint32_t>(row.size() + 1);
  std::string element(sizeof(size), '\0');
  std::memcpy(element.data(), &size, sizeof(size));
  return element.append(StoredValue(row));
}

Result<std::string_view> RowOfValue(std::string_view value) {
  if (value.data() == nullptr) return std::string_view();
  if (value.empty() || value[0] != kRowVersion) return Status::Invalid("a row that is not of encoding version 0");
  return value.substr(1);
}

}  // namespace millrace::state
