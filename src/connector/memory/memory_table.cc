#include "connector/memory/memory_table.h"

#include <algorithm>
#include <iterator>

namespace millrace::connector {

void MemoryTable::Append(MemoryRows rows) {
  std::vector<MemoryRows> units;
  units.push_back(std::move(rows));
  AppendUnits(std::move(units));
}

void MemoryTable::AppendUnits(std::vector<MemoryRows> units) {
  std::lock_guard lock(mutex_);
  std::move(units.begin(), units.end(), std::back_inserter(units_));
  // Under the lock, so that a listener taken away is not called any more; it only wakes a query.
  for (const auto& [token, on_append] : listeners_) on_append();
}

void MemoryTable::AddMicroBatch(BatchId batch_id, MemoryRows rows, bool replace) {
  std::lock_guard lock(mutex_);
  if (newest_batch_ && batch_id <= *newest_batch_) return;
  newest_batch_ = batch_id;
  if (replace) units_.clear();
  units_.push_back(std::move(rows));
}

void MemoryTable::Clear() {
  std::lock_guard lock(mutex_);
  units_.clear();
}

int64_t MemoryTable::num_units() const {
  std::lock_guard lock(mutex_);
  return static_cast<int64_t>(units_.size());
}

MemoryRows MemoryTable::Units(int64_t begin, int64_t end) const {
  std::lock_guard lock(mutex_);
  MemoryRows rows;
  end = std::min(end, static_cast<int64_t>(units_.size()));
  for (int64_t i = std::max<int64_t>(0, begin); i < end; ++i) {
    const MemoryRows& unit = units_[static_cast<size_t>(i)];
    rows.insert(rows.end(), unit.begin(), unit.end());
  }
  return rows;
}

int MemoryTable::AddListener(std::function<void()> on_append) {
  std::lock_guard lock(mutex_);
  listeners_.emplace(next_listener_, std::move(on_append));
  return next_listener_++;
}

void MemoryTable::RemoveListener(int token) {
  std::lock_guard lock(mutex_);
  listeners_.erase(token);
}

std::shared_ptr<MemoryTable> MemoryTables::Create(const std::string& name, types::DataTypePtr schema) {
  auto table = std::make_shared<MemoryTable>(std::move(schema));
  std::lock_guard lock(mutex_);
  tables_[name] = table;
  return table;
}

std::shared_ptr<MemoryTable> MemoryTables::Find(const std::string& name) const {
  std::lock_guard lock(mutex_);
  auto it = tables_.find(name);
  return it == tables_.end() ? nullptr : it->second;
}

void MemoryTables::Drop(const std::string& name) {
  std::lock_guard lock(mutex_);
  tables_.erase(name);
}

}  // namespace millrace::connector
