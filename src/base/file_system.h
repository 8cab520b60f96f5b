#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

struct FileInfo {
  std::string name;  ///< last path component
  int64_t size_bytes = 0;
  int64_t modified_ms = 0;  ///< since 1970 UTC
  bool is_directory = false;
};

/// A file being written from start to end. Confined to one thread.
class OutputFile {
 public:
  virtual ~OutputFile() = default;
  virtual arrow::Status Append(std::string_view bytes) = 0;
  /// Makes the bytes appended so far survive a crash of the machine.
  virtual arrow::Status Sync() = 0;
  virtual arrow::Status Close() = 0;
};

/// All file access of logs, state, Delta and file tables goes through this, so that a test can drop what was
/// not synced, fail any call or fill the disk.
///
/// Paths are absolute or relative to the working directory, without a scheme. Errors are IOErrors naming the
/// path; "not found" is arrow::StatusCode::KeyError so that callers can tell it apart. Thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual arrow::Result<std::string> ReadFile(const std::string& path) const = 0;
  virtual arrow::Result<std::unique_ptr<OutputFile>> OpenForWrite(const std::string& path) = 0;
  /// Children of a directory in no order; KeyError when it does not exist.
  virtual arrow::Result<std::vector<FileInfo>> List(const std::string& directory) const = 0;
  /// Only the names, without a look at each file: for directories of many files. KeyError as List.
  virtual arrow::Result<std::vector<std::string>> ListNames(const std::string& directory) const;
  /// nullopt when nothing is there.
  virtual arrow::Result<std::optional<FileInfo>> Stat(const std::string& path) const = 0;
  virtual arrow::Status CreateDirectories(const std::string& directory) = 0;
  /// Gives `from` the name `to` only when nothing has that name; false when something has. Atomic.
  virtual arrow::Result<bool> RenameIfAbsent(const std::string& from, const std::string& to) = 0;
  /// Gives `from` the name `to`, replacing what has it. Atomic.
  virtual arrow::Status Rename(const std::string& from, const std::string& to) = 0;
  /// Removes a file; a missing one is no error.
  virtual arrow::Status Remove(const std::string& path) = 0;
  virtual arrow::Status RemoveTree(const std::string& directory) = 0;
  /// Makes names created, renamed or removed in `directory` survive a crash of the machine.
  virtual arrow::Status SyncDirectory(const std::string& directory) = 0;
  /// Makes the bytes of `files`, which are written and closed, and the names in `directories` survive a crash of the
  /// machine: as syncing each, but the disk is waited for about once, not once a path. In no order among them.
  /// KeyError when one does not exist.
  virtual arrow::Status SyncAll(const std::vector<std::string>& files, const std::vector<std::string>& directories) = 0;
};

/// The machine's own file system. Living as long as the process.
FileSystem* LocalFileSystem();

enum class Durability {
  kMachine,  ///< files and directories are synced: survives power loss
  kProcess,  ///< not synced: survives kill -9 only
};

/// Writes `bytes` to `path` only when it does not exist yet, so that a reader sees nothing or all of it
/// (temporary file beside it, sync, link, sync of the directory). False when `path` exists already.
/// Crash: leaves at most a `.<name>.<uuid>.tmp` that readers ignore.
arrow::Result<bool> WriteFileIfAbsent(FileSystem& file_system, const std::string& path, std::string_view bytes,
                                      Durability durability);

/// `directory + "/" + name` with one slash between them.
std::string JoinPath(std::string_view directory, std::string_view name);
/// Removes a `file:` scheme (file:/x, file:///x) and percent-encoding; other schemes are refused with
/// UNSUPPORTED_FEATURE-like errors by the callers that open the path.
std::string LocalPath(std::string_view path_or_uri);
/// `file:///` URI of an absolute path, percent-encoded as Hadoop's Path.toUri does.
std::string FileUri(std::string_view absolute_path);
/// Absolute form of `path` (not resolving links).
std::string AbsolutePath(std::string_view path);

}  // namespace millrace
