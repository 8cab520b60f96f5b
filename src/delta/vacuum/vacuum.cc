#include "delta/vacuum/vacuum.h"

#include <set>

#include "base/error.h"
#include "base/ids.h"
#include "base/json_value.h"
#include "delta/deletion_vector/deletion_vector.h"
#include "delta/history/commit_times.h"
#include "delta/log/log_paths.h"
#include "types/interval_text.h"

namespace millrace::delta {

namespace {

constexpr int64_t kDayMs = 86400000;
constexpr std::string_view kLastVacuumFileName = "_last_vacuum_info";
constexpr const char* kLastVersion = "latestCommitVersionOutsideOfRetentionWindow";

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

/// Looks below `directory`; says whether it holds a file that is needed or old.
arrow::Result<bool> Walk(Table& table, const std::string& directory, const Needed& needed, int64_t cutoff_ms,
                         bool partitioned, VacuumFindings* findings) {
  ++findings->num_directories;
  bool is_held = false;
  ARROW_ASSIGN_OR_RAISE(std::vector<FileInfo> files, table.file_system()->List(directory));
  for (const FileInfo& file : files) {
    if (IsHidden(file, partitioned)) continue;
    std::string path = JoinPath(directory, file.name);
    if (file.is_directory) {
      ARROW_ASSIGN_OR_RAISE(bool holds, Walk(table, path, needed, cutoff_ms, partitioned, findings));
      if (!holds) findings->files.push_back({path, 0, /*is_directory=*/true});
      is_held |= holds;
      continue;
    }
    bool is_old = file.modified_ms < cutoff_ms, is_needed = needed.Has(path);
    is_held |= is_old || is_needed;
    if (!is_old || is_needed) continue;
    findings->files.push_back({path, file.size_bytes});
    findings->size_bytes += file.size_bytes;
  }
  return is_held;
}

arrow::Status AddNeeded(Table& table, const Snapshot& snapshot, int64_t cutoff_ms, Needed* needed) {
  ARROW_RETURN_NOT_OK(snapshot.files().TryForEach([&](const FileRef& file) {
    return needed->Add(file.columns->path(file.row), file.columns->deletion_vector(file.row));
  }));
  ARROW_ASSIGN_OR_RAISE(std::vector<Remove> tombstones, table.Tombstones(snapshot));
  for (const Remove& remove : tombstones) {
    if (remove.deletion_timestamp_ms.value_or(0) < cutoff_ms) continue;
    ARROW_RETURN_NOT_OK(needed->Add(remove.path, remove.deletion_vector));
  }
  return arrow::Status::OK();
}

std::string LastVacuumPath(const Table& table) { return JoinPath(table.log_path(), kLastVacuumFileName); }

/// Nullopt when the table was not vacuumed yet, or by something that did not say so.
arrow::Result<std::optional<TableVersion>> ReadLastVacuum(const Table& table) {
  auto text = table.file_system()->ReadFile(LastVacuumPath(table));
  if (text.status().IsKeyError()) return std::nullopt;
  ARROW_RETURN_NOT_OK(text);
  auto json = ParseJson(*text);
  const JsonValue* version = json.ok() && json->is_object() ? json->Find(kLastVersion) : nullptr;
  if (version == nullptr || !version->is_number()) return std::nullopt;
  return TableVersion(version->AsInt64());
}

/// Adds files to findings, each once, when nobody needs them. They may be gone: only deleting tells.
class LoggedFiles {
 public:
  LoggedFiles(Table& table, const Needed& needed, VacuumFindings* findings)
      : table_(table), needed_(needed), findings_(findings) {}

  void Add(std::string path, int64_t size_bytes) {
    // Files of a shallow clone's source are not the table's own.
    bool is_own = path.starts_with(table_.path() + "/");
    if (!is_own || needed_.Has(path) || !seen_.insert(path).second) return;
    findings_->size_bytes += size_bytes;
    findings_->files.push_back({std::move(path), size_bytes});
  }

