#include "state/version_files.h"

#include <spdlog/spdlog.h>

#include <charconv>
#include <filesystem>
#include <optional>
#include <unordered_set>

#include "base/checksum_file.h"
#include "base/error.h"
#include "base/failpoint.h"

namespace millrace::state {

using arrow::Result;
using arrow::Status;

namespace {

std::optional<int64_t> VersionOf(std::string_view name, std::string_view suffix) {
  if (!name.ends_with(suffix)) return std::nullopt;
  name.remove_suffix(suffix.size());
  int64_t version;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), version);
  if (error != std::errc() || end != name.data() + name.size() || version < 0) return std::nullopt;
  return version;
}

Status Apply(RowTable* table, std::string_view key, std::string_view value) {
  if (value.data() == nullptr) {
    table->Remove(key);
    return Status::OK();
  }
  return table->Put(key, value).status();
}

}  // namespace

VersionFiles::VersionFiles(FileSystem* file_system, std::string directory, StateStoreId id, std::string codec,
                           bool has_row_checksums, Durability durability, UnsyncedFiles* unsynced)
    : file_system_(file_system),
      directory_(std::move(directory)),
      id_(std::move(id)),
      codec_(std::move(codec)),
      has_row_checksums_(has_row_checksums),
      store_text_(id_.ToString()),
      durability_(durability),
      unsynced_(unsynced) {}

std::string VersionFiles::DeltaPath(int64_t version) const {
  return JoinPath(directory_, std::to_string(version) + ".delta");
}

std::string VersionFiles::SnapshotPath(int64_t version) const {
  return JoinPath(directory_, std::to_string(version) + ".snapshot");
}

std::string VersionFiles::StoreName() const {
  return "HDFSStateStoreProvider[id = (op=" + std::to_string(id_.operator_id) +
         ",part=" + std::to_string(id_.partition) + "),dir = " + directory_ + "]";
}

Result<VersionFiles::Listing> VersionFiles::List() const {
  Listing listing;
  auto files = file_system_->List(directory_);
  if (files.status().IsKeyError()) return listing;
  ARROW_RETURN_NOT_OK(files);
  for (const FileInfo& file : *files) {
    if (auto version = VersionOf(file.name, ".delta")) listing.deltas.insert(*version);
    if (auto version = VersionOf(file.name, ".snapshot")) listing.snapshots.insert(*version);
    if (IsChecksumFile(file.name)) listing.checksums.insert(file.name);
  }
  return listing;
}

Status VersionFiles::ReadDelta(int64_t version, const StateRecordVisitor& visit) const {
  std::string path = DeltaPath(version);
  Status status = ReadStateFile(*file_system_, path, codec_, StateFileKind::kDelta, visit, checked_store());
  if (!status.IsKeyError()) return status;
  return UserError("CANNOT_LOAD_STATE_STORE.CANNOT_READ_DELTA_FILE_NOT_EXISTS",
                   {{"fileToRead", path}, {"clazz", StoreName()}});
}

Status VersionFiles::ReadSnapshot(int64_t version, const StateRecordVisitor& visit) const {
  std::string path = SnapshotPath(version);
  Status status = ReadStateFile(*file_system_, path, codec_, StateFileKind::kSnapshot, visit, checked_store());
  if (!status.IsKeyError()) return status;
  return UserError("CANNOT_LOAD_STATE_STORE.CANNOT_READ_MISSING_SNAPSHOT_FILE",
                   {{"fileToRead", path}, {"clazz", StoreName()}});
}

Status VersionFiles::LoadFrom(StateVersion base, StateVersion version, RowTable* table) const {
  auto apply = [table](std::string_view key, std::string_view value) { return Apply(table, key, value); };
  if (base.value > 0) ARROW_RETURN_NOT_OK(ReadSnapshot(base.value, apply));
  for (int64_t v = base.value + 1; v <= version.value; ++v) {
    // What a delta replaces is free for the next: a load takes no more memory than the rows.
    table->AcceptChanges();
    ARROW_RETURN_NOT_OK(ReadDelta(v, apply));
  }
  table->AcceptChanges();
  return Status::OK();
}

Status VersionFiles::Load(StateVersion version, RowTable* table) {
  if (version.value < 0) {
    return UserError("CANNOT_LOAD_STATE_STORE.UNEXPECTED_VERSION", {{"version", version.ToString()}});
  }
  ARROW_ASSIGN_OR_RAISE(Listing listing, List());
  stale_snapshots_ = {listing.snapshots.upper_bound(version.value), listing.snapshots.end()};
  checksums_ = std::move(listing.checksums);
  if (version.value == 0) return Status::OK();
  Status first_failure;
  for (auto it = listing.snapshots.upper_bound(version.value); it != listing.snapshots.begin();) {
    --it;
    *table = RowTable();
    Status status = LoadFrom(StateVersion(*it), version, table);
    if (status.ok()) {
      if (!first_failure.ok()) {
        spdlog::warn("state was rebuilt from the snapshot of version {}: {}", *it, first_failure.message());
      }
      return status;
    }
    if (first_failure.ok()) first_failure = status;
  }
  *table = RowTable();
  if (!first_failure.ok() && !listing.deltas.contains(1)) return first_failure;
  Status status = LoadFrom(StateVersion(0), version, table);
  return status.ok() || first_failure.ok() ? status : first_failure;
}

