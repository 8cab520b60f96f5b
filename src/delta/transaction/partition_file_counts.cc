#include "delta/transaction/partition_file_counts.h"

#include <utility>

namespace millrace::delta {

namespace {

// Tells partitions apart.
std::string KeyOf(const PartitionValues& values) {
  std::string key;
  for (const auto& [column, value] : values.entries()) {
    key += std::to_string(column.size()) + ":" + column;
    key += value ? "=" + std::to_string(value->size()) + ":" + *value : std::string("-");
  }
  return key;
}

}  // namespace

std::vector<PartitionValues> PartitionFileCounts::Count(const std::string& table_id, std::span<const Action> actions) {
  std::map<std::string, int64_t> won;
  std::map<std::string, const PartitionValues*> added;
  for (const Action& action : actions) {
    if (const auto* add = std::get_if<Add>(&action)) {
      std::string key = KeyOf(add->partition_values);
      ++won[key];
      added.emplace(std::move(key), &add->partition_values);
    } else if (const auto* remove = std::get_if<Remove>(&action)) {
      if (remove->partition_values) --won[KeyOf(*remove->partition_values)];
    }
  }
  std::lock_guard lock(mutex_);
  if (table_id_ != table_id) {
    table_id_ = table_id;
    partitions_.clear();
  }
  for (const auto& [key, num_files] : won) {
    if (num_files == 0) continue;
    auto there = partitions_.find(key);
    if (there == partitions_.end()) {
      if (num_files > 0) partitions_[key].num_files = num_files;
      continue;
    }
    there->second.num_files += num_files;
    if (there->second.num_files <= 0) partitions_.erase(there);
  }
  std::vector<PartitionValues> partitions;
  for (const auto& [key, values] : added) partitions.push_back(*values);
  return partitions;
}

std::vector<PartitionValues> PartitionFileCounts::Claim(const std::vector<PartitionValues>& partitions,
                                                        int64_t num_files_min) {
  std::lock_guard lock(mutex_);
  std::vector<PartitionValues> due;
  for (const PartitionValues& values : partitions) {
    auto there = partitions_.find(KeyOf(values));
    if (there == partitions_.end() || there->second.is_claimed) continue;
    if (there->second.was_compacted && there->second.num_files < num_files_min) continue;
    there->second.is_claimed = true;
    due.push_back(values);
  }
  return due;
}

void PartitionFileCounts::Release(const std::vector<PartitionValues>& partitions, bool are_compacted) {
  std::lock_guard lock(mutex_);
  for (const PartitionValues& values : partitions) {
    auto there = partitions_.find(KeyOf(values));
    if (there == partitions_.end()) continue;
    there->second.is_claimed = false;
    there->second.was_compacted = there->second.was_compacted || are_compacted;
  }
}

}  // namespace millrace::delta
