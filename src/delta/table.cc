#include "delta/table.h"

#include "base/error.h"
#include "delta/checkpoint/checkpoint_reader.h"
#include "delta/log/log_error.h"
#include "delta/log/log_segment.h"
#include "delta/snapshot/replay.h"

namespace millrace::delta {

namespace {

/// After so many commits since the newest checkpoint known it is asked whether somebody has written one.
constexpr int64_t kCommitsLookedForMax = 32;
/// So many commits of ours without a look at the list of files, and as many files: then it is let go.
constexpr int64_t kUnaskedAdvancesMax = 8;
constexpr int64_t kFilesKept = 1000;

/// Whether only checkpoints are left where Delta looks for commits: from the version that `_last_checkpoint` names on.
arrow::Result<bool> IsHeadless(const FileSystem& file_system, const std::string& log_path, const LogListing& listing,
                               const LogSegment& segment) {
  if (!segment.commits.empty() || listing.HasCommit(segment.version)) return false;
  if (!listing.oldest_commit()) return true;
  ARROW_ASSIGN_OR_RAISE(auto last, ReadLastCheckpointVersion(file_system, log_path));
  return last.has_value();
}

}  // namespace

std::optional<int64_t> Commit::in_commit_timestamp_ms() const {
  for (const Action& action : actions) {
    if (const auto* info = std::get_if<CommitInfo>(&action)) return info->in_commit_timestamp_ms();
  }
  return std::nullopt;
}

Table::Table(FileSystem* file_system, std::string path)
    : file_system_(file_system), path_(std::move(path)), log_path_(LogDirectory(path_)) {}

arrow::Result<bool> Table::Exists() const {
  {
    std::lock_guard lock(mutex_);
    if (newest_ != nullptr) {
      ARROW_ASSIGN_OR_RAISE(auto identity, IdentityOf(newest_->version()));
      if (identity && identity == newest_identity_) return true;
    }
  }
  ARROW_ASSIGN_OR_RAISE(LogListing listing, LogListing::Read(*file_system_, log_path_));
  return !listing.empty();
}

arrow::Result<SnapshotPtr> Table::Load(std::optional<TableVersion> version) const {
  // A reader may meet a log that is being cleaned up, where what was listed a moment ago is gone: it looks once more.
  // And a checkpoint that cannot be read is no loss while there is what it was made of.
  arrow::Status first;
  std::optional<TableVersion> before;
  for (int attempt = 0; attempt < 3; ++attempt) {
    ARROW_ASSIGN_OR_RAISE(LogListing listing, LogListing::Read(*file_system_, log_path_));
    auto segment = listing.SegmentOf(version, before);
    // A listing is not taken at one moment: beside writers it may have a commit and not the one before.
    bool hole = IsErrorCondition(segment.status(), "DELTA_VERSIONS_NOT_CONTIGUOUS") ||
                IsErrorCondition(segment.status(), "DELTA_TRUNCATED_TRANSACTION_LOG");
    if (hole && attempt < 2) continue;
    if (!segment.ok()) return first.ok() ? segment.status() : first;
    ARROW_ASSIGN_OR_RAISE(bool headless, IsHeadless(*file_system_, log_path_, listing, *segment));
    if (headless && !version) {
      return arrow::Status::Invalid("Could not find any delta files for version ", segment->version.ToString());
    }
    auto snapshot = Rebuild(*file_system_, path_, *segment);
    if (!IsUnreadableFile(snapshot.status())) return snapshot;
    if (first.ok()) first = snapshot.status();
    if (attempt > 0) before = segment->checkpoint_version;
  }
  return first;
}

arrow::Result<std::optional<Commit>> Table::ReadCommit(TableVersion version, ActionKinds kinds) const {
  std::string path = JoinPath(log_path_, CommitFileName(version));
  ARROW_ASSIGN_OR_RAISE(auto info, file_system_->Stat(path));
  if (!info) return std::nullopt;
  auto text = file_system_->ReadFile(path);
  if (text.status().IsKeyError()) return std::nullopt;
  ARROW_RETURN_NOT_OK(text);
  if (text->empty()) return UnreadableLogFile(path, "The Delta log file " + path + " is empty");
  ActionParser parser(kinds);
  Commit commit;
  commit.version = version;
  commit.modified_ms = info->modified_ms;
  ARROW_ASSIGN_OR_RAISE(commit.actions, parser.ParseLines(*text, path));
  return commit;
}

arrow::Result<SnapshotPtr> Table::Follow(const SnapshotPtr& from) const {
  SnapshotPtr current = from;
  while (true) {
    // The state may have turned to in-commit timestamps with the commit itself, so commitInfo is always looked at.
    ARROW_ASSIGN_OR_RAISE(auto commit, ReadCommit(current->version().Next(), kStateActions | kKinds<CommitInfo>));
    if (!commit) return current;
    Protocol protocol = current->protocol();
    Metadata metadata = current->metadata();
    for (const Action& action : commit->actions) {
      if (const auto* changed = std::get_if<Protocol>(&action)) protocol = *changed;
      if (const auto* changed = std::get_if<Metadata>(&action)) metadata = *changed;
    }
    auto timestamp_ms = CommitTimestamp(protocol, metadata, commit->version, commit->actions, commit->modified_ms);
    if (!CanApply(*current, commit->actions, /*is_own=*/false)) return nullptr;
    ARROW_ASSIGN_OR_RAISE(current,
                          Apply(*current, commit->version, timestamp_ms, commit->modified_ms, commit->actions));
  }
}

arrow::Result<std::optional<Table::FileIdentity>> Table::IdentityOf(TableVersion version) const {
  ARROW_ASSIGN_OR_RAISE(auto info, file_system_->Stat(JoinPath(log_path_, CommitFileName(version))));
  if (!info) return std::nullopt;
  return FileIdentity{info->modified_ms, info->size_bytes};
}

arrow::Status Table::Keep(SnapshotPtr snapshot) {
  newest_ = std::move(snapshot);
  return IdentityOf(newest_->version()).Value(&newest_identity_);
}

void Table::NoteCheckpoint(TableVersion version) {
  std::lock_guard lock(mutex_);
  if (!newest_checkpoint_ || *newest_checkpoint_ < version) newest_checkpoint_ = version;
}

arrow::Result<bool> Table::IsContiguous() {
  auto known = newest_->checkpoint_version();
  if (!known || (newest_checkpoint_ && *known < *newest_checkpoint_)) known = newest_checkpoint_;
  auto first = [&] { return known ? known->Next() : TableVersion(0); };
  if (newest_->version().value - first().value > kCommitsLookedForMax) {
    ARROW_ASSIGN_OR_RAISE(auto last, ReadLastCheckpointVersion(*file_system_, log_path_));
    if (last && (!known || *known < *last)) newest_checkpoint_ = known = last;
  }
  for (TableVersion version = first(); version < newest_->version(); version = version.Next()) {
    ARROW_ASSIGN_OR_RAISE(auto identity, IdentityOf(version));
    if (!identity) return false;
  }
  ARROW_ASSIGN_OR_RAISE(auto next, IdentityOf(newest_->version().Next()));
  if (next) return true;
  ARROW_ASSIGN_OR_RAISE(auto beyond, IdentityOf(newest_->version().Next().Next()));
  if (!beyond) return true;
  // Both may have been written just now, one after the other.
  ARROW_ASSIGN_OR_RAISE(next, IdentityOf(newest_->version().Next()));
  return next.has_value();
}

arrow::Result<SnapshotPtr> Table::Update(SnapshotDetail detail) {
  std::lock_guard lock(mutex_);
  if (detail == SnapshotDetail::kFiles) {
    num_unasked_advances_ = 0;
    if (newest_ != nullptr && !newest_->files().is_complete()) newest_ = nullptr;
  }
  if (newest_ != nullptr) {
    ARROW_ASSIGN_OR_RAISE(auto identity, IdentityOf(newest_->version()));
    if (identity != newest_identity_) newest_ = nullptr;
  }
  if (newest_ != nullptr) {
    ARROW_ASSIGN_OR_RAISE(bool contiguous, IsContiguous());
    if (!contiguous) newest_ = nullptr;
  }
  if (newest_ == nullptr) {
    newest_checkpoint_.reset();
    ARROW_ASSIGN_OR_RAISE(SnapshotPtr loaded, Load(std::nullopt));
    ARROW_RETURN_NOT_OK(Keep(std::move(loaded)));
    return newest_;
  }
  ARROW_ASSIGN_OR_RAISE(auto next, IdentityOf(newest_->version().Next()));
  if (next) {
    ARROW_ASSIGN_OR_RAISE(SnapshotPtr followed, Follow(newest_));
    if (followed == nullptr) {
      ARROW_ASSIGN_OR_RAISE(followed, Load(std::nullopt));
    }
    ARROW_RETURN_NOT_OK(Keep(std::move(followed)));
  }
  return newest_;
}

arrow::Result<SnapshotPtr> Table::SnapshotAt(TableVersion version) {
  {
    std::lock_guard lock(mutex_);
    if (newest_ != nullptr && newest_->version() == version && newest_->files().is_complete()) {
      ARROW_ASSIGN_OR_RAISE(auto identity, IdentityOf(version));
      if (identity == newest_identity_) return newest_;
    }
  }
  return Load(version);
}

arrow::Status Table::Advance(TableVersion version, std::span<const Action> actions, int64_t modified_ms) {
  std::lock_guard lock(mutex_);
  if (newest_ == nullptr || newest_->version().Next() != version) return arrow::Status::OK();
  if (++num_unasked_advances_ > kUnaskedAdvancesMax && newest_->files().is_complete() &&
      newest_->files().num_files() > kFilesKept) {
    newest_ = newest_->WithoutFiles();
  }
  if (!CanApply(*newest_, actions, /*is_own=*/true)) {
    newest_ = nullptr;
    return arrow::Status::OK();
  }
  Protocol protocol = newest_->protocol();
  Metadata metadata = newest_->metadata();
  for (const Action& action : actions) {
    if (const auto* changed = std::get_if<Protocol>(&action)) protocol = *changed;
    if (const auto* changed = std::get_if<Metadata>(&action)) metadata = *changed;
  }
  auto timestamp_ms = CommitTimestamp(protocol, metadata, version, actions, modified_ms);
  ARROW_ASSIGN_OR_RAISE(SnapshotPtr advanced, Apply(*newest_, version, timestamp_ms, modified_ms, actions));
  return Keep(std::move(advanced));
}

arrow::Result<std::vector<Remove>> Table::Tombstones(const Snapshot& snapshot) const {
  ARROW_ASSIGN_OR_RAISE(LogListing listing, LogListing::Read(*file_system_, log_path_));
  ARROW_ASSIGN_OR_RAISE(LogSegment segment, listing.SegmentOf(snapshot.version()));
  FileKeySet seen;
  std::vector<Remove> tombstones;
  auto vector_id = [](const auto& action) {
    return action.deletion_vector ? action.deletion_vector->UniqueId() : std::string();
  };
  ActionParser parser(kKinds<Add, Remove>);
  for (auto commit = segment.commits.rbegin(); commit != segment.commits.rend(); ++commit) {
    ARROW_ASSIGN_OR_RAISE(std::string text, file_system_->ReadFile(commit->path));
    ARROW_ASSIGN_OR_RAISE(std::vector<Action> actions, parser.ParseLines(text, commit->path));
    for (auto action = actions.rbegin(); action != actions.rend(); ++action) {
      if (const auto* add = std::get_if<Add>(&*action)) seen.Insert(add->path, vector_id(*add));
      if (auto* remove = std::get_if<Remove>(&*action)) {
        if (seen.Insert(remove->path, vector_id(*remove))) tombstones.push_back(std::move(*remove));
      }
    }
  }
  if (segment.checkpoint_version) {
    ARROW_ASSIGN_OR_RAISE(CheckpointContents contents,
                          ReadCheckpoint(*file_system_, log_path_, segment, CheckpointPart::kTombstones));
    for (Remove& remove : contents.tombstones) {
      if (seen.Insert(remove.path, vector_id(remove))) tombstones.push_back(std::move(remove));
    }
  }
  return tombstones;
}

void Table::Invalidate() {
  std::lock_guard lock(mutex_);
  newest_ = nullptr;
}

std::shared_ptr<Table> TableCache::Open(const std::string& path) {
  std::string absolute = AbsolutePath(LocalPath(path));
  while (absolute.size() > 1 && absolute.back() == '/') absolute.pop_back();
  std::lock_guard lock(mutex_);
  std::shared_ptr<Table>& table = tables_[absolute];
  if (table == nullptr) table = std::make_shared<Table>(file_system_, absolute);
  return table;
}

}  // namespace millrace::delta