Result<std::unique_ptr<StateFileWriter>> VersionFiles::Create(const std::string& path) const {
  ARROW_ASSIGN_OR_RAISE(auto writer, StateFileWriter::Create(file_system_, path, codec_));
  if (has_row_checksums_) writer->AddRowChecksums();
  return writer;
}

Status VersionFiles::MakeDirectory() {
  ARROW_RETURN_NOT_OK(file_system_->CreateDirectories(directory_));
  directory_made_ = true;
  if (durability_ == Durability::kProcess) return Status::OK();
  // state/<operator>/<partition>/<store>: all of these names may be new.
  std::filesystem::path parent(directory_);
  for (int level = 0; level < 4 && parent.has_parent_path(); ++level) {
    parent = parent.parent_path();
    unsynced_->AddDirectory(parent.string());
  }
  return Status::OK();
}

Status VersionFiles::RemoveChecksum(const std::string& path, std::set<std::string>* checksums) {
  if (checksums->empty()) return Status::OK();
  std::string checksum = ChecksumFileOf(path);
  if (checksums->erase(std::filesystem::path(checksum).filename().string()) == 0) return Status::OK();
  return file_system_->Remove(checksum);
}

Status VersionFiles::WriteDelta(StateVersion version, const RowTable& table) {
  if (!directory_made_) ARROW_RETURN_NOT_OK(MakeDirectory());
  if (stale_snapshots_.erase(version.value) == 1) {
    ARROW_RETURN_NOT_OK(RemoveChecksum(SnapshotPath(version.value), &checksums_));
    ARROW_RETURN_NOT_OK(file_system_->Remove(SnapshotPath(version.value)));
  }
  ARROW_RETURN_NOT_OK(RemoveChecksum(DeltaPath(version.value), &checksums_));
  ARROW_ASSIGN_OR_RAISE(auto writer, Create(DeltaPath(version.value)));
  ARROW_RETURN_NOT_OK(table.VisitChanges([&](const RowTable::Change& change) {
    return change.value.data() == nullptr ? writer->Remove(change.key) : writer->Put(change.key, change.value);
  }));
  return writer->Finish(durability_, "state.before_delta_rename", unsynced_);
}

Status VersionFiles::WriteSnapshot(int64_t base, int64_t version, Listing* listing) {
  // The rows of the deltas fit memory; those of the snapshot before flow through.
  RowTable changed;
  std::unordered_set<std::string> removed;
  for (int64_t v = base + 1; v <= version; ++v) {
    ARROW_RETURN_NOT_OK(ReadDelta(v, [&](std::string_view key, std::string_view value) {
      if (value.data() == nullptr) {
        removed.emplace(key);
      } else if (!removed.empty()) {
        removed.erase(std::string(key));
      }
      return Apply(&changed, key, value);
    }));
    changed.AcceptChanges();
  }
  ARROW_ASSIGN_OR_RAISE(auto writer, Create(SnapshotPath(version)));
  if (base > 0) {
    ARROW_RETURN_NOT_OK(ReadSnapshot(base, [&](std::string_view key, std::string_view value) {
      bool stands = changed.Get(key).data() == nullptr && (removed.empty() || !removed.contains(std::string(key)));
      return stands ? writer->Put(key, value) : Status::OK();
    }));
  }
  ARROW_RETURN_NOT_OK(changed.Scan([&](std::span<const StateEntry> entries) {
    for (const StateEntry& entry : entries) ARROW_RETURN_NOT_OK(writer->Put(entry.key, entry.value));
    return Status::OK();
  }));
  ARROW_RETURN_NOT_OK(RemoveChecksum(SnapshotPath(version), &listing->checksums));
  return writer->Finish(durability_, "state.before_snapshot_rename");
}

Result<int64_t> VersionFiles::Maintain(StateVersion latest, int64_t min_deltas, int64_t min_versions_to_retain) {
  ARROW_ASSIGN_OR_RAISE(Listing listing, List());
  auto after = listing.snapshots.upper_bound(latest.value);
  int64_t base = after == listing.snapshots.begin() ? 0 : *std::prev(after);
  int64_t written = 0;
  if (latest.value - base > min_deltas) {
    written = latest.value;
    ARROW_RETURN_NOT_OK(WriteSnapshot(base, latest.value, &listing));
    listing.snapshots.insert(latest.value);
  }
  int64_t earliest = latest.value - min_versions_to_retain;
  if (earliest > 0) ARROW_RETURN_NOT_OK(RemoveOld(&listing, earliest));
  return written;
}

Status VersionFiles::RemoveOld(Listing* listing, int64_t earliest_to_retain) {
  auto after = listing->snapshots.upper_bound(earliest_to_retain);
  if (after == listing->snapshots.begin()) return Status::OK();  // all deltas since the first are needed
  int64_t first_needed = *std::prev(after);
  ARROW_RETURN_NOT_OK(HitFailpoint("state.before_delete"));
  auto remove = [&](const std::string& path) -> Status {
    ARROW_RETURN_NOT_OK(RemoveChecksum(path, &listing->checksums));
    return file_system_->Remove(path);
  };
  for (int64_t version : listing->deltas) {
    if (version < first_needed) ARROW_RETURN_NOT_OK(remove(DeltaPath(version)));
  }
  for (int64_t version : listing->snapshots) {
    if (version < first_needed) ARROW_RETURN_NOT_OK(remove(SnapshotPath(version)));
  }
  return Status::OK();
}

}  // namespace millrace::state
