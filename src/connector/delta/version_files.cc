#include "connector/delta/version_files.h"

#include <algorithm>
#include <tuple>

namespace millrace::connector::delta_table {

VersionFiles FilesOfState(delta::SnapshotPtr snapshot) {
  VersionFiles files;
  files.version = snapshot->version();
  files.is_state = true;
  files.timestamp_ms = snapshot->timestamp_ms();
  files.entries.reserve(static_cast<size_t>(snapshot->files().num_files()));
  snapshot->files().ForEach([&](const delta::FileRef& file) {
    VersionFiles::Entry entry;
    entry.file = file;
    entry.size_bytes = file.columns->size_bytes(file.row);
    files.entries.push_back(entry);
  });
  std::sort(files.entries.begin(), files.entries.end(), [](const auto& a, const auto& b) {
    int64_t time_a = a.file.columns->modification_time_ms(a.file.row);
    int64_t time_b = b.file.columns->modification_time_ms(b.file.row);
    return time_a != time_b ? time_a < time_b : a.path() < b.path();
  });
  files.snapshot = std::move(snapshot);
  return files;
}

VersionFiles FilesOfCommit(std::shared_ptr<const delta::Commit> commit, bool skip) {
  VersionFiles files;
  files.version = commit->version;
  for (const delta::Action& action : commit->actions) {
    const auto* add = std::get_if<delta::Add>(&action);
    if (skip || add == nullptr || !add->data_change) continue;
    VersionFiles::Entry entry;
    entry.add = add;
    entry.size_bytes = add->size_bytes;
    files.entries.push_back(entry);
  }
  files.commit = std::move(commit);
  return files;
}

VersionFiles ChangesOfCommit(std::shared_ptr<const delta::Commit> commit, int64_t timestamp_ms) {
  // Which files count is judged on a copy; the entries keep the commit's order.
  CommitChanges changes = ChangesOf(*commit, timestamp_ms);
  VersionFiles files;
  files.version = commit->version;
  files.timestamp_ms = changes.timestamp_ms;
  bool by_cdc = !changes.cdc.empty();
  bool by_files = !changes.adds.empty() || !changes.removes.empty();
  for (const delta::Action& action : commit->actions) {
    VersionFiles::Entry entry;
    if (const auto* cdc = std::get_if<delta::Cdc>(&action); cdc != nullptr && by_cdc) {
      entry.cdc = cdc;
      entry.size_bytes = cdc->size_bytes;
    } else if (const auto* add = std::get_if<delta::Add>(&action); add != nullptr && by_files && add->data_change) {
      entry.add = add;
      entry.size_bytes = add->size_bytes;
    } else if (const auto* remove = std::get_if<delta::Remove>(&action);
               remove != nullptr && by_files && remove->data_change) {
      entry.remove = remove;
      entry.size_bytes = remove->size_bytes.value_or(0);
    } else {
      continue;
    }
    files.entries.push_back(entry);
  }
  files.commit = std::move(commit);
  return files;
}

}  // namespace millrace::connector::delta_table
