#include "delta/snapshot/file_list.h"

#include <algorithm>

namespace millrace::delta {

namespace {

std::string Key(std::string_view path, std::string_view deletion_vector_id) {
  std::string key(path);
  key += '\0';
  key += deletion_vector_id;
  return key;
}

}  // namespace

bool FileKeySet::Insert(std::string_view path, std::string_view deletion_vector_id) {
  hashes_.insert(FileKeyHash(path, deletion_vector_id));
  return keys_.insert(Key(path, deletion_vector_id)).second;
}

bool FileKeySet::Contains(std::string_view path, std::string_view deletion_vector_id) const {
  return ContainsHash(FileKeyHash(path, deletion_vector_id)) && keys_.count(Key(path, deletion_vector_id)) > 0;
}

void FileList::Append(std::shared_ptr<const FileColumns> columns, std::shared_ptr<const std::vector<uint8_t>> live) {
  Run run{std::move(columns), std::move(live), 0};
  for (int64_t row = 0; row < run.columns->num_rows(); ++row) {
    if (!run.is_live(row)) continue;
    ++run.num_live;
    total_size_bytes_ += run.columns->size_bytes(row);
  }
  if (run.num_live == 0) return;
  num_files_ += run.num_live;
  runs_.push_back(std::move(run));
}

void FileList::Remove(const FileKeySet& keys) {
  if (keys.empty()) return;
  for (Run& run : runs_) {
    std::shared_ptr<std::vector<uint8_t>> changed;
    for (int64_t row = 0; row < run.columns->num_rows(); ++row) {
      if (!run.is_live(row) || !keys.ContainsHash(run.columns->KeyHash(row))) continue;
      std::optional<DeletionVectorDescriptor> vector = run.columns->deletion_vector(row);
      if (!keys.Contains(run.columns->path(row), vector ? vector->UniqueId() : std::string())) continue;
      if (changed == nullptr) {
        auto size = static_cast<size_t>(run.columns->num_rows());
        changed = run.live == nullptr ? std::make_shared<std::vector<uint8_t>>(size, uint8_t{1})
                                      : std::make_shared<std::vector<uint8_t>>(*run.live);
      }
      (*changed)[static_cast<size_t>(row)] = 0;
      --run.num_live;
      --num_files_;
      total_size_bytes_ -= run.columns->size_bytes(row);
    }
    if (changed != nullptr) run.live = std::move(changed);
  }
  std::erase_if(runs_, [](const Run& run) { return run.num_live == 0; });
}

arrow::Status FileList::Compact() {
  // A run joins the one before it when it is not much smaller: each file is copied about log2(files) times in all.
  while (runs_.size() >= 2) {
    Run& before = runs_[runs_.size() - 2];
    Run& last = runs_.back();
    if (before.num_live > 2 * last.num_live) break;
    std::vector<Add> adds;
    adds.reserve(static_cast<size_t>(before.num_live + last.num_live));
    for (const Run* run : {&before, &last}) {
      // Statistics that are not JSON would be lost.
      if (run->columns->arrays().stats_parsed != nullptr) return arrow::Status::OK();
      for (int64_t row = 0; row < run->columns->num_rows(); ++row) {
        if (run->is_live(row)) adds.push_back(run->columns->ToAdd(row));
      }
    }
    std::vector<const Add*> pointers;
    for (const Add& add : adds) pointers.push_back(&add);
    ARROW_ASSIGN_OR_RAISE(auto joined, FileColumns::FromAdds(pointers));
    runs_.pop_back();
    runs_.back() = Run{std::move(joined), nullptr, static_cast<int64_t>(adds.size())};
  }
  return arrow::Status::OK();
}

}  // namespace millrace::delta
