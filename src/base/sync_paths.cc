#include "base/sync_paths.h"

#include <arrow/result.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "base/file_descriptor.h"

namespace millrace {

namespace {

// Measured on ext4: more threads do not shorten the wait.
constexpr size_t kThreads = 8;
// So many paths are worth a look at how much is dirty.
constexpr size_t kManyPaths = 64;
// Half a second of a slow disk.
constexpr int64_t kLittleDirtyKib = 64 << 10;

// Of the whole machine; nothing where the kernel does not say.
bool LittleIsDirty() {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/meminfo", "re"), std::fclose);
  if (file == nullptr) return false;
  int64_t dirty = -1, writeback = -1;
  char line[256];
  while (std::fgets(line, sizeof(line), file.get()) != nullptr) {
    long long kib;
    if (std::sscanf(line, "Dirty: %lld kB", &kib) == 1) dirty = kib;
    if (std::sscanf(line, "Writeback: %lld kB", &kib) == 1) writeback = kib;
  }
  return dirty >= 0 && writeback >= 0 && dirty + writeback <= kLittleDirtyKib;
}

arrow::Status SyncFile(const std::string& path) {
  Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return ErrnoStatus("Cannot open", path, errno);
  if (::fdatasync(fd.get()) != 0) return ErrnoStatus("Cannot sync", path, errno);
  return arrow::Status::OK();
}

arrow::Status SyncDirectory(const std::string& path) {
  Descriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return ErrnoStatus("Cannot open directory", path, errno);
  if (::fsync(fd.get()) != 0) return ErrnoStatus("Cannot sync directory", path, errno);
  return arrow::Status::OK();
}

// False when some path is not of a file system that could be written out as a whole.
arrow::Result<bool> SyncFileSystems(const std::vector<std::string>& files,
                                    const std::vector<std::string>& directories) {
  std::map<dev_t, std::string> devices;
  for (const auto* paths : {&files, &directories}) {
    for (const std::string& path : *paths) {
      struct stat st{};
      if (::stat(path.c_str(), &st) != 0) return ErrnoStatus("Cannot stat", path, errno);
      devices.try_emplace(st.st_dev, path);
    }
  }
  for (const auto& [device, path] : devices) {
    Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0) return ErrnoStatus("Cannot open", path, errno);
    if (::syncfs(fd.get()) == 0) continue;
    if (errno == ENOSYS || errno == EPERM || errno == EINVAL) return false;
    return ErrnoStatus("Cannot sync the file system of", path, errno);
  }
  return true;
}

arrow::Status SyncSideBySide(const std::vector<std::string>& files, const std::vector<std::string>& directories) {
  size_t count = files.size() + directories.size();
  std::atomic<size_t> next{0};
  std::mutex mutex;
  arrow::Status failure;
  auto work = [&] {
    for (size_t i; (i = next.fetch_add(1)) < count;) {
      arrow::Status status = i < files.size() ? SyncFile(files[i]) : SyncDirectory(directories[i - files.size()]);
      if (status.ok()) continue;
      next.store(count);
      std::lock_guard lock(mutex);
      if (failure.ok()) failure = std::move(status);
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 1; i < std::min(kThreads, count); ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  return failure;
}

}  // namespace

arrow::Status SyncLocalPaths(const std::vector<std::string>& files, const std::vector<std::string>& directories) {
  if (files.size() + directories.size() >= kManyPaths && LittleIsDirty()) {
    ARROW_ASSIGN_OR_RAISE(bool synced, SyncFileSystems(files, directories));
    if (synced) return arrow::Status::OK();
  }
  return SyncSideBySide(files, directories);
}

}  // namespace millrace