  arrow::Status Add(const Commit& commit) {
    for (const Action& action : commit.actions) {
      if (const auto* cdc = std::get_if<Cdc>(&action)) {
        Add(DataFilePath(table_.path(), cdc->path), cdc->size_bytes);
      }
      const auto* remove = std::get_if<Remove>(&action);
      if (remove == nullptr) continue;
      Add(DataFilePath(table_.path(), remove->path), remove->size_bytes.value_or(0));
      if (!remove->deletion_vector || remove->deletion_vector->storage_type == 'i') continue;
      ARROW_ASSIGN_OR_RAISE(std::string of_vector, DeletionVectorPath(table_.path(), *remove->deletion_vector));
      Add(std::move(of_vector), remove->deletion_vector->size_bytes);
    }
    return arrow::Status::OK();
  }

 private:
  Table& table_;
  const Needed& needed_;
  VacuumFindings* findings_;
  std::set<std::string> seen_;
};

}  // namespace

int64_t DeletedFileRetentionMs(const Metadata& metadata) {
  auto text = metadata.Property("delta.deletedFileRetentionDuration");
  types::CalendarIntervalValue interval;
  if (!text || !types::ParseCalendarInterval(*text, &interval)) return 7 * kDayMs;
  return interval.days * kDayMs + interval.micros / 1000;
}

arrow::Result<VacuumFindings> FindUnneededFiles(Table& table, const Snapshot& snapshot, int64_t cutoff_ms) {
  Needed needed(table.path());
  ARROW_RETURN_NOT_OK(AddNeeded(table, snapshot, cutoff_ms, &needed));
  VacuumFindings findings;
  bool partitioned = !snapshot.partition_columns().empty();
  ARROW_RETURN_NOT_OK(Walk(table, table.path(), needed, cutoff_ms, partitioned, &findings).status());
  return findings;
}

arrow::Result<VacuumFindings> FindUnneededFilesOfLog(Table& table, const Snapshot& snapshot, int64_t cutoff_ms,
                                                     const types::TimeZone& zone) {
  VacuumFindings findings;
  findings.num_directories = 1;
  ARROW_ASSIGN_OR_RAISE(auto vacuumed, ReadLastVacuum(table));
  TableVersion first = vacuumed ? TableVersion(vacuumed->value + 1) : TableVersion(0);
  auto last =
      CommitAtTime(table, snapshot, cutoff_ms - 1, {.can_return_last = true, .must_be_recreatable = false}, zone);
  // All commits are younger.
  if (IsErrorCondition(last.status(), "DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION")) return findings;
  ARROW_RETURN_NOT_OK(last);
  findings.last_version = vacuumed && last->version.value < vacuumed->value ? *vacuumed : last->version;
  if (last->version.value < first.value) return findings;
  Needed needed(table.path());
  ARROW_RETURN_NOT_OK(AddNeeded(table, snapshot, cutoff_ms, &needed));
  LoggedFiles files(table, needed, &findings);
  for (TableVersion version = first; version.value <= last->version.value; version = TableVersion(version.value + 1)) {
    ARROW_ASSIGN_OR_RAISE(std::optional<Commit> commit, table.ReadCommit(version, kKinds<Remove, Cdc>));
    if (!commit) return UserError("DELTA_CANNOT_VACUUM_LITE");
    ARROW_RETURN_NOT_OK(files.Add(*commit));
  }
  return findings;
}

arrow::Status WriteLastVacuum(const Table& table, std::optional<TableVersion> version) {
  JsonValue json = JsonValue::Object();
  if (version) json.Set(kLastVersion, JsonValue::Number(version->value));
  FileSystem& files = *table.file_system();
  std::string temporary =
      JoinPath(table.log_path(), "." + std::string(kLastVacuumFileName) + "." + RandomUuid() + ".tmp");
  ARROW_ASSIGN_OR_RAISE(auto file, files.OpenForWrite(temporary));
  ARROW_RETURN_NOT_OK(file->Append(json.ToString() + "\n"));
  ARROW_RETURN_NOT_OK(file->Close());
  // Hadoop's checksum of the old text would condemn the new one.
  ARROW_RETURN_NOT_OK(files.Remove(JoinPath(table.log_path(), "." + std::string(kLastVacuumFileName) + ".crc")));
  return files.Rename(temporary, LastVacuumPath(table));
}

}  // namespace millrace::delta
