#include "state/memory/memory_state_store.h"

#include "base/error.h"

namespace millrace::state {

using arrow::Result;
using arrow::Status;

class MemoryStateStoreProvider::Store final : public StateStore {
 public:
  explicit Store(MemoryStateStoreProvider* provider) : provider_(provider) {
    const StateStoreSchema& schema = provider->schema_;
    if (schema.num_columns_prefix_key > 0) {
      prefixes_ = std::make_unique<PrefixIndex>(*schema.key, schema.num_columns_prefix_key);
    }
  }

  const StateStoreId& id() const override { return provider_->id_; }
  StateVersion version() const override { return version_; }
  bool is_usable() const { return usable_; }
  bool has_changes() const { return table_.num_changes() != 0; }

  Result<std::string_view> Get(std::string_view key) override { return table_.Get(key); }

  Result<StateEntry> Find(std::string_view key) override { return table_.Find(key); }

  Status Put(std::string_view key, std::string_view value) override {
    ARROW_ASSIGN_OR_RAISE(bool is_new, table_.Put(key, value));
    if (is_new && prefixes_ != nullptr) prefixes_->Add(key);
    return Status::OK();
  }

  Status Remove(std::string_view key) override {
    if (table_.Remove(key) && prefixes_ != nullptr) prefixes_->Remove(key);
    return Status::OK();
  }

  Status GetAll(const UnsafeRows& keys, std::vector<std::string_view>* values) override {
    values->resize(static_cast<size_t>(keys.num_rows()));
    return ForEachKey(keys, [&](size_t i, std::string_view key, uint32_t hash) {
      (*values)[i] = table_.Get(key, hash);
      return Status::OK();
    });
  }

  Status FindAll(const UnsafeRows& keys, std::vector<StateEntry>* entries) override {
    entries->resize(static_cast<size_t>(keys.num_rows()));
    return ForEachKey(keys, [&](size_t i, std::string_view key, uint32_t hash) {
      (*entries)[i] = table_.Find(key, hash);
      return Status::OK();
    });
  }

  Status PutAll(const UnsafeRows& keys, const UnsafeRows& values) override {
    return ForEachKey(keys, [&](size_t i, std::string_view key, uint32_t hash) -> Status {
      ARROW_ASSIGN_OR_RAISE(bool is_new, table_.Put(key, hash, values.row(static_cast<int64_t>(i))));
      if (is_new && prefixes_ != nullptr) prefixes_->Add(key);
      return Status::OK();
    });
  }

  Status PutAbsent(const UnsafeRows& keys, const UnsafeRows& values, std::vector<int32_t>* inserted) override {
    return ForEachKey(keys, [&](size_t i, std::string_view key, uint32_t hash) -> Status {
      ARROW_ASSIGN_OR_RAISE(bool is_new, table_.PutIfAbsent(key, hash, values.row(static_cast<int64_t>(i))));
      if (!is_new) return Status::OK();
      inserted->push_back(static_cast<int32_t>(i));
      if (prefixes_ != nullptr) prefixes_->Add(key);
      return Status::OK();
    });
  }

  Status Scan(const Visitor& visit) override { return table_.Scan(visit); }

  Status ScanUpTo(int64_t time_us, const Visitor& visit, int64_t* earliest_us) override {
    if (!provider_->schema_.time) return InternalError("eviction by time of a store that was not declared for it");
    return table_.ScanUpTo(*provider_->schema_.time, time_us, visit, earliest_us);
  }

  Status PrefixScan(std::string_view prefix, std::vector<StateEntry>* rows) override {
    if (prefixes_ == nullptr) return InternalError("prefix scan of a store that was not declared for it");
    const auto* keys = prefixes_->Find(prefix);
    if (keys == nullptr) return Status::OK();
    for (const std::string& key : *keys) rows->push_back(table_.Find(key));
    return Status::OK();
  }

  Result<StateVersion> Commit() override {
    // Until the file is there, only opening the version again helps.
    usable_ = false;
    ARROW_RETURN_NOT_OK(provider_->files_.WriteDelta(version_.Next(), table_));
    usable_ = true;
    table_.AcceptChanges();
    version_ = version_.Next();
    provider_->committed_version_ = version_.value;
    return version_;
  }

