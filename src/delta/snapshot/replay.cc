#include "delta/snapshot/replay.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/error.h"
#include "delta/checkpoint/checkpoint_reader.h"
#include "delta/feature/table_feature.h"
#include "delta/log/log_error.h"
#include "delta/transaction/protocol_upgrade.h"

namespace millrace::delta {

namespace {

std::string VectorId(const std::optional<DeletionVectorDescriptor>& vector) {
  return vector ? vector->UniqueId() : std::string();
}

/// Takes actions from the newest to the oldest.
class Reconciler {
 public:
  void Take(std::vector<Action> actions) {
    std::vector<Add> adds;
    // Within a commit, too, the last action of a file, an application or a domain counts.
    for (auto each = actions.rbegin(); each != actions.rend(); ++each) {
      Action& action = *each;
      if (auto* add = std::get_if<Add>(&action)) {
        if (seen_.Insert(add->path, VectorId(add->deletion_vector))) adds.push_back(std::move(*add));
      } else if (auto* remove = std::get_if<Remove>(&action)) {
        seen_.Insert(remove->path, VectorId(remove->deletion_vector));
      } else if (auto* metadata = std::get_if<Metadata>(&action)) {
        if (!metadata_) metadata_ = std::move(*metadata);
      } else if (auto* protocol = std::get_if<Protocol>(&action)) {
        if (!protocol_) protocol_ = std::move(*protocol);
      } else if (auto* txn = std::get_if<Txn>(&action)) {
        txns_.try_emplace(txn->app_id, *txn);
      } else if (auto* domain = std::get_if<DomainMetadata>(&action)) {
        domains_.try_emplace(domain->domain, *domain);
      }
    }
    std::reverse(adds.begin(), adds.end());
    if (!adds.empty()) adds_.push_back(std::move(adds));
  }

  arrow::Status Finish(std::optional<CheckpointContents> checkpoint, Snapshot::State* state) {
    if (checkpoint) {
      TakeCheckpoint(&*checkpoint);
      for (CheckpointContents::Files& files : checkpoint->files) state->files.Append(files.columns, files.is_add);
      state->files.Remove(seen_, /*indexed=*/false);
    }
    // Oldest first, as if the commits had been followed.
    std::vector<const Add*> newer;
    for (auto commit = adds_.rbegin(); commit != adds_.rend(); ++commit) {
      for (const Add& add : *commit) newer.push_back(&add);
    }
    if (!newer.empty()) {
      ARROW_ASSIGN_OR_RAISE(auto columns, FileColumns::FromAdds(newer));
      state->files.Append(std::move(columns), nullptr);
    }
    if (!protocol_ || !metadata_) {
      return UserError("DELTA_STATE_RECOVER_ERROR",
                       {{"operation", protocol_ ? "metadata" : "protocol"}, {"version", state->version.ToString()}});
    }
    state->protocol = std::move(*protocol_);
    state->metadata = std::move(*metadata_);
    std::erase_if(domains_, [](const auto& entry) { return entry.second.removed; });
    state->txns = std::make_shared<const TxnMap>(std::move(txns_));
    state->domain_metadata = std::make_shared<const DomainMetadataMap>(std::move(domains_));
    return arrow::Status::OK();
  }

 private:
  void TakeCheckpoint(CheckpointContents* checkpoint) {
    if (!protocol_) protocol_ = std::move(checkpoint->protocol);
    if (!metadata_) metadata_ = std::move(checkpoint->metadata);
    for (Txn& txn : checkpoint->txns) txns_.try_emplace(txn.app_id, txn);
    for (DomainMetadata& domain : checkpoint->domain_metadata) domains_.try_emplace(domain.domain, domain);
  }

