#include "base/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/checksum_file.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/file_descriptor.h"
#include "base/ids.h"
#include "base/sync_paths.h"

namespace millrace {

arrow::Status ErrnoStatus(std::string_view what, const std::string& path, int error_number) {
  std::string message = std::string(what) + " " + path + ": " + std::strerror(error_number);
  if (error_number == ENOENT) return arrow::Status::KeyError(std::move(message));
  return WorldError(std::move(message), error_number == EAGAIN || error_number == EINTR);
}

namespace {

class LocalOutputFile final : public OutputFile {
 public:
  LocalOutputFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  arrow::Status Append(std::string_view bytes) override {
    while (!bytes.empty()) {
      ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
      if (written < 0) {
        if (errno == EINTR) continue;
        return ErrnoStatus("Cannot write", path_, errno);
      }
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return arrow::Status::OK();
  }

  arrow::Status Sync() override {
    if (::fdatasync(fd_.get()) != 0) return ErrnoStatus("Cannot sync", path_, errno);
    return arrow::Status::OK();
  }

  arrow::Status Close() override {
    if (::close(fd_.Release()) != 0) return ErrnoStatus("Cannot close", path_, errno);
    return arrow::Status::OK();
  }

 private:
  Descriptor fd_;
  std::string path_;
};

FileInfo ToInfo(std::string name, const struct stat& st) {
  FileInfo info;
  info.name = std::move(name);
  info.size_bytes = st.st_size;
  info.modified_ms = static_cast<int64_t>(st.st_mtim.tv_sec) * 1000 + st.st_mtim.tv_nsec / 1000000;
  info.is_directory = S_ISDIR(st.st_mode);
  return info;
}

class LocalFileSystemImpl final : public FileSystem {
 public:
  arrow::Result<std::string> ReadFile(const std::string& path) const override {
    Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0) return ErrnoStatus("Cannot open", path, errno);
    std::string bytes;
    struct stat st{};
    if (::fstat(fd.get(), &st) != 0) return ErrnoStatus("Cannot stat", path, errno);
    // One byte more than there should be tells whether that was all.
    size_t filled = 0;
    bytes.resize(static_cast<size_t>(std::max<int64_t>(st.st_size, 0)) + 1);
    while (true) {
      if (filled == bytes.size()) bytes.resize(bytes.size() * 2);
      ssize_t count = ::read(fd.get(), bytes.data() + filled, bytes.size() - filled);
      if (count < 0) {
        if (errno == EINTR) continue;
        return ErrnoStatus("Cannot read", path, errno);
      }
      if (count == 0) break;
      filled += static_cast<size_t>(count);
    }
    bytes.resize(filled);
    return bytes;
  }

  arrow::Result<std::unique_ptr<OutputFile>> OpenForWrite(const std::string& path) override {
    int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return ErrnoStatus("Cannot create", path, errno);
    return std::make_unique<LocalOutputFile>(fd, path);
  }

  arrow::Result<std::vector<FileInfo>> List(const std::string& directory) const override {
    DIR* dir = ::opendir(directory.c_str());
    if (dir == nullptr) return ErrnoStatus("Cannot list", directory, errno);
    std::vector<FileInfo> found;
    while (const dirent* entry = ::readdir(dir)) {
      std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      struct stat st{};
      // A file removed between readdir and stat is simply not there any more.
      if (::fstatat(::dirfd(dir), entry->d_name, &st, 0) == 0) found.push_back(ToInfo(std::string(name), st));
    }
    ::closedir(dir);
    return found;
  }

  arrow::Result<std::vector<std::string>> ListNames(const std::string& directory) const override {
    DIR* dir = ::opendir(directory.c_str());
    if (dir == nullptr) return ErrnoStatus("Cannot list", directory, errno);
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(dir)) {
      std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    ::closedir(dir);
    return names;
  }

  arrow::Result<std::optional<FileInfo>> Stat(const std::string& path) const override {
    struct stat st{};
    if (::stat(path.c_str(), &st) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
      return ErrnoStatus("Cannot stat", path, errno);
    }
    return ToInfo(std::filesystem::path(path).filename().string(), st);
  }

  arrow::Status CreateDirectories(const std::string& directory) override {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) return ErrnoStatus("Cannot create directory", directory, error.value());
    return arrow::Status::OK();
  }

  arrow::Result<bool> RenameIfAbsent(const std::string& from, const std::string& to) override {
#ifdef RENAME_NOREPLACE
    // One step where the file system knows it; where not, a second name and then one less.
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
    if (errno == EEXIST) return false;
    if (errno != EINVAL && errno != ENOSYS) return ErrnoStatus("Cannot create", to, errno);
#endif
    if (::link(from.c_str(), to.c_str()) != 0) {
      if (errno == EEXIST) return false;
      return ErrnoStatus("Cannot create", to, errno);
    }
    ::unlink(from.c_str());
    return true;
  }

