#include "connect/artifacts.h"

#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "base/error.h"
#include "base/file_system.h"

namespace millrace::connect {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kCache = "cache/";
constexpr std::string_view kForward = "forward_to_fs/";

arrow::Result<std::string> ReadWhole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return WorldError("Cannot read " + path);
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

bool IsBelow(const fs::path& path) {
  if (path.is_absolute()) return false;
  fs::path normal = path.lexically_normal();
  return !normal.empty() && *normal.begin() != "..";
}

arrow::Status DiskError(std::string_view doing, const std::string& path, const std::error_code& code) {
  return WorldError(std::string(doing) + " " + path + ": " + code.message());
}

}  // namespace

uint32_t Crc32(std::string_view data) {
  return static_cast<uint32_t>(
      ::crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), static_cast<z_size_t>(data.size())));
}

Artifacts::Artifacts(std::string session_id) {
  std::error_code code;
  fs::path temporary = fs::temp_directory_path(code);
  root_ = (temporary / ("millrace-artifacts-" + std::to_string(::getpid())) / std::move(session_id)).string();
}

Artifacts::~Artifacts() {
  std::error_code code;
  fs::remove_all(root_, code);
  // The last session takes the folder of the process along.
  fs::remove(fs::path(root_).parent_path(), code);
}

arrow::Result<std::string> Artifacts::NewStagedPath() {
  fs::path staging = fs::path(root_) / ".incoming";
  std::error_code code;
  fs::create_directories(staging, code);
  if (code) return DiskError("Cannot make", staging.string(), code);
  std::lock_guard lock(mutex_);
  return (staging / std::to_string(next_staged_++)).string();
}

arrow::Status Artifacts::Add(const std::string& name, const std::string& staged) {
  if (name.starts_with(kForward)) return Forward(name.substr(kForward.size() - 1), staged);
  std::string path = name;
  if (name.starts_with("archives/")) path = name.substr(0, name.find('#'));
  if (!IsBelow(path)) return UserError("INVALID_ARTIFACT_PATH", {{"name", name}});
  if (path.starts_with(kCache)) {
    ARROW_ASSIGN_OR_RAISE(std::string block, ReadWhole(staged));
    std::error_code code;
    fs::remove(staged, code);
    std::lock_guard lock(mutex_);
    blocks_.try_emplace(path.substr(kCache.size()), std::make_shared<const std::string>(std::move(block)));
    return arrow::Status::OK();
  }
  return AddFile(path, staged);
}

arrow::Status Artifacts::AddFile(const std::string& name, const std::string& staged) {
  fs::path target = fs::path(root_) / fs::path(name).lexically_normal();
  std::lock_guard lock(mutex_);
  std::error_code code;
  if (fs::exists(target, code)) {
    ARROW_ASSIGN_OR_RAISE(std::string old_content, ReadWhole(target.string()));
    ARROW_ASSIGN_OR_RAISE(std::string new_content, ReadWhole(staged));
    bool same = old_content == new_content;
    fs::remove(staged, code);
    if (same) return arrow::Status::OK();
    return UserError("ARTIFACT_ALREADY_EXISTS", {{"normalizedRemoteRelativePath", name}});
  }
  fs::create_directories(target.parent_path(), code);
  if (code) return DiskError("Cannot make", target.parent_path().string(), code);
  fs::rename(staged, target, code);
  if (code) return DiskError("Cannot write", target.string(), code);
  std::string extension = target.extension().string();
  if (name.starts_with("pyfiles/") && (extension == ".zip" || extension == ".egg" || extension == ".jar")) {
    python_archives_.push_back(target.string());
  }
  return arrow::Status::OK();
}

arrow::Status Artifacts::Forward(const std::string& path, const std::string& staged) {
  std::error_code code;
  fs::create_directories(fs::path(path).parent_path(), code);
  fs::copy_file(staged, path, fs::copy_options::overwrite_existing, code);
  if (code) return DiskError("Cannot write", path, code);
  fs::remove(staged, code);
  return arrow::Status::OK();
}

std::shared_ptr<const std::string> Artifacts::FindBlock(const std::string& hash) const {
  std::lock_guard lock(mutex_);
  auto it = blocks_.find(hash);
  return it == blocks_.end() ? nullptr : it->second;
}

std::vector<std::string> Artifacts::python_archives() const {
  std::lock_guard lock(mutex_);
  return python_archives_;
}

}  // namespace millrace::connect
