#include "delta/vacuum/vacuum.h"

#include <set>

#include "delta/deletion_vector/deletion_vector.h"
#include "delta/log/log_paths.h"
#include "types/interval_text.h"

namespace millrace::delta {

namespace {

constexpr int64_t kDayMs = 86400000;

/// Absolute paths that must stay.
class Needed {
 public:
  explicit Needed(const std::string& table_path) : table_path_(table_path) {}

  arrow::Status Add(std::string_view path, const std::optional<DeletionVectorDescriptor>& vector) {
    paths_.insert(DataFilePath(table_path_, std::string(path)));
    if (!vector || vector->storage_type == 'i') return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(std::string of_vector, DeletionVectorPath(table_path_, *vector));
    paths_.insert(std::move(of_vector));
    return arrow::Status::OK();
  }
  bool Has(const std::string& path) const { return paths_.count(path) > 0; }

 private:
  const std::string& table_path_;
  std::set<std::string, std::less<>> paths_;
};

bool IsHidden(const FileInfo& file, bool in_partition_table) {
  if (file.name.empty() || (file.name[0] != '_' && file.name[0] != '.')) return false;
  if (!file.is_directory) return true;
  return file.name != "_change_data" && !(in_partition_table && file.name.find('=') != std::string::npos);
}

arrow::Status Walk(Table& table, const std::string& directory, const Needed& needed, int64_t cutoff_ms,
                   bool partitioned, VacuumFindings* findings) {
  ++findings->num_directories;
  ARROW_ASSIGN_OR_RAISE(std::vector<FileInfo> files, table.file_system()->List(directory));
  for (const FileInfo& file : files) {
    if (IsHidden(file, partitioned)) continue;
    std::string path = JoinPath(directory, file.name);
    if (file.is_directory) {
      ARROW_RETURN_NOT_OK(Walk(table, path, needed, cutoff_ms, partitioned, findings));
    } else if (file.modified_ms < cutoff_ms && !needed.Has(path)) {
      findings->files.push_back({path, file.size_bytes});
      findings->size_bytes += file.size_bytes;
    }
  }
  return arrow::Status::OK();
}

}  // namespace

int64_t DeletedFileRetentionMs(const Metadata& metadata) {
  auto text = metadata.Property("delta.deletedFileRetentionDuration");
  types::CalendarIntervalValue interval;
  if (!text || !types::ParseCalendarInterval(*text, &interval)) return 7 * kDayMs;
  return interval.days * kDayMs + interval.micros / 1000;
}

arrow::Result<VacuumFindings> FindUnneededFiles(Table& table, const Snapshot& snapshot, int64_t cutoff_ms) {
  Needed needed(table.path());
  ARROW_RETURN_NOT_OK(snapshot.files().TryForEach([&](const FileRef& file) {
    return needed.Add(file.columns->path(file.row), file.columns->deletion_vector(file.row));
  }));
  ARROW_ASSIGN_OR_RAISE(std::vector<Remove> tombstones, table.Tombstones(snapshot));
  for (const Remove& remove : tombstones) {
    if (remove.deletion_timestamp_ms.value_or(0) < cutoff_ms) continue;
    ARROW_RETURN_NOT_OK(needed.Add(remove.path, remove.deletion_vector));
  }
  VacuumFindings findings;
  ARROW_RETURN_NOT_OK(Walk(table, table.path(), needed, cutoff_ms, !snapshot.partition_columns().empty(), &findings));
  return findings;
}

}  // namespace millrace::delta
