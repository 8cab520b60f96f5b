#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "base/file_system.h"

namespace millrace {

/// A file system for tests, on top of a real one: it remembers what was synced, so that a loss of power can be played,
/// and it can refuse calls.
///
/// What a loss of power takes back (DropUnsynced): bytes appended after a file's last Sync; names created, renamed or
/// removed in a directory since that directory was last synced. Files that were not written through this object count
/// as durable. Paths must be written the same way in every call. Thread-safe.
class FaultInjectionFileSystem final : public FileSystem {
 public:
  explicit FaultInjectionFileSystem(FileSystem* base) : base_(base) {}

  /// The machine loses power and comes up again: what was not synced is gone. Also ends Kill.
  void DropUnsynced();
  /// The process dies, files keep what was written: ends Kill.
  void Revive();
  /// From now on every changing call fails and changes nothing, as if the process were dead.
  void Kill();
  /// The `nth` changing call from now (1 = the next) fails once.
  void FailNth(int nth);
  /// Changing calls fail as on a file system mounted read-only.
  void SetReadOnly(bool read_only);
  /// Appends beyond so many bytes fail as on a full disk; nullopt: no limit.
  void SetFreeBytes(std::optional<int64_t> free_bytes);
  /// Changing calls so far, refused ones too.
  int64_t num_changes() const;

  arrow::Result<std::string> ReadFile(const std::string& path) const override { return base_->ReadFile(path); }
  arrow::Result<std::unique_ptr<OutputFile>> OpenForWrite(const std::string& path) override;
  arrow::Result<std::vector<FileInfo>> List(const std::string& directory) const override {
    return base_->List(directory);
  }
  arrow::Result<std::vector<std::string>> ListNames(const std::string& directory) const override {
    return base_->ListNames(directory);
  }
  arrow::Result<std::optional<FileInfo>> Stat(const std::string& path) const override { return base_->Stat(path); }
  arrow::Status CreateDirectories(const std::string& directory) override;
  arrow::Result<bool> RenameIfAbsent(const std::string& from, const std::string& to) override;
  arrow::Status Rename(const std::string& from, const std::string& to) override;
  arrow::Status Remove(const std::string& path) override;
  arrow::Status RemoveTree(const std::string& directory) override;
  arrow::Status SyncDirectory(const std::string& directory) override;
  arrow::Status SyncAll(const std::vector<std::string>& files, const std::vector<std::string>& directories) override;

 private:
  friend class FaultInjectionOutputFile;

  arrow::Status BeforeChange(std::string_view what, const std::string& path);
  arrow::Status BeforeAppend(const std::string& path, size_t num_bytes);
  void OnAppended(const std::string& path, size_t num_bytes);
  void OnSynced(const std::string& path);
  // REQUIRES: mutex_ held.
  void MoveName(const std::string& from, const std::string& to);
  void SaveBeforeLoss(const std::string& path);

  struct Written {
    int64_t size = 0;
    int64_t synced_size = 0;
  };

  FileSystem* base_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::string, Written> written_;
  std::set<std::string> new_names_;
  /// Bytes of durable files whose name was taken away since their directory was synced.
  std::map<std::string, std::string> lost_names_;
  bool dead_ = false;
  bool read_only_ = false;
  std::optional<int64_t> free_bytes_;
  int64_t num_changes_ = 0;
  int64_t fail_at_ = -1;
};

}  // namespace millrace
