#include "delta/snapshot/file_list.h"

#include <algorithm>

namespace millrace::delta {

bool FileKeySet::Insert(std::string_view path, std::string_view deletion_vector_id) {
  uint64_t hash = FileKeyHash(path, deletion_vector_id);
  auto [begin, end] = by_hash_.equal_range(hash);
  for (auto it = begin; it != end; ++it) {
    const Key& key = keys_[it->second];
    if (key.path == path && key.deletion_vector_id == deletion_vector_id) return false;
  }
  by_hash_.emplace(hash, keys_.size());
  keys_.push_back({hash, std::string(path), std::string(deletion_vector_id)});
  return true;
}

bool FileKeySet::Contains(std::string_view path, std::string_view deletion_vector_id) const {
  auto [begin, end] = by_hash_.equal_range(FileKeyHash(path, deletion_vector_id));
  for (auto it = begin; it != end; ++it) {
    const Key& key = keys_[it->second];
    if (key.path == path && key.deletion_vector_id == deletion_vector_id) return true;
  }
  return false;
}

bool FileKeySet::Contains(const FileColumns& columns, int64_t row) const {
  auto [begin, end] = by_hash_.equal_range(columns.KeyHash(row));
  for (auto it = begin; it != end; ++it) {
    const Key& key = keys_[it->second];
    if (columns.HasKey(row, key.path, key.deletion_vector_id)) return true;
  }
  return false;
}

void FileList::Append(std::shared_ptr<const FileColumns> columns, std::shared_ptr<const std::vector<uint8_t>> live) {
  Run run{std::move(columns), std::move(live), 0};
  for (int64_t row = 0; row < run.columns->num_rows(); ++row) {
    if (!run.is_live(row)) continue;
    ++run.num_live;
    totals_.Add(run.columns->size_bytes(row), run.columns->num_deleted_rows(row));
  }
  if (run.num_live == 0) return;
  runs_.push_back(std::move(run));
}

FileList FileList::Counted() const {
  FileList counted;
  counted.totals_ = totals_;
  counted.is_complete_ = false;
  return counted;
}

void FileList::Remove(const FileKeySet& keys, bool indexed) {
  if (keys.empty()) return;
  for (Run& run : runs_) {
    std::shared_ptr<std::vector<uint8_t>> changed;
    auto take_away = [&](int64_t row) {
      if (changed == nullptr) {
        auto size = static_cast<size_t>(run.columns->num_rows());
        changed = run.live == nullptr ? std::make_shared<std::vector<uint8_t>>(size, uint8_t{1})
                                      : std::make_shared<std::vector<uint8_t>>(*run.live);
      }
      if ((*changed)[static_cast<size_t>(row)] == 0) return;
      (*changed)[static_cast<size_t>(row)] = 0;
      --run.num_live;
      totals_.Remove(run.columns->size_bytes(row), run.columns->num_deleted_rows(row));
    };
    if (indexed) {
      for (const FileKeySet::Key& key : keys.keys()) {
        for (int64_t row : run.columns->RowsWithHash(key.hash)) {
          if (run.is_live(row) && run.columns->HasKey(row, key.path, key.deletion_vector_id)) take_away(row);
        }
      }
    } else {
      for (int64_t row = 0; row < run.columns->num_rows(); ++row) {
        if (run.is_live(row) && keys.Contains(*run.columns, row)) take_away(row);
      }
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
    // Statistics that are not JSON have types of their own; such runs stay as they are.
    if (before.columns->arrays().stats_parsed != nullptr || last.columns->arrays().stats_parsed != nullptr) break;
    const FileColumns::Rows parts[] = {{before.columns.get(), before.live.get()},
                                       {last.columns.get(), last.live.get()}};
    ARROW_ASSIGN_OR_RAISE(auto joined, FileColumns::Join(parts));
    const int64_t num_live = before.num_live + last.num_live;
    runs_.pop_back();
    runs_.back() = Run{std::move(joined), nullptr, num_live};
  }
  return arrow::Status::OK();
}

}  // namespace millrace::delta
