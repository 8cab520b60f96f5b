#include "state/rocksdb/rocksdb_files.h"

#include <spdlog/spdlog.h>

#include <charconv>
#include <filesystem>
#include <iterator>
#include <optional>

#include "base/checksum_file.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/ids.h"
#include "base/json_value.h"
#include "base/version_line.h"
#include "state/rocksdb/zip_archive.h"

namespace millrace::state {

using arrow::Result;
using arrow::Status;

namespace {

constexpr std::string_view kMetadata = "metadata";

/// What a file's name says: `<version><suffix>` or `<version>_<id><suffix>`.
struct VersionAndId {
  int64_t version;
  std::string id;
};

std::optional<VersionAndId> ParseName(std::string_view name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return std::nullopt;
  name.remove_suffix(suffix.size());
  size_t bar = name.find('_');
  std::string_view id = bar == std::string_view::npos ? std::string_view() : name.substr(bar + 1);
  if (bar != std::string_view::npos && id.empty()) return std::nullopt;
  std::string_view number = name.substr(0, bar);
  int64_t version;
  auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), version);
  if (number.empty() || error != std::errc() || end != number.data() + number.size()) return std::nullopt;
  return VersionAndId{version, std::string(id)};
}

// Beside a file of checkpoint format 2, Spark's own checksum of it.
std::string SparkChecksumOf(const std::string& path) { return path + ".crc"; }

std::string TextOf(const JsonValue& object, std::string_view name) {
  const JsonValue* value = object.Find(name);
  return value == nullptr ? "" : value->AsString();
}

int64_t NumberOf(const JsonValue& object, std::string_view name) {
  const JsonValue* value = object.Find(name);
  return value == nullptr ? 0 : value->AsInt64();
}

std::vector<RocksDbFiles::StoredFile> FilesOf(const JsonValue& root, std::string_view member, std::string_view stored) {
  std::vector<RocksDbFiles::StoredFile> files;
  const JsonValue* list = root.Find(member);
  if (list == nullptr) return files;
  for (const JsonValue& file : list->elements()) {
    files.push_back({TextOf(file, "localFileName"), TextOf(file, stored), NumberOf(file, "sizeBytes")});
  }
  return files;
}

std::string EncodeMetadata(const RocksDbFiles::Snapshot& snapshot) {
  std::vector<JsonValue> tables;
  for (const auto& file : snapshot.tables) {
    JsonValue entry = JsonValue::Object();
    entry.Set("localFileName", JsonValue::String(file.local_name));
    entry.Set("dfsSstFileName", JsonValue::String(file.stored_name));
    entry.Set("sizeBytes", JsonValue::Number(file.size_bytes));
    tables.push_back(std::move(entry));
  }
  JsonValue root = JsonValue::Object();
  root.Set("sstFiles", JsonValue::Array(std::move(tables)));
  root.Set("numKeys", JsonValue::Number(snapshot.num_keys));
  root.Set("numInternalKeys", JsonValue::Number(snapshot.num_internal_keys));
  if (snapshot.families.max_id >= 0) {
    JsonValue ids = JsonValue::Object(), kinds = JsonValue::Object();
    for (const auto& [name, id] : snapshot.families.ids) {
      ids.Set(name, JsonValue::Number(int64_t{id}));
      kinds.Set(name, JsonValue::Bool(snapshot.families.internal.at(name)));
    }
    root.Set("columnFamilyMapping", std::move(ids));
    root.Set("columnFamilyTypeMap", std::move(kinds));
    root.Set("maxColumnFamilyId", JsonValue::Number(int64_t{snapshot.families.max_id}));
  }
  return "v1\n" + root.ToString();
}

RocksDbFiles::Families FamiliesOf(const JsonValue& root) {
  RocksDbFiles::Families families;
  const JsonValue* ids = root.Find("columnFamilyMapping");
  if (ids == nullptr) return families;
  const JsonValue* kinds = root.Find("columnFamilyTypeMap");
  for (const auto& [name, id] : ids->members()) {
    families.ids[name] = static_cast<int>(id.AsInt64());
    const JsonValue* kind = kinds == nullptr ? nullptr : kinds->Find(name);
    families.internal[name] = kind == nullptr ? name.starts_with("$") : kind->AsBool();
    families.max_id = std::max(families.max_id, families.ids[name]);
  }
  families.max_id = std::max(families.max_id, static_cast<int>(NumberOf(root, "maxColumnFamilyId")));
  return families;
}

