#include "state/rocksdb/family_view.h"

#include <algorithm>

#include "base/error.h"
#include "state/rocksdb/scan_up_to.h"

namespace millrace::state {

using arrow::Result;
using arrow::Status;

namespace {

constexpr int64_t kScanChunk = 1024;

}  // namespace

Result<std::unique_ptr<FamilyView>> FamilyView::Open(FamilyStore* store, const std::string& name, bool is_internal,
                                                     std::optional<StoreTime> time) {
  ARROW_ASSIGN_OR_RAISE(int family, store->OpenFamily(name, is_internal));
  StateStoreId id = store->id();
  id.store_name = name;
  return std::unique_ptr<FamilyView>(new FamilyView(store, family, std::move(id), time));
}

Result<std::string_view> FamilyView::Get(std::string_view key) {
  if (std::string_view known = known_.Get(key); known.data() != nullptr) return known;
  stored_key_ = WholeKey(key);
  ARROW_ASSIGN_OR_RAISE(std::string_view stored, store_->GetIn(family_, stored_key_));
  ARROW_ASSIGN_OR_RAISE(std::string_view row, RowOfValue(stored));
  if (row.data() == nullptr) return row;
  ARROW_RETURN_NOT_OK(known_.Put(key, row).status());
  return known_.Get(key);
}

Result<StateEntry> FamilyView::Find(std::string_view key) {
  ARROW_ASSIGN_OR_RAISE(std::string_view value, Get(key));
  return value.data() == nullptr ? StateEntry{} : StateEntry{key, value, 0};
}

Status FamilyView::Put(std::string_view key, std::string_view value) {
  ARROW_RETURN_NOT_OK(store_->PutIn(family_, WholeKey(key), StoredValue(value)));
  return known_.Put(key, value).status();
}

Status FamilyView::Remove(std::string_view key) {
  known_.Remove(key);
  return store_->RemoveIn(family_, WholeKey(key));
}

Status FamilyView::GetAll(const UnsafeRows& keys, std::vector<std::string_view>* values) {
  values->resize(static_cast<size_t>(keys.num_rows()));
  for (size_t i = 0; i < values->size(); ++i) {
    ARROW_ASSIGN_OR_RAISE((*values)[i], Get(keys.row(static_cast<int64_t>(i))));
  }
  return Status::OK();
}

Status FamilyView::FindAll(const UnsafeRows& keys, std::vector<StateEntry>* entries) {
  entries->resize(static_cast<size_t>(keys.num_rows()));
  for (size_t i = 0; i < entries->size(); ++i) {
    ARROW_ASSIGN_OR_RAISE((*entries)[i], Find(keys.row(static_cast<int64_t>(i))));
  }
  return Status::OK();
}

Status FamilyView::PutAll(const UnsafeRows& keys, const UnsafeRows& values) {
  for (int64_t i = 0; i < keys.num_rows(); ++i) ARROW_RETURN_NOT_OK(Put(keys.row(i), values.row(i)));
  return Status::OK();
}

Status FamilyView::PutAbsent(const UnsafeRows& keys, const UnsafeRows& values, std::vector<int32_t>* inserted) {
  for (int64_t i = 0; i < keys.num_rows(); ++i) {
    ARROW_ASSIGN_OR_RAISE(std::string_view known, Get(keys.row(i)));
    if (known.data() != nullptr) continue;
    ARROW_RETURN_NOT_OK(Put(keys.row(i), values.row(i)));
    inserted->push_back(static_cast<int32_t>(i));
  }
  return Status::OK();
}

Status FamilyView::Scan(const Visitor& visit) {
  UnsafeRows keys, values;
  auto flush = [&]() -> Status {
    std::vector<StateEntry> entries;
    for (int64_t i = 0; i < keys.num_rows(); ++i) entries.push_back({keys.row(i), values.row(i), 0});
    if (!entries.empty()) ARROW_RETURN_NOT_OK(visit(entries));
    keys.Clear();
    values.Clear();
    return Status::OK();
  };
  ARROW_RETURN_NOT_OK(store_->VisitIn(family_, {}, [&](std::string_view key, std::string_view value) -> Status {
    ARROW_ASSIGN_OR_RAISE(std::string_view key_row, RowOfValue(key));
    ARROW_ASSIGN_OR_RAISE(std::string_view value_row, RowOfValue(value));
    keys.Append(key_row);
    values.Append(value_row);
    return keys.num_rows() < kScanChunk ? Status::OK() : flush();
  }));
  return flush();
}

Status FamilyView::ScanUpTo(int64_t time_us, const Visitor& visit, int64_t* earliest_us) {
  if (!time_) return InternalError("eviction by time of a column family that was not opened for it");
  return ScanAllUpTo(*time_, time_us, visit, earliest_us, [this](const Visitor& each) { return Scan(each); });
}

Status FamilyView::PrefixScan(std::string_view, std::vector<StateEntry>*) {
  return InternalError("prefix scan of a column family that was not opened for it");
}

Result<StateVersion> FamilyView::Commit() { return InternalError("a column family was committed without its store"); }

}  // namespace millrace::state