  Status Load(StateVersion version) {
    ARROW_RETURN_NOT_OK(provider_->files_.Load(version, &table_));
    version_ = version;
    provider_->committed_version_ = version.value;
    if (prefixes_ == nullptr) return Status::OK();
    return table_.Scan([this](std::span<const StateEntry> entries) {
      for (const StateEntry& entry : entries) prefixes_->Add(entry.key);
      return Status::OK();
    });
  }

  void Abort() override { usable_ = false; }

  StateStoreMetrics metrics() const override {
    // The names that Spark's provider reports.
    return {table_.size(),
            table_.memory_bytes(),
            {{"forceSnapshotCount", 0},
             {"loadedMapCacheHitCount", provider_->num_hits_},
             {"loadedMapCacheMissCount", provider_->num_loads_},
             {"numSnapshotsAutoRepaired", 0},
             {"stateOnCurrentVersionSizeBytes", table_.memory_bytes()},
             {"SnapshotLastUploaded.partition_" + std::to_string(id().partition) + "_" + id().store_name,
              provider_->last_snapshot_.load()}}};
  }

 private:
  static constexpr size_t kSlotsAhead = 16, kEntriesAhead = 8;

  // `visit(i, key, hash)` for each key, with the memory it will touch asked for ahead.
  template <typename Visit>
  Status ForEachKey(const UnsafeRows& keys, const Visit& visit) {
    hashes_.resize(static_cast<size_t>(keys.num_rows()));
    for (size_t i = 0; i < hashes_.size(); ++i) hashes_[i] = HashRow(keys.row(static_cast<int64_t>(i)));
    for (size_t i = 0; i < hashes_.size(); ++i) {
      if (i + kSlotsAhead < hashes_.size()) table_.Prefetch(hashes_[i + kSlotsAhead]);
      if (i + kEntriesAhead < hashes_.size()) table_.PrefetchEntry(hashes_[i + kEntriesAhead]);
      ARROW_RETURN_NOT_OK(visit(i, keys.row(static_cast<int64_t>(i)), hashes_[i]));
    }
    return Status::OK();
  }

  MemoryStateStoreProvider* provider_;
  StateVersion version_{0};
  bool usable_ = true;
  RowTable table_;
  std::unique_ptr<PrefixIndex> prefixes_;
  std::vector<uint32_t> hashes_;
};

MemoryStateStoreProvider::MemoryStateStoreProvider(FileSystem* file_system, std::string directory, StateStoreId id,
                                                   StateStoreSchema schema, StateStoreConf conf,
                                                   UnsyncedFiles* unsynced)
    : files_(file_system, std::move(directory), id, conf.compression_codec, conf.has_row_checksums, conf.durability,
             unsynced),
      id_(std::move(id)),
      schema_(std::move(schema)),
      conf_(std::move(conf)) {}

MemoryStateStoreProvider::~MemoryStateStoreProvider() = default;

Result<StateStore*> MemoryStateStoreProvider::Open(StateVersion version, const std::string& unique_id) {
  if (!unique_id.empty()) {
    return UserError("STATE_STORE_CHECKPOINT_IDS_NOT_SUPPORTED",
                     {{"msg",
                       "HDFSBackedStateStoreProvider does not support checkpointFormatVersion > 1 but a state store "
                       "checkpointID is passed in"}});
  }
  if (store_ != nullptr && store_->is_usable() && store_->version() == version && !store_->has_changes()) {
    if (version.value > 0) ++num_hits_;
    return store_.get();
  }
  if (version.value > 0) ++num_loads_;
  store_ = std::make_unique<Store>(this);
  if (Status status = store_->Load(version); !status.ok()) {
    store_.reset();
    return status;
  }
  return store_.get();
}

Status MemoryStateStoreProvider::Maintain() {
  ARROW_ASSIGN_OR_RAISE(int64_t snapshot, files_.Maintain(StateVersion(committed_version_),
                                                          conf_.min_deltas_for_snapshot, conf_.min_versions_to_retain));
  if (snapshot > 0) last_snapshot_ = snapshot;
  return Status::OK();
}

}  // namespace millrace::state