bool IsSafeName(std::string_view name) { return !name.empty() && name.find('/') == std::string_view::npos; }

}  // namespace

Result<RocksDbFiles::Listing> RocksDbFiles::List() const {
  Listing listing;
  auto files = file_system_->List(directory_);
  if (files.status().IsKeyError()) return listing;
  ARROW_RETURN_NOT_OK(files);
  for (const FileInfo& file : *files) {
    auto add = [&](std::string_view suffix, std::set<int64_t>* versions) {
      auto parsed = ParseName(file.name, suffix);
      if (!parsed) return;
      if (parsed->id == IdOf(parsed->version)) {
        versions->insert(parsed->version);
      } else {
        listing.has_other_ids = listing.has_other_ids || !parsed->id.empty();
      }
    };
    add(".zip", &listing.snapshots);
    add(".changelog", &listing.changelogs);
    if (IsChecksumFile(file.name)) listing.checksums.insert(file.name);
  }
  return listing;
}

Status RocksDbFiles::OtherFormat() const {
  Status status = UserError("CANNOT_LOAD_STATE_STORE.UNCATEGORIZED");
  return status.WithMessage(status.message(), "\nThe files of ", directory_,
                            " have unique ids: they are of checkpoint format 2. Set "
                            "spark.sql.streaming.stateStore.checkpointFormatVersion = 2.");
}

Status RocksDbFiles::LoadNewest(int64_t version, const std::string& unique_id, const Loader& load) {
  StartIds(version, unique_id);
  Status first_failure;
  int64_t not_tried = version;  // and before it
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(Listing listing, List());
    Follow(listing, version);
    bool knows_all = ids_.empty() || ids_.begin()->first <= 1;
    if (knows_all) listing.snapshots.insert(0);
    auto after = listing.snapshots.upper_bound(not_tried);
    for (auto it = std::make_reverse_iterator(after); it != listing.snapshots.rend(); ++it) {
      Status status = load(*it, listing);
      if (status.ok()) {
        if (!first_failure.ok()) {
          spdlog::warn("state was rebuilt from the snapshot of version {}: {}", *it, first_failure.message());
        }
        return status;
      }
      if (first_failure.ok()) first_failure = std::move(status);
    }
    // A snapshot that is whole makes it needless to know what was before.
    if (knows_all) return listing.has_other_ids && unique_id.empty() ? OtherFormat() : first_failure;
    not_tried = ids_.begin()->first - 1;
    auto extended = ExtendIds();
    if (!extended.ok()) return first_failure.ok() ? extended.status() : first_failure;
    if (!*extended && first_failure.ok())
      return DamagedStateFile(ChangelogPath(ids_.begin()->first), "no snapshot leads to it");
    if (!*extended) return first_failure;
  }
}

void RocksDbFiles::Follow(const Listing& listing, int64_t loaded) {
  stale_snapshots_ = {listing.snapshots.upper_bound(loaded), listing.snapshots.end()};
  checksums_ = listing.checksums;
}

Result<bool> RocksDbFiles::ExtendIds() {
  if (ids_.empty()) return false;
  std::string path = ChangelogPath(ids_.begin()->first);
  auto before = ReadChangelogIds(*file_system_, path, codec_);
  if (before.status().IsKeyError()) {
    return UserError("CANNOT_LOAD_STATE_STORE.CANNOT_READ_STREAMING_STATE_FILE", {{"fileToRead", path}});
  }
  ARROW_RETURN_NOT_OK(before);
  bool extended = false;
  for (auto& [version, id] : *before) extended = ids_.try_emplace(version, std::move(id)).second || extended;
  return extended;
}

Status RocksDbFiles::FindIds(int64_t earliest, int64_t version, const std::string& id) {
  StartIds(version, id);
  while (!ids_.empty() && ids_.begin()->first > earliest) {
    ARROW_ASSIGN_OR_RAISE(bool extended, ExtendIds());
    if (!extended) break;
  }
  return Status::OK();
}

Status RocksDbFiles::RemoveChecksum(const std::string& path, const std::set<std::string>& checksums) {
  std::string checksum = ChecksumFileOf(path);
  if (!checksums.contains(std::filesystem::path(checksum).filename().string())) return Status::OK();
  return file_system_->Remove(checksum);
}

