#include "connector/delta/symlink_manifest.h"

#include <map>
#include <string>

#include "base/error.h"
#include "base/ids.h"
#include "connector/file/partition_path.h"
#include "delta/checkpoint/maintenance.h"
#include "delta/log/log_paths.h"
#include "delta/transaction/table_metadata.h"

namespace millrace::connector::delta_table {

namespace delta = millrace::delta;

namespace {

constexpr const char* kDirectory = "_symlink_format_manifest";
constexpr const char* kManifest = "manifest";

std::string PartitionOf(const delta::Snapshot& snapshot, const delta::FileRef& file) {
  std::string directory;
  for (int index : snapshot.partition_columns()) {
    const std::string& name = snapshot.schema()->fields()[static_cast<size_t>(index)].name;
    auto value = file.columns->partition_value(file.row, name);
    std::optional<std::string> text;
    if (value) text = std::string(*value);
    if (!directory.empty()) directory += '/';
    directory += file::PartitionDirectory(name, text);
  }
  return directory;
}

// A reader of the old one sees it whole, or the new one.
arrow::Status Replace(FileSystem* files, const std::string& directory, const std::string& text) {
  ARROW_RETURN_NOT_OK(files->CreateDirectories(directory));
  std::string hidden = JoinPath(directory, "." + RandomUuid() + ".tmp");
  ARROW_ASSIGN_OR_RAISE(auto file, files->OpenForWrite(hidden));
  ARROW_RETURN_NOT_OK(file->Append(text));
  ARROW_RETURN_NOT_OK(file->Close());
  return files->Rename(hidden, JoinPath(directory, kManifest));
}

arrow::Status RemoveOthers(FileSystem* files, const std::string& root, const std::string& below,
                           const std::map<std::string, std::string>& kept) {
  std::string directory = below.empty() ? root : JoinPath(root, below);
  ARROW_ASSIGN_OR_RAISE(std::vector<FileInfo> found, files->List(directory));
  for (const FileInfo& file : found) {
    if (file.is_directory) {
      std::string inner = below.empty() ? file.name : below + "/" + file.name;
      ARROW_RETURN_NOT_OK(RemoveOthers(files, root, inner, kept));
    } else if (file.name == kManifest && !below.empty() && kept.count(below) == 0) {
      ARROW_RETURN_NOT_OK(files->RemoveTree(directory));
      return arrow::Status::OK();
    }
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Status WriteSymlinkManifests(const delta::Snapshot& snapshot, FileSystem* file_system) {
  bool has_vectors = false;
  std::map<std::string, std::string> manifests;
  if (snapshot.partition_columns().empty()) manifests[""];
  snapshot.files().ForEach([&](const delta::FileRef& file) {
    has_vectors = has_vectors || file.columns->has_deletion_vector(file.row);
    std::string path = delta::DataFilePath(snapshot.table_path(), file.columns->path(file.row));
    manifests[PartitionOf(snapshot, file)] += "file:" + path + "\n";
  });
  if (has_vectors) return UserError("DELTA_UNSUPPORTED_GENERATE_WITH_DELETION_VECTORS");
  ARROW_ASSIGN_OR_RAISE(delta::ColumnMappingMode mode, delta::ColumnMappingModeOf(snapshot.metadata()));
  if (mode != delta::ColumnMappingMode::kNone) {
    return UserError("DELTA_UNSUPPORTED_MANIFEST_GENERATION_WITH_COLUMN_MAPPING");
  }
  std::string root = JoinPath(snapshot.table_path(), kDirectory);
  for (const auto& [partition, text] : manifests) {
    ARROW_RETURN_NOT_OK(Replace(file_system, partition.empty() ? root : JoinPath(root, partition), text));
  }
  ARROW_ASSIGN_OR_RAISE(auto there, file_system->Stat(root));
  return there ? RemoveOthers(file_system, root, "", manifests) : arrow::Status::OK();
}

void KeepManifests(delta::Table& table, const delta::Committed& committed) {
  if (committed.snapshot == nullptr) return;
  constexpr std::string_view kProperty = "delta.compatibility.symlinkFormatManifest.enabled";
  if (!delta::BooleanProperty(committed.snapshot->metadata(), kProperty, false)) return;
  auto newest = table.Update();
  if (newest.ok()) (void)WriteSymlinkManifests(**newest, table.file_system());
}

void FollowCommit(delta::Table& table, const delta::Committed& committed, const ConnectorContext& context) {
  KeepManifests(table, committed);
  (void)delta::MaintainAfterCommit(table, committed, {context.durability, context.clock, context.time_zone});
}

}  // namespace millrace::connector::delta_table
