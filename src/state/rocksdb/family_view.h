#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "state/memory/row_table.h"
#include "state/rocksdb/family_store.h"

namespace millrace::state {

/// One column family of a FamilyStore as a store of rows by key, for operators that know only those (joins of state
/// format 3, whose four stores are families of one).
///
/// What is read is kept until this object goes, so that views stay valid for a micro-batch. The families' own store
/// commits and aborts. Thread: confined, together with the store.
class FamilyView final : public StateStore {
 public:
  /// The family called `name`, made when it is not there. `time`: by which ScanUpTo goes; nullopt when it is not
  /// called.
  static arrow::Result<std::unique_ptr<FamilyView>> Open(FamilyStore* store, const std::string& name, bool is_internal,
                                                         std::optional<StoreTime> time);

  /// The store's, with the family's name for the name.
  const StateStoreId& id() const override { return id_; }
  StateVersion version() const override { return store_->version(); }

  arrow::Result<std::string_view> Get(std::string_view key) override;
  arrow::Result<StateEntry> Find(std::string_view key) override;
  arrow::Status Put(std::string_view key, std::string_view value) override;
  arrow::Status Remove(std::string_view key) override;
  arrow::Status GetAll(const UnsafeRows& keys, std::vector<std::string_view>* values) override;
  arrow::Status FindAll(const UnsafeRows& keys, std::vector<StateEntry>* entries) override;
  arrow::Status PutAll(const UnsafeRows& keys, const UnsafeRows& values) override;
  arrow::Status PutAbsent(const UnsafeRows& keys, const UnsafeRows& values, std::vector<int32_t>* inserted) override;
  arrow::Status Scan(const Visitor& visit) override;
  arrow::Status ScanUpTo(int64_t time_us, const Visitor& visit, int64_t* earliest_us) override;
  arrow::Status PrefixScan(std::string_view prefix, std::vector<StateEntry>* rows) override;

  arrow::Result<StateVersion> Commit() override;
  void Abort() override { store_->Abort(); }
  StateStoreMetrics metrics() const override { return {}; }

 private:
  FamilyView(FamilyStore* store, int family, StateStoreId id, std::optional<StoreTime> time)
      : store_(store), family_(family), id_(std::move(id)), time_(time) {}

  FamilyStore* store_;
  int family_;
  StateStoreId id_;
  std::optional<StoreTime> time_;
  RowTable known_;
  std::string stored_key_;
};

}  // namespace millrace::state