Status RocksDbFiles::RemoveStale(int64_t version) {
  ARROW_RETURN_NOT_OK(RemoveChecksum(SnapshotPath(version), checksums_));
  ARROW_RETURN_NOT_OK(RemoveChecksum(ChangelogPath(version), checksums_));
  return stale_snapshots_.erase(version) > 0 ? file_system_->Remove(SnapshotPath(version)) : Status::OK();
}

Status RocksDbFiles::MakeDirectories() {
  if (directories_made_) return Status::OK();
  for (const char* folder : {"SSTs", "logs"}) {
    ARROW_RETURN_NOT_OK(file_system_->CreateDirectories(JoinPath(directory_, folder)));
  }
  directories_made_ = true;
  if (durability_ == Durability::kProcess) return Status::OK();
  std::filesystem::path path(directory_);
  for (int level = 0; level < 5 && path.has_parent_path(); ++level, path = path.parent_path()) {
    unsynced_->AddDirectory(path.string());
  }
  return Status::OK();
}

Status RocksDbFiles::WriteFile(const std::string& path, std::string_view bytes) {
  std::filesystem::path target(path);
  std::string parent = target.parent_path().string();
  std::string temporary = JoinPath(parent, "." + target.filename().string() + "." + RandomUuid() + ".tmp");
  ARROW_ASSIGN_OR_RAISE(auto file, file_system_->OpenForWrite(temporary));
  ARROW_RETURN_NOT_OK(file->Append(bytes));
  ARROW_RETURN_NOT_OK(file->Close());
  ARROW_RETURN_NOT_OK(file_system_->Rename(temporary, path));
  if (durability_ == Durability::kMachine) unsynced_->AddFile(path);
  return Status::OK();
}

Result<RocksDbFiles::Snapshot> RocksDbFiles::ReadMetadata(const std::string& path,
                                                          std::map<std::string, std::string>* files) const {
  ARROW_ASSIGN_OR_RAISE(std::string bytes, file_system_->ReadFile(path));
  auto archive = ReadZip(bytes);
  if (!archive.ok()) return DamagedStateFile(path, archive.status().message());
  auto metadata = archive->find(std::string(kMetadata));
  if (metadata == archive->end()) return DamagedStateFile(path, "it holds no metadata");
  int format_version;
  ARROW_ASSIGN_OR_RAISE(std::string_view json, AfterVersionLine(metadata->second, 1, path, &format_version));
  auto root = ParseJson(json);
  if (!root.ok()) return DamagedStateFile(path, "its metadata is no JSON");
  Snapshot snapshot{FilesOf(*root, "sstFiles", "dfsSstFileName"), FilesOf(*root, "logFiles", "dfsLogFileName"),
                    NumberOf(*root, "numKeys"), NumberOf(*root, "numInternalKeys"), FamiliesOf(*root)};
  archive->erase(metadata);
  *files = std::move(*archive);
  return snapshot;
}

Result<RocksDbFiles::Snapshot> RocksDbFiles::Download(int64_t version, const std::string& local_directory) const {
  std::map<std::string, std::string> files;
  auto snapshot = ReadMetadata(SnapshotPath(version), &files);
  if (snapshot.status().IsKeyError()) {
    return UserError("CANNOT_LOAD_STATE_STORE.CANNOT_READ_STREAMING_STATE_FILE",
                     {{"fileToRead", SnapshotPath(version)}});
  }
  ARROW_RETURN_NOT_OK(snapshot);
  FileSystem* local = LocalFileSystem();
  ARROW_RETURN_NOT_OK(local->CreateDirectories(local_directory));
  auto put = [&](const std::string& name, std::string_view content) -> Status {
    if (!IsSafeName(name)) return DamagedStateFile(SnapshotPath(version), "it holds a file outside its folder");
    ARROW_ASSIGN_OR_RAISE(auto file, local->OpenForWrite(JoinPath(local_directory, name)));
    ARROW_RETURN_NOT_OK(file->Append(content));
    return file->Close();
  };
  auto fetch = [&](const StoredFile& file, const char* folder) -> Status {
    std::string path = JoinPath(JoinPath(directory_, folder), file.stored_name);
    auto bytes = file_system_->ReadFile(path);
    if (bytes.status().IsKeyError()) {
      return UserError("CANNOT_LOAD_STATE_STORE.CANNOT_READ_STREAMING_STATE_FILE", {{"fileToRead", path}});
    }
    ARROW_RETURN_NOT_OK(bytes);
    if (static_cast<int64_t>(bytes->size()) != file.size_bytes) {
      return UserError("CANNOT_LOAD_STATE_STORE.UNEXPECTED_FILE_SIZE",
                       {{"dfsFile", path},
                        {"localFile", file.local_name},
                        {"expectedSize", std::to_string(file.size_bytes)},
                        {"localFileSize", std::to_string(bytes->size())}});
    }
    return put(file.local_name, *bytes);
  };
  for (const StoredFile& file : snapshot->tables) ARROW_RETURN_NOT_OK(fetch(file, "SSTs"));
  for (const StoredFile& file : snapshot->logs) ARROW_RETURN_NOT_OK(fetch(file, "logs"));
  for (const auto& [name, content] : files) ARROW_RETURN_NOT_OK(put(name, content));
  return snapshot;
}

