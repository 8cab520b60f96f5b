#include "delta/log/log_segment.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "base/error.h"

namespace millrace::delta {

namespace {

std::string TablePathOf(const std::string& log_path) { return log_path.substr(0, log_path.rfind('/')); }

// As Delta tells it: of all versions that are there, whatever was asked for.
arrow::Status NotContiguous(const std::vector<TableVersion>& versions) {
  std::string list;
  for (TableVersion version : versions) list += (list.empty() ? "" : ", ") + version.ToString();
  return UserError("DELTA_VERSIONS_NOT_CONTIGUOUS", {{"versionList", list},
                                                     {"startVersion", versions.front().ToString()},
                                                     {"endVersion", versions.back().ToString()},
                                                     {"versionToLoad", "-1"}});
}

// `missing`: the commit that state of `version` needs first.
arrow::Status Truncated(const std::string& log_path, TableVersion missing, TableVersion version) {
  return UserError("DELTA_TRUNCATED_TRANSACTION_LOG", {{"path", "file:" + JoinPath(log_path, CommitFileName(missing))},
                                                       {"version", version.ToString()},
                                                       {"logRetentionKey", "delta.logRetentionDuration"},
                                                       {"logRetention", "30 days"},
                                                       {"checkpointRetentionKey", "delta.checkpointRetentionDuration"},
                                                       {"checkpointRetention", "2 days"}});
}

}  // namespace

arrow::Result<LogListing> LogListing::Read(const FileSystem& file_system, const std::string& log_path) {
  LogListing listing;
  listing.log_path_ = log_path;
  auto names = file_system.ListNames(log_path);
  if (names.status().IsKeyError()) return listing;
  ARROW_RETURN_NOT_OK(names);
  std::map<std::tuple<int64_t, int, int>, CheckpointFiles> multi_part;
  for (std::string& name : *names) {
    std::optional<LogFileName> parsed = ParseLogFileName(name);
    if (!parsed) continue;
    switch (parsed->kind) {
      case LogFileKind::kCommit:
        listing.commits_.push_back(parsed->version);
        break;
      case LogFileKind::kChecksum:
        break;
      case LogFileKind::kCompacted:
        listing.compacted_.push_back({parsed->version, parsed->last_version, std::move(name)});
        break;
      case LogFileKind::kMultiPartCheckpoint: {
        CheckpointFiles& files = multi_part[{parsed->version.value, parsed->num_parts, 0}];
        files.version = parsed->version;
        files.kind = parsed->kind;
        files.num_parts = parsed->num_parts;
        files.names.push_back(std::move(name));
        break;
      }
      default:
        listing.checkpoints_.push_back({parsed->version, parsed->kind, parsed->is_json, 1, {std::move(name)}, true});
        break;
    }
  }
  for (auto& [key, files] : multi_part) {
    std::sort(files.names.begin(), files.names.end());
    files.complete = static_cast<int>(files.names.size()) == files.num_parts;
    listing.checkpoints_.push_back(std::move(files));
  }
  std::sort(listing.commits_.begin(), listing.commits_.end());
  // Of one version the complete ones last, of these the kind the protocol ends with.
  std::stable_sort(listing.checkpoints_.begin(), listing.checkpoints_.end(),
                   [](const CheckpointFiles& a, const CheckpointFiles& b) {
                     return std::tuple(a.version, a.complete, static_cast<int>(a.kind), a.names) <
                            std::tuple(b.version, b.complete, static_cast<int>(b.kind), b.names);
                   });
  std::sort(listing.compacted_.begin(), listing.compacted_.end(), [](const CompactedFile& a, const CompactedFile& b) {
    return std::tuple(a.first, a.last) < std::tuple(b.first, b.last);
  });
  return listing;
}

std::optional<TableVersion> LogListing::newest() const {
  std::optional<TableVersion> newest;
  if (!commits_.empty()) newest = commits_.back();
  for (const CheckpointFiles& files : checkpoints_) {
    if (files.complete && (!newest || *newest < files.version)) newest = files.version;
  }
  return newest;
}

std::optional<TableVersion> LogListing::oldest_commit() const {
  if (commits_.empty()) return std::nullopt;
  return commits_.front();
}

std::optional<TableVersion> LogListing::oldest_recreatable() const {
  if (!commits_.empty() && commits_.front().value == 0) return TableVersion(0);
  for (const CheckpointFiles& files : checkpoints_) {
    if (files.complete) return files.version;
  }
  return std::nullopt;
}

bool LogListing::HasCommit(TableVersion version) const {
  return std::binary_search(commits_.begin(), commits_.end(), version);
}

std::vector<TableVersion> LogListing::checkpoint_versions() const {
  std::vector<TableVersion> versions;
  for (const CheckpointFiles& files : checkpoints_) {
    if (files.complete && (versions.empty() || versions.back() != files.version)) versions.push_back(files.version);
  }
  return versions;
}

arrow::Result<LogSegment> LogListing::SegmentOf(std::optional<TableVersion> version,
                                                std::optional<TableVersion> checkpoint_before) const {
  std::optional<TableVersion> newest_version = newest();
  if (!newest_version) {
    if (!checkpoints_.empty()) {
      return UserError("DELTA_MISSING_PART_FILES", {{"version", checkpoints_.back().version.ToString()}});
    }
    return UserError("DELTA_TABLE_NOT_FOUND", {{"tableName", "`" + TablePathOf(log_path_) + "`"}});
  }
  LogSegment segment;
  segment.version = version.value_or(*newest_version);
  std::optional<TableVersion> oldest = oldest_recreatable();
  if (segment.version > *newest_version || (version && oldest && *version < *oldest)) {
    return UserError("DELTA_VERSION_NOT_FOUND", {{"userVersion", segment.version.ToString()},
                                                 {"earliest", oldest ? oldest->ToString() : "0"},
                                                 {"latest", newest_version->ToString()}});
  }
  const CheckpointFiles* checkpoint = nullptr;
  const CheckpointFiles* incomplete = nullptr;
  for (const CheckpointFiles& files : checkpoints_) {
    if (files.version > segment.version) break;
    if (checkpoint_before && files.version >= *checkpoint_before) break;
    (files.complete ? checkpoint : incomplete) = &files;
  }
  TableVersion next(0);
  if (checkpoint != nullptr) {
    segment.checkpoint_version = checkpoint->version;
    for (const std::string& name : checkpoint->names) segment.checkpoint_files.push_back(JoinPath(log_path_, name));
    segment.checkpoint_is_json = checkpoint->is_json;
    // A v2 checkpoint may have the classic name.
    segment.checkpoint_is_v2 = checkpoint->kind != LogFileKind::kMultiPartCheckpoint;
    next = checkpoint->version.Next();
  }
  auto compacted_from = [&](TableVersion first) -> const CompactedFile* {
    const CompactedFile* longest = nullptr;
    for (const CompactedFile& file : compacted_) {
      if (file.first == first && file.last > file.first && file.last <= segment.version) longest = &file;
    }
    return longest;
  };
  // Commits that a compacted file stands for must be there too.
  std::vector<TableVersion> listed;
  for (TableVersion commit : commits_) {
    if (commit >= next && commit <= segment.version) listed.push_back(commit);
  }
  if (!listed.empty() && listed.back().value - listed.front().value + 1 != static_cast<int64_t>(listed.size())) {
    return NotContiguous(listed);
  }
  if (next <= segment.version && (listed.empty() || listed.front() != next)) {
    if (checkpoint == nullptr && incomplete != nullptr) {
      return UserError("DELTA_MISSING_PART_FILES", {{"version", incomplete->version.ToString()}});
    }
    return Truncated(log_path_, next, segment.version);
  }
  while (next <= segment.version) {
    if (const CompactedFile* file = compacted_from(next)) {
      segment.commits.push_back({file->first, file->last, JoinPath(log_path_, file->name)});
      next = file->last.Next();
      continue;
    }
    segment.commits.push_back({next, next, JoinPath(log_path_, CommitFileName(next))});
    next = next.Next();
  }
  return segment;
}

}  // namespace millrace::delta
