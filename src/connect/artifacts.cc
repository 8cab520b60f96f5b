#include "connect/artifacts.h"

#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "base/error.h"
#include "base/file_system.h"
#include "python/interpreter.h"
#include "python/process.h"

namespace millrace::connect {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kCache = "cache/";
constexpr std::string_view kArchives = "archives/";
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
  if (name.starts_with(kArchives)) return AddArchive(name, staged);
  const std::string& path = name;
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

// "archives/data.zip#name" is unpacked as name, or as data.zip where no name is given.
arrow::Status Artifacts::AddArchive(const std::string& name, const std::string& staged) {
  size_t hash = name.find('#');
  std::string path = name.substr(0, hash);
  std::string folder = hash == std::string::npos ? fs::path(path).filename().string() : name.substr(hash + 1);
  if (!IsBelow(path) || !IsBelow(folder)) return UserError("INVALID_ARTIFACT_PATH", {{"name", name}});
  ARROW_RETURN_NOT_OK(AddFile(path, staged));
  fs::path target = fs::path(root_) / "files" / folder;
  std::error_code code;
  fs::create_directories(target, code);
  if (code) return DiskError("Cannot make", target.string(), code);
  python::ProcessOptions unpack;
  unpack.arguments = {python::DefaultInterpreter().executable, "-c",
                      "import shutil, sys\n"
                      "path, folder = sys.argv[1:]\n"
                      "shutil.unpack_archive(path, folder, 'zip' if path.endswith('.jar') else None)",
                      (fs::path(root_) / path).string(), target.string()};
  ARROW_ASSIGN_OR_RAISE(python::Process process, python::StartProcess(unpack));
  if (process.Wait() != 0) return WorldError("Cannot unpack " + path);
  return arrow::Status::OK();
}

arrow::Status Artifacts::CopyFrom(const Artifacts& other) {
  std::scoped_lock lock(mutex_, other.mutex_);
  blocks_ = other.blocks_;
  std::error_code code;
  if (!fs::exists(other.root_, code)) return arrow::Status::OK();
  fs::create_directories(root_, code);
  fs::copy(other.root_, root_, fs::copy_options::recursive | fs::copy_options::overwrite_existing, code);
  if (code) return DiskError("Cannot write", root_, code);
  for (const std::string& archive : other.python_archives_) {
    python_archives_.push_back(root_ + archive.substr(other.root_.size()));
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
