#include "base/fault_injection_file_system.h"

#include <filesystem>

#include "base/error.h"

namespace millrace {

class FaultInjectionOutputFile final : public OutputFile {
 public:
  FaultInjectionOutputFile(FaultInjectionFileSystem* owner, std::unique_ptr<OutputFile> file, std::string path)
      : owner_(owner), file_(std::move(file)), path_(std::move(path)) {}

  arrow::Status Append(std::string_view bytes) override {
    ARROW_RETURN_NOT_OK(owner_->BeforeAppend(path_, bytes.size()));
    ARROW_RETURN_NOT_OK(file_->Append(bytes));
    owner_->OnAppended(path_, bytes.size());
    return arrow::Status::OK();
  }

  arrow::Status Sync() override {
    ARROW_RETURN_NOT_OK(owner_->BeforeChange("sync", path_));
    // Remembered only: the loss of power is played, and waiting for the disk would take most of a test's time.
    owner_->OnSynced(path_);
    return arrow::Status::OK();
  }

  arrow::Status Close() override { return file_->Close(); }

 private:
  FaultInjectionFileSystem* owner_;
  std::unique_ptr<OutputFile> file_;
  std::string path_;
};

namespace {

std::string Parent(const std::string& path) { return std::filesystem::path(path).parent_path().string(); }

}  // namespace

void FaultInjectionFileSystem::DropUnsynced() {
  std::lock_guard lock(mutex_);
  for (const std::string& path : new_names_) {
    (void)base_->Remove(path);
    written_.erase(path);
  }
  for (const auto& [path, file] : written_) {
    if (file.synced_size >= file.size) continue;
    std::error_code error;
    std::filesystem::resize_file(path, static_cast<uintmax_t>(file.synced_size), error);
  }
  for (const auto& [path, bytes] : lost_names_) {
    auto file = base_->OpenForWrite(path);
    if (!file.ok()) continue;
    (void)(*file)->Append(bytes);
    (void)(*file)->Close();
  }
  written_.clear();
  new_names_.clear();
  lost_names_.clear();
  dead_ = false;
}

void FaultInjectionFileSystem::Revive() {
  std::lock_guard lock(mutex_);
  dead_ = false;
}

void FaultInjectionFileSystem::Kill() {
  std::lock_guard lock(mutex_);
  dead_ = true;
}

void FaultInjectionFileSystem::FailNth(int nth) {
  std::lock_guard lock(mutex_);
  fail_at_ = num_changes_ + nth;
}

void FaultInjectionFileSystem::SetReadOnly(bool read_only) {
  std::lock_guard lock(mutex_);
  read_only_ = read_only;
}

void FaultInjectionFileSystem::SetFreeBytes(std::optional<int64_t> free_bytes) {
  std::lock_guard lock(mutex_);
  free_bytes_ = free_bytes;
}

int64_t FaultInjectionFileSystem::num_changes() const {
  std::lock_guard lock(mutex_);
  return num_changes_;
}

arrow::Status FaultInjectionFileSystem::BeforeChange(std::string_view what, const std::string& path) {
  std::lock_guard lock(mutex_);
  ++num_changes_;
  std::string call = "Cannot " + std::string(what) + " " + path + ": ";
  if (dead_) return WorldError(call + "the process is dead");
  if (read_only_) return WorldError(call + "Read-only file system");
  if (num_changes_ == fail_at_) return WorldError(call + "Input/output error");
  return arrow::Status::OK();
}

arrow::Status FaultInjectionFileSystem::BeforeAppend(const std::string& path, size_t num_bytes) {
  ARROW_RETURN_NOT_OK(BeforeChange("write", path));
  std::lock_guard lock(mutex_);
  if (!free_bytes_) return arrow::Status::OK();
  if (*free_bytes_ < static_cast<int64_t>(num_bytes)) {
    return WorldError("Cannot write " + path + ": No space left on device");
  }
  *free_bytes_ -= static_cast<int64_t>(num_bytes);
  return arrow::Status::OK();
}

void FaultInjectionFileSystem::OnAppended(const std::string& path, size_t num_bytes) {
  std::lock_guard lock(mutex_);
  written_[path].size += static_cast<int64_t>(num_bytes);
}

void FaultInjectionFileSystem::OnSynced(const std::string& path) {
  std::lock_guard lock(mutex_);
  Written& file = written_[path];
  file.synced_size = file.size;
}

void FaultInjectionFileSystem::SaveBeforeLoss(const std::string& path) {
  // A name that was never durable cannot come back.
  if (new_names_.count(path) > 0 || lost_names_.count(path) > 0) return;
  auto bytes = base_->ReadFile(path);
  if (!bytes.ok()) return;
  auto it = written_.find(path);
  if (it != written_.end()) bytes->resize(static_cast<size_t>(it->second.synced_size));
  lost_names_[path] = std::move(*bytes);
}

void FaultInjectionFileSystem::MoveName(const std::string& from, const std::string& to) {
  auto node = written_.extract(from);
  if (!node.empty()) {
    node.key() = to;
    written_.erase(to);
    written_.insert(std::move(node));
  }
  new_names_.erase(from);
  new_names_.insert(to);
}

arrow::Result<std::unique_ptr<OutputFile>> FaultInjectionFileSystem::OpenForWrite(const std::string& path) {
  ARROW_RETURN_NOT_OK(BeforeChange("create", path));
  std::lock_guard lock(mutex_);
  ARROW_ASSIGN_OR_RAISE(auto existing, base_->Stat(path));
  if (existing) SaveBeforeLoss(path);
  ARROW_ASSIGN_OR_RAISE(auto file, base_->OpenForWrite(path));
  if (!existing) new_names_.insert(path);
  written_[path] = Written();
  return std::make_unique<FaultInjectionOutputFile>(this, std::move(file), path);
}

arrow::Status FaultInjectionFileSystem::CreateDirectories(const std::string& directory) {
  // Directories themselves are taken to be durable: an empty one harms nobody.
  ARROW_RETURN_NOT_OK(BeforeChange("create directory", directory));
  return base_->CreateDirectories(directory);
}

arrow::Result<bool> FaultInjectionFileSystem::RenameIfAbsent(const std::string& from, const std::string& to) {
  ARROW_RETURN_NOT_OK(BeforeChange("create", to));
  std::lock_guard lock(mutex_);
  ARROW_ASSIGN_OR_RAISE(bool renamed, base_->RenameIfAbsent(from, to));
  if (renamed) MoveName(from, to);
  return renamed;
}

arrow::Status FaultInjectionFileSystem::Rename(const std::string& from, const std::string& to) {
  ARROW_RETURN_NOT_OK(BeforeChange("rename to", to));
  std::lock_guard lock(mutex_);
  SaveBeforeLoss(to);
  ARROW_RETURN_NOT_OK(base_->Rename(from, to));
  MoveName(from, to);
  return arrow::Status::OK();
}

arrow::Status FaultInjectionFileSystem::Remove(const std::string& path) {
  ARROW_RETURN_NOT_OK(BeforeChange("remove", path));
  std::lock_guard lock(mutex_);
  SaveBeforeLoss(path);
  ARROW_RETURN_NOT_OK(base_->Remove(path));
  new_names_.erase(path);
  written_.erase(path);
  return arrow::Status::OK();
}

arrow::Status FaultInjectionFileSystem::RemoveTree(const std::string& directory) {
  ARROW_RETURN_NOT_OK(BeforeChange("remove", directory));
  return base_->RemoveTree(directory);
}

arrow::Status FaultInjectionFileSystem::SyncDirectory(const std::string& directory) {
  ARROW_RETURN_NOT_OK(BeforeChange("sync directory", directory));
  ARROW_ASSIGN_OR_RAISE(auto info, base_->Stat(directory));
  if (!info) return arrow::Status::KeyError("Cannot sync directory ", directory, ": it does not exist");
  std::lock_guard lock(mutex_);
  std::erase_if(new_names_, [&](const std::string& path) { return Parent(path) == directory; });
  std::erase_if(lost_names_, [&](const auto& lost) { return Parent(lost.first) == directory; });
  return arrow::Status::OK();
}

arrow::Status FaultInjectionFileSystem::SyncAll(const std::vector<std::string>& files,
                                                const std::vector<std::string>& directories) {
  for (const std::string& path : files) {
    ARROW_RETURN_NOT_OK(BeforeChange("sync", path));
    ARROW_ASSIGN_OR_RAISE(auto info, base_->Stat(path));
    if (!info) return arrow::Status::KeyError("Cannot sync ", path, ": it does not exist");
    OnSynced(path);
  }
  for (const std::string& directory : directories) ARROW_RETURN_NOT_OK(SyncDirectory(directory));
  return arrow::Status::OK();
}

}  // namespace millrace