  arrow::Status Rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return ErrnoStatus("Cannot rename to", to, errno);
    return arrow::Status::OK();
  }

  arrow::Status Remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return ErrnoStatus("Cannot remove", path, errno);
    return arrow::Status::OK();
  }

  arrow::Status RemoveTree(const std::string& directory) override {
    std::error_code error;
    std::filesystem::remove_all(directory, error);
    if (error) return ErrnoStatus("Cannot remove", directory, error.value());
    return arrow::Status::OK();
  }

  arrow::Status SyncDirectory(const std::string& directory) override {
    Descriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.get() < 0) return ErrnoStatus("Cannot open directory", directory, errno);
    if (::fsync(fd.get()) != 0) return ErrnoStatus("Cannot sync directory", directory, errno);
    return arrow::Status::OK();
  }

  arrow::Status SyncAll(const std::vector<std::string>& files, const std::vector<std::string>& directories) override {
    return SyncLocalPaths(files, directories);
  }
};

}  // namespace

arrow::Result<std::vector<std::string>> FileSystem::ListNames(const std::string& directory) const {
  ARROW_ASSIGN_OR_RAISE(std::vector<FileInfo> files, List(directory));
  std::vector<std::string> names;
  for (FileInfo& file : files) names.push_back(std::move(file.name));
  return names;
}

FileSystem* LocalFileSystem() {
  static auto* instance = new LocalFileSystemImpl;
  return instance;
}

namespace {

// The checksum of a file that is gone would be taken for that of the next one of its name.
arrow::Status RemoveStaleChecksum(FileSystem& file_system, const std::string& path) {
  std::string checksum = ChecksumFileOf(path);
  ARROW_ASSIGN_OR_RAISE(auto sums, file_system.Stat(checksum));
  if (!sums) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(auto file, file_system.Stat(path));
  return file ? arrow::Status::OK() : file_system.Remove(checksum);
}

}  // namespace

arrow::Result<bool> WriteFileIfAbsent(FileSystem& file_system, const std::string& path, std::string_view bytes,
                                      Durability durability) {
  std::filesystem::path target(path);
  std::string directory = target.parent_path().string();
  std::string temporary = JoinPath(directory, "." + target.filename().string() + "." + RandomUuid() + ".tmp");
  ARROW_ASSIGN_OR_RAISE(auto file, file_system.OpenForWrite(temporary));
  auto write = [&]() -> arrow::Status {
    ARROW_RETURN_NOT_OK(file->Append(bytes));
    if (durability == Durability::kMachine) ARROW_RETURN_NOT_OK(file->Sync());
    ARROW_RETURN_NOT_OK(file->Close());
    return HitFailpoint("log.before_rename");
  };
  arrow::Status status = write();
  if (!status.ok()) {
    (void)file_system.Remove(temporary);
    return status;
  }
  ARROW_RETURN_NOT_OK(RemoveStaleChecksum(file_system, path));
  ARROW_ASSIGN_OR_RAISE(bool created, file_system.RenameIfAbsent(temporary, path));
  if (!created) {
    ARROW_RETURN_NOT_OK(file_system.Remove(temporary));
    return false;
  }
  if (durability == Durability::kMachine) ARROW_RETURN_NOT_OK(file_system.SyncDirectory(directory));
  return true;
}

std::string JoinPath(std::string_view directory, std::string_view name) {
  std::string joined(directory);
  if (!joined.empty() && joined.back() != '/') joined += '/';
  joined += name;
  return joined;
}

std::string LocalPath(std::string_view path_or_uri) {
  if (!path_or_uri.starts_with("file:")) return std::string(path_or_uri);
  std::string_view rest = path_or_uri.substr(5);
  if (rest.starts_with("//")) rest.remove_prefix(rest.find('/', 2) == std::string_view::npos ? 2 : rest.find('/', 2));
  auto hex = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string path;
  for (size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == '%' && i + 2 < rest.size() && hex(rest[i + 1]) >= 0 && hex(rest[i + 2]) >= 0) {
      path += static_cast<char>(hex(rest[i + 1]) * 16 + hex(rest[i + 2]));
      i += 2;
    } else {
      path += rest[i];
    }
  }
  return path;
}

std::string FileUri(std::string_view absolute_path) {
  static constexpr std::string_view kUnreserved = "-_.~!$&'()*+,;=:@/";
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string uri = "file://";
  for (char c : absolute_path) {
    auto byte = static_cast<unsigned char>(c);
    bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                 kUnreserved.find(c) != std::string_view::npos || byte >= 0x80;
    if (plain) {
      uri += c;
    } else {
      uri += '%';
      uri += kHex[byte >> 4];
      uri += kHex[byte & 15];
    }
  }
  return uri;
}

std::string AbsolutePath(std::string_view path) {
  return std::filesystem::absolute(std::filesystem::path(path)).lexically_normal().string();
}

}  // namespace millrace