  FileKeySet seen_;
  /// By commit, newest first.
  std::vector<std::vector<Add>> adds_;
  std::optional<Protocol> protocol_;
  std::optional<Metadata> metadata_;
  TxnMap txns_;
  DomainMetadataMap domains_;
};

arrow::Result<std::vector<Action>> ReadActions(const FileSystem& file_system, const std::string& path,
                                               ActionParser* parser) {
  ARROW_ASSIGN_OR_RAISE(std::string text, file_system.ReadFile(path));
  // The protocol lets no commit be empty; an empty file is one whose bytes were lost.
  if (text.empty()) return UnreadableLogFile(path, "The Delta log file " + path + " is empty");
  return parser->ParseLines(text, path);
}

arrow::Result<SnapshotPtr> Made(Snapshot::State state, const Snapshot* same_metadata, bool checks) {
  ARROW_ASSIGN_OR_RAISE(SnapshotPtr snapshot, Snapshot::Make(std::move(state), same_metadata));
  if (checks) {
    ARROW_RETURN_NOT_OK(CheckFeaturesListed(snapshot->protocol(), snapshot->metadata(), *snapshot->schema()));
  }
  return snapshot;
}

bool InCommitTimestamps(const Protocol& protocol, const Metadata& metadata) {
  return protocol.HasWriterFeature("inCommitTimestamp") &&
         EqualsIgnoreCase(metadata.Property("delta.enableInCommitTimestamps").value_or("false"), "true");
}

}  // namespace

arrow::Result<int64_t> CommitTimestamp(const Protocol& protocol, const Metadata& metadata, TableVersion version,
                                       std::span<const Action> actions, int64_t modified_ms) {
  if (!InCommitTimestamps(protocol, metadata)) return modified_ms;
  for (const Action& action : actions) {
    const auto* info = std::get_if<CommitInfo>(&action);
    if (info == nullptr) continue;
    if (auto timestamp = info->in_commit_timestamp_ms()) return *timestamp;
    return UserError("DELTA_MISSING_COMMIT_TIMESTAMP",
                     {{"featureName", "inCommitTimestamp"}, {"version", version.ToString()}});
  }
  return UserError("DELTA_MISSING_COMMIT_INFO",
                   {{"featureName", "inCommitTimestamp"}, {"version", version.ToString()}});
}

arrow::Result<SnapshotPtr> Rebuild(const FileSystem& file_system, const std::string& table_path,
                                   const LogSegment& segment) {
  Reconciler reconciler;
  ActionParser parser(kStateActions);
  for (auto commit = segment.commits.rbegin(); commit != segment.commits.rend(); ++commit) {
    ARROW_ASSIGN_OR_RAISE(std::vector<Action> actions, ReadActions(file_system, commit->path, &parser));
    reconciler.Take(std::move(actions));
  }
  std::string log_path = LogDirectory(table_path);
  std::optional<CheckpointContents> checkpoint;
  if (segment.checkpoint_version) {
    ARROW_ASSIGN_OR_RAISE(checkpoint, ReadCheckpoint(file_system, log_path, segment, CheckpointPart::kState));
  }
  Snapshot::State state;
  state.table_path = table_path;
  state.version = segment.version;
  state.checkpoint_version = segment.checkpoint_version;
  ARROW_RETURN_NOT_OK(reconciler.Finish(std::move(checkpoint), &state));
  ARROW_RETURN_NOT_OK(CheckReadable(state.protocol, table_path));

  std::string newest = JoinPath(log_path, CommitFileName(segment.version));
  ARROW_ASSIGN_OR_RAISE(auto info, file_system.Stat(newest));
  if (info) {
    std::vector<Action> actions;
    if (InCommitTimestamps(state.protocol, state.metadata)) {
      ActionParser infos(kKinds<CommitInfo>);
      ARROW_ASSIGN_OR_RAISE(actions, ReadActions(file_system, newest, &infos));
    }
    auto timestamp_ms = CommitTimestamp(state.protocol, state.metadata, state.version, actions, info->modified_ms);
    state.timestamp_ms = timestamp_ms.ValueOr(info->modified_ms);
    state.timestamp_status = timestamp_ms.status();
  }
  return Made(std::move(state), nullptr, /*checks=*/true);
}

bool CanApply(const Snapshot& before, std::span<const Action> actions, bool is_own) {
  if (before.files().is_complete()) return true;
  bool is_blind_append = is_own;
  bool adds = false;
  for (const Action& action : actions) {
    if (std::holds_alternative<Remove>(action)) return false;
    if (const auto* add = std::get_if<Add>(&action)) {
      adds = true;
      if (!add->data_change || add->deletion_vector) return false;
    }
    if (const auto* info = std::get_if<CommitInfo>(&action)) {
      const JsonValue* blind = info->fields.Find("isBlindAppend");
      is_blind_append = is_blind_append || (blind != nullptr && blind->AsBool());
    }
  }
  return !adds || is_blind_append;
}

arrow::Result<SnapshotPtr> Apply(const Snapshot& before, TableVersion version,
                                 const arrow::Result<int64_t>& timestamp_ms, int64_t modified_ms,
                                 std::span<const Action> actions) {
  Snapshot::State state = before.state();
  state.version = version;
  state.timestamp_ms = timestamp_ms.ok() ? *timestamp_ms : modified_ms;
  state.timestamp_status = timestamp_ms.status();
  std::shared_ptr<TxnMap> txns;
  std::shared_ptr<DomainMetadataMap> domains;
  FileKeySet replaced;
  bool same_metadata = true, same_protocol = true;
  std::vector<const Add*> adds;
  // An add of a file that is there replaces its description. Within a commit the last action of a file counts.
  for (auto action = actions.rbegin(); action != actions.rend(); ++action) {
    if (const auto* add = std::get_if<Add>(&*action)) {
      if (replaced.Insert(add->path, VectorId(add->deletion_vector))) adds.push_back(add);
    } else if (const auto* remove = std::get_if<Remove>(&*action)) {
      replaced.Insert(remove->path, VectorId(remove->deletion_vector));
    }
  }
  std::reverse(adds.begin(), adds.end());
  for (const Action& action : actions) {
    if (const auto* metadata = std::get_if<Metadata>(&action)) {
      state.metadata = *metadata;
      same_metadata = false;
    } else if (const auto* protocol = std::get_if<Protocol>(&action)) {
      state.protocol = *protocol;
      same_protocol = false;
      ARROW_RETURN_NOT_OK(CheckReadable(state.protocol, state.table_path));
    } else if (const auto* txn = std::get_if<Txn>(&action)) {
      if (txns == nullptr) txns = std::make_shared<TxnMap>(*state.txns);
      (*txns)[txn->app_id] = *txn;
    } else if (const auto* domain = std::get_if<DomainMetadata>(&action)) {
      if (domains == nullptr) domains = std::make_shared<DomainMetadataMap>(*state.domain_metadata);
      if (domain->removed) {
        domains->erase(domain->domain);
      } else {
        (*domains)[domain->domain] = *domain;
      }
    }
  }
  if (txns != nullptr) state.txns = std::move(txns);
  if (domains != nullptr) state.domain_metadata = std::move(domains);
  if (!state.files.is_complete()) {
    for (const Add* add : adds) state.files.Count(add->size_bytes);
    return Made(std::move(state), same_metadata ? &before : nullptr, /*checks=*/!same_metadata || !same_protocol);
  }
  state.files.Remove(replaced, /*indexed=*/true);
  if (!adds.empty()) {
    ARROW_ASSIGN_OR_RAISE(auto columns, FileColumns::FromAdds(adds));
    state.files.Append(std::move(columns), nullptr);
    ARROW_RETURN_NOT_OK(state.files.Compact());
  }
  return Made(std::move(state), same_metadata ? &before : nullptr, /*checks=*/!same_metadata || !same_protocol);
}

}  // namespace millrace::delta