Result<RocksDbFiles::Snapshot> RocksDbFiles::Upload(int64_t version, const std::string& local_directory,
                                                    int64_t num_keys, const Snapshot& known) {
  Snapshot described = known;
  described.num_keys = num_keys;
  return UploadFamilies(version, local_directory, described);
}

Result<RocksDbFiles::Snapshot> RocksDbFiles::UploadFamilies(int64_t version, const std::string& local_directory,
                                                            const Snapshot& known) {
  ARROW_RETURN_NOT_OK(MakeDirectories());
  FileSystem* local = LocalFileSystem();
  ARROW_ASSIGN_OR_RAISE(auto entries, local->List(local_directory));
  std::map<std::string, StoredFile> stored;
  for (const StoredFile& file : known.tables) stored[file.local_name] = file;
  Snapshot snapshot;
  snapshot.num_keys = known.num_keys;
  snapshot.num_internal_keys = known.num_internal_keys;
  snapshot.families = known.families;
  std::map<std::string, std::string> archive;
  for (const FileInfo& entry : entries) {
    if (entry.is_directory) continue;
    std::string path = JoinPath(local_directory, entry.name);
    bool is_table = entry.name.ends_with(".sst");
    if (auto it = stored.find(entry.name);
        is_table && it != stored.end() && it->second.size_bytes == entry.size_bytes) {
      snapshot.tables.push_back(it->second);
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(std::string bytes, local->ReadFile(path));
    if (is_table) {
      std::string name = entry.name.substr(0, entry.name.size() - 4) + "-" + RandomUuid() + ".sst";
      ARROW_RETURN_NOT_OK(WriteFile(JoinPath(JoinPath(directory_, "SSTs"), name), bytes));
      snapshot.tables.push_back({entry.name, name, entry.size_bytes});
    } else if (!entry.name.ends_with(".log") || !bytes.empty()) {
      archive[entry.name] = std::move(bytes);
    }
  }
  archive[std::string(kMetadata)] = EncodeMetadata(snapshot);
  ARROW_RETURN_NOT_OK(HitFailpoint("state.before_snapshot_rename"));
  ARROW_RETURN_NOT_OK(RemoveStale(version));
  ARROW_RETURN_NOT_OK(WriteFile(SnapshotPath(version), WriteZip(archive)));
  return snapshot;
}

Status RocksDbFiles::ReadChangelog(int64_t version, const StateRecordVisitor& visit) const {
  std::string path = ChangelogPath(version);
  StateFileKind kind = IdOf(version).empty() ? StateFileKind::kChangelog : StateFileKind::kChangelogWithIds;
  Status status = ReadStateFile(*file_system_, path, codec_, kind, visit);
  if (!status.IsKeyError()) return status;
  return UserError("CANNOT_LOAD_STATE_STORE.CANNOT_READ_STREAMING_STATE_FILE", {{"fileToRead", path}});
}

Status RocksDbFiles::ReadFamilyChanges(int64_t version, const FamilyChangeVisitor& visit) const {
  std::string path = ChangelogPath(version);
  Status status = ReadFamilyChangelog(*file_system_, path, codec_, visit);
  if (!status.IsKeyError()) return status;
  return UserError("CANNOT_LOAD_STATE_STORE.CANNOT_READ_STREAMING_STATE_FILE", {{"fileToRead", path}});
}

std::optional<std::string> RocksDbFiles::MissingBetween(int64_t base, int64_t version, const Listing& listing) const {
  for (int64_t v = base + 1; v <= version; ++v) {
    if (listing.changelogs.contains(v)) continue;
    // Without changelogs each version has its zip.
    bool has_changelogs = listing.changelogs.upper_bound(base) != listing.changelogs.end();
    return has_changelogs ? ChangelogPath(v) : SnapshotPath(version);
  }
  return std::nullopt;
}

Result<std::unique_ptr<StateFileWriter>> RocksDbFiles::CreateChangelog(int64_t version, bool has_families) {
  ARROW_RETURN_NOT_OK(MakeDirectories());
  ARROW_RETURN_NOT_OK(RemoveStale(version));
  ARROW_ASSIGN_OR_RAISE(auto writer, StateFileWriter::Create(file_system_, ChangelogPath(version), codec_));
  bool has_id = !IdOf(version).empty();
  Ids before(ids_.begin(), ids_.lower_bound(version));
  ARROW_RETURN_NOT_OK(writer->BeginChangelog(has_families, has_id ? &before : nullptr));
  return writer;
}

Status RocksDbFiles::FinishChangelog(StateFileWriter* writer) {
  return writer->Finish(durability_, "state.before_delta_rename", unsynced_);
}

Status RocksDbFiles::Clean(int64_t earliest) {
  // All files, also those of attempts that no commit tells of.
  std::multimap<int64_t, std::string> snapshots, changelogs;
  std::set<std::string> names;
  auto files = file_system_->List(directory_);
  if (files.status().IsKeyError()) return Status::OK();
  ARROW_RETURN_NOT_OK(files);
  for (const FileInfo& file : *files) {
    names.insert(file.name);
    if (auto parsed = ParseName(file.name, ".zip")) snapshots.emplace(parsed->version, file.name);
    if (auto parsed = ParseName(file.name, ".changelog")) changelogs.emplace(parsed->version, file.name);
  }
  auto after = snapshots.upper_bound(earliest);
  if (after == snapshots.begin()) return Status::OK();
  int64_t first_needed = std::prev(after)->first;
  if (snapshots.begin()->first >= first_needed && (changelogs.empty() || changelogs.begin()->first >= first_needed)) {
    return Status::OK();
  }
  // Tables are listed before the zips are read: one that is written meanwhile is not among them.
  std::set<std::string> unused, checksums;
  ARROW_ASSIGN_OR_RAISE(auto tables, file_system_->List(JoinPath(directory_, "SSTs")));
  for (const FileInfo& table : tables) (IsChecksumFile(table.name) ? checksums : unused).insert(table.name);
  std::set<std::string> dropped;
  for (const auto& [version, name] : snapshots) {
    std::map<std::string, std::string> ignored;
    ARROW_ASSIGN_OR_RAISE(Snapshot snapshot, ReadMetadata(JoinPath(directory_, name), &ignored));
    for (const StoredFile& table : snapshot.tables) {
      if (version < first_needed) {
        dropped.insert(table.stored_name);
      } else {
        unused.erase(table.stored_name);
      }
    }
  }
  ARROW_RETURN_NOT_OK(HitFailpoint("state.before_delete"));
  auto remove = [&](const std::string& path, const std::set<std::string>& of_checksums) -> Status {
    ARROW_RETURN_NOT_OK(RemoveChecksum(path, of_checksums));
    return file_system_->Remove(path);
  };
  for (const auto* versions : {&snapshots, &changelogs}) {
    for (const auto& [version, name] : *versions) {
      if (version >= first_needed) break;
      std::string path = JoinPath(directory_, name);
      if (names.contains(SparkChecksumOf(name))) ARROW_RETURN_NOT_OK(remove(SparkChecksumOf(path), names));
      ARROW_RETURN_NOT_OK(remove(path, names));
    }
  }
  for (const std::string& table : unused) {
    if (dropped.count(table) > 0) ARROW_RETURN_NOT_OK(remove(TablePath({"", table, 0}), checksums));
  }
  return Status::OK();
}

}  // namespace millrace::state
