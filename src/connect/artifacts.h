#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::connect {

/// What a client has sent along: Python files, data files, archives, and blocks of local relations ("cache/<hash>").
/// Files lie in a folder of the session's own, removed with it; blocks stay in memory.
/// Thread-safe.
class Artifacts {
 public:
  explicit Artifacts(std::string session_id);
  ~Artifacts();

  /// Takes a file that has arrived whole at `staged`. `name` is the client's, with its prefix ("pyfiles/x.py").
  /// Errors: INVALID_ARTIFACT_PATH, ARTIFACT_ALREADY_EXISTS (other content under the same name); the disk's.
  arrow::Status Add(const std::string& name, const std::string& staged);

  /// Takes what another session has, for a clone of it. Errors: the disk's.
  arrow::Status CopyFrom(const Artifacts& other);

  /// The block of a local relation; null when it is not here.
  std::shared_ptr<const std::string> FindBlock(const std::string& hash) const;
  /// A path below the folder for incoming files, made when first asked for.
  arrow::Result<std::string> NewStagedPath();
  /// Where the session's files lie; may not exist.
  const std::string& root() const { return root_; }
  /// The files below pyfiles/ that are archives: what goes on a worker's path beside the folder itself.
  std::vector<std::string> python_archives() const;

 private:
  arrow::Status AddFile(const std::string& name, const std::string& staged);
  arrow::Status AddArchive(const std::string& name, const std::string& staged);
  arrow::Status Forward(const std::string& path, const std::string& staged);

  std::string root_;
  mutable std::mutex mutex_;
  int next_staged_ = 0;
  std::map<std::string, std::shared_ptr<const std::string>, std::less<>> blocks_;
  std::vector<std::string> python_archives_;
};

/// CRC-32 as zlib and java.util.zip compute it.
uint32_t Crc32(std::string_view data);

}  // namespace millrace::connect
