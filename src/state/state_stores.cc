#include "state/state_stores.h"

#include <spdlog/spdlog.h>

#include <chrono>

#include "base/error.h"
#include "state/memory/memory_state_store.h"
#include "state/operator_metadata.h"
#include "state/rocksdb/family_store.h"
#include "state/rocksdb/rocksdb_state_store.h"
#include "state/state_schema.h"

namespace millrace::state {

using arrow::Result;
using arrow::Status;

std::string StoreDirectory(const std::string& state_directory, const StateStoreId& id) {
  std::string directory =
      JoinPath(JoinPath(state_directory, std::to_string(id.operator_id)), std::to_string(id.partition));
  return id.store_name == kDefaultStoreName ? directory : JoinPath(directory, id.store_name);
}

StateStores::StateStores(FileSystem* file_system, std::string directory, StateStoreConf conf)
    : file_system_(file_system), directory_(std::move(directory)), conf_(std::move(conf)) {}

StateStores::~StateStores() { StopMaintenance(); }

void StateStores::StopMaintenance() {
  {
    std::lock_guard lock(maintenance_mutex_);
    stopping_ = true;
  }
  maintenance_wake_.notify_all();
  if (maintenance_.joinable()) maintenance_.join();
}

Status StateStores::DeclareOperators(const std::vector<StatefulOperatorInfo>& operators, int64_t batch_id) {
  bool is_restart = batch_id > 0;
  if (conf_.provider_class != kHdfsBackedProvider && conf_.provider_class != kRocksDbProvider) {
    return Status::NotImplemented("spark.sql.streaming.stateStore.providerClass = ", conf_.provider_class,
                                  " is not supported; supported: ", kHdfsBackedProvider, ", ", kRocksDbProvider);
  }
  if (conf_.has_unique_ids && conf_.provider_class == kHdfsBackedProvider) {
    return UserError("STATE_STORE_CHECKPOINT_IDS_NOT_SUPPORTED",
                     {{"msg", "HDFSBackedStateStoreProvider does not support checkpointFormatVersion > 1"}});
  }
  if (is_restart) ARROW_RETURN_NOT_OK(CheckOperatorNames(*file_system_, directory_, operators));
  for (const StatefulOperatorInfo& info : operators) {
    if (!info.has_families || conf_.provider_class == kRocksDbProvider) continue;
    if (info.operator_name == "symmetricHashJoin") {
      return UserError("UNSUPPORTED_FEATURE.STATE_STORE_MULTIPLE_COLUMN_FAMILIES",
                       {{"stateStoreProvider", "HDFSBackedStateStoreProvider"}});
    }
    return UserError("UNSUPPORTED_FEATURE.STORE_BACKEND_NOT_SUPPORTED_FOR_TWS",
                     {{"stateStoreProvider", conf_.provider_class}});
  }
  for (const StatefulOperatorInfo& info : operators) {
    if (info.has_families) ARROW_RETURN_NOT_OK(CheckFamilies(*file_system_, directory_, info, conf_.schema_check));
    for (const auto& store : info.stores) {
      ARROW_RETURN_NOT_OK(CheckSchema(*file_system_, directory_, info.operator_id, store, conf_.schema_check));
    }
  }
  for (const StatefulOperatorInfo& info : operators) {
    ARROW_RETURN_NOT_OK(info.has_families
                            ? WriteFamilyFiles(file_system_, directory_, info, batch_id, conf_.durability)
                            : WriteOperatorFilesIfAbsent(file_system_, directory_, info, conf_.durability));
  }
  std::lock_guard lock(mutex_);
  for (const StatefulOperatorInfo& info : operators) operators_[info.operator_id] = info;
  return Status::OK();
}

Result<StateStoreProvider*> StateStores::ProviderOf(const StateStoreId& id) {
  std::lock_guard lock(mutex_);
  if (auto it = providers_.find(id); it != providers_.end()) return it->second.get();
  auto operator_it = operators_.find(id.operator_id);
  if (operator_it == operators_.end()) return InternalError("state of an undeclared operator was opened");
  if (operator_it->second.has_families && id.store_name == kDefaultStoreName) {
    auto provider =
        std::make_unique<FamilyStoreProvider>(file_system_, StoreDirectory(directory_, id), id, conf_, &unsynced_);
    return providers_.emplace(id, std::move(provider)).first->second.get();
  }
  for (const auto& store : operator_it->second.stores) {
    if (store.name != id.store_name) continue;
    std::string directory = StoreDirectory(directory_, id);
    std::unique_ptr<StateStoreProvider> provider;
    if (conf_.provider_class == kRocksDbProvider) {
      provider = std::make_unique<RocksDbStateStoreProvider>(file_system_, std::move(directory), id, store.schema,
                                                             conf_, &unsynced_);
    } else {
      provider = std::make_unique<MemoryStateStoreProvider>(file_system_, std::move(directory), id, store.schema, conf_,
                                                            &unsynced_);
    }
    return providers_.emplace(id, std::move(provider)).first->second.get();
  }
  return InternalError("an undeclared state store was opened: " + id.store_name);
}

Result<StateStore*> StateStores::Open(const StateStoreId& id, StateVersion version, const std::string& unique_id) {
  ARROW_ASSIGN_OR_RAISE(StateStoreProvider * provider, ProviderOf(id));
  return provider->Open(version, unique_id);
}

Status StateStores::Maintain() {
  std::vector<StateStoreProvider*> providers;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [id, provider] : providers_) providers.push_back(provider.get());
  }
  Status failure;
  for (StateStoreProvider* provider : providers) failure &= provider->Maintain();
  return failure;
}

void StateStores::StartMaintenance() {
  maintenance_ = std::thread([this] { RunMaintenance(); });
}

void StateStores::RunMaintenance() {
  std::unique_lock lock(maintenance_mutex_);
  auto interval = std::chrono::milliseconds(conf_.maintenance_interval_ms);
  while (!maintenance_wake_.wait_for(lock, interval, [this] { return stopping_; })) {
    lock.unlock();
    // A snapshot only makes the next start faster: the query goes on without it.
    if (Status status = Maintain(); !status.ok()) spdlog::warn("state maintenance: {}", status.ToString());
    lock.lock();
  }
}

}  // namespace millrace::state
