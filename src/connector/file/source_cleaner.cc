#include "connector/file/source_cleaner.h"

#include <spdlog/spdlog.h>

#include <filesystem>

#include "base/ascii.h"
#include "connector/file/glob.h"

namespace millrace::connector::file {

namespace {

namespace fs = std::filesystem;

class SourceRemover final : public SourceCleaner {
 public:
  explicit SourceRemover(FileSystem* file_system) : file_system_(file_system) {}
  void Clean(const std::string& path) override {
    arrow::Status status = file_system_->Remove(path);
    if (!status.ok()) spdlog::warn("Cannot remove the source file {}: {}", path, status.message());
  }

 private:
  FileSystem* file_system_;
};

class SourceArchiver final : public SourceCleaner {
 public:
  SourceArchiver(FileSystem* file_system, std::string archive)
      : file_system_(file_system), archive_(std::move(archive)) {}
  void Clean(const std::string& path) override {
    std::string target = archive_ + path;
    arrow::Status status = file_system_->CreateDirectories(fs::path(target).parent_path().string());
    if (status.ok()) status = file_system_->Rename(path, target);
    // Gone already: an earlier run of the same micro-batch has moved it.
    if (!status.ok() && !status.IsKeyError()) {
      spdlog::warn("Cannot move the source file {} to {}: {}", path, target, status.message());
    }
  }

 private:
  FileSystem* file_system_;
  std::string archive_;
};

std::vector<std::string> Parts(const std::string& path) {
  std::vector<std::string> parts;
  for (const auto& part : fs::path(path)) {
    if (part != "/" && !part.empty()) parts.push_back(part.string());
  }
  return parts;
}

}  // namespace

arrow::Result<std::unique_ptr<SourceCleaner>> MakeSourceCleaner(const Options& options, const std::string& source_path,
                                                                FileSystem* file_system) {
  std::string mode = ToLowerAscii(options.GetOr("cleanSource", "off"));
  if (mode == "off") return nullptr;
  if (mode == "delete") return std::make_unique<SourceRemover>(file_system);
  if (mode != "archive") {
    return arrow::Status::Invalid("Invalid mode for clean source option Some(", options.GetOr("cleanSource", ""),
                                  "). Must be one of ARCHIVE,DELETE,OFF");
  }
  std::optional<std::string> archive = options.Get("sourceArchiveDir");
  if (!archive) {
    return arrow::Status::Invalid("Archive mode must be used with 'sourceArchiveDir' option.");
  }
  std::string target = AbsolutePath(LocalPath(*archive));
  while (target.size() > 1 && target.ends_with('/')) target.pop_back();
  // As deep as the shorter of both reaches, the archive must not be what the source's pattern matches.
  std::vector<std::string> source_parts = Parts(source_path);
  std::vector<std::string> target_parts = Parts(target);
  bool matches = true;
  for (size_t i = 0; i < std::min(source_parts.size(), target_parts.size()); ++i) {
    matches = matches && GlobMatches(source_parts[i], target_parts[i]);
  }
  if (matches) {
    return arrow::Status::Invalid(
        "requirement failed: Base archive path cannot be set to the path where archived path can possibly match with "
        "source pattern. "
        "Ensure the base archive path doesn't match with source pattern in depth, where the depth is minimum of depth "
        "on both paths.");
  }
  return std::make_unique<SourceArchiver>(file_system, std::move(target));
}

}  // namespace millrace::connector::file
