#include "delta/transaction/transaction.h"

#include <algorithm>
#include <set>

#include "base/ascii.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/ids.h"
#include "base/json_value.h"
#include "delta/feature/table_feature.h"
#include "delta/log/log_paths.h"
#include "delta/transaction/checksum.h"
#include "delta/transaction/conflict.h"
#include "delta/transaction/row_ids.h"
#include "delta/transaction/table_metadata.h"

namespace millrace::delta {

namespace {

constexpr std::string_view kIctEnabled = "delta.enableInCommitTimestamps";
constexpr std::string_view kIctVersion = "delta.inCommitTimestampEnablementVersion";
constexpr std::string_view kIctTimestamp = "delta.inCommitTimestampEnablementTimestamp";

bool IsFileAction(const Action& action) {
  return std::holds_alternative<Add>(action) || std::holds_alternative<Remove>(action) ||
         std::holds_alternative<Cdc>(action);
}

bool ChangesData(const std::vector<Action>& actions) {
  return std::any_of(actions.begin(), actions.end(), [](const Action& action) {
    if (const auto* add = std::get_if<Add>(&action)) return add->data_change;
    if (const auto* remove = std::get_if<Remove>(&action)) return remove->data_change;
    return std::holds_alternative<Cdc>(action);
  });
}

std::string FileKey(const std::string& path, const std::optional<DeletionVectorDescriptor>& vector) {
  return vector ? path + '\n' + vector->UniqueId() : path;
}

// One logical file may be added, and removed, once a commit.
arrow::Status CheckNoDuplicates(const std::vector<Action>& actions) {
  std::set<std::string> added, removed;
  for (const Action& action : actions) {
    if (const auto* add = std::get_if<Add>(&action)) {
      if (!added.insert(FileKey(add->path, add->deletion_vector)).second) {
        return InternalError("The file " + add->path + " is added twice in one commit");
      }
    } else if (const auto* remove = std::get_if<Remove>(&action)) {
      if (!removed.insert(FileKey(remove->path, remove->deletion_vector)).second) {
        return InternalError("The file " + remove->path + " is removed twice in one commit");
      }
    }
  }
  return arrow::Status::OK();
}

// Statistics cut down to the number of rows; an empty object where that is not known.
std::string NumRecordsOf(const std::optional<std::string>& stats) {
  JsonValue cut = JsonValue::Object();
  if (stats) {
    auto parsed = ParseJson(*stats);
    const JsonValue* count = parsed.ok() ? parsed->Find("numRecords") : nullptr;
    if (count != nullptr) cut.Set("numRecords", *count);
  }
  return cut.ToString();
}

}  // namespace

bool UsesInCommitTimestamps(const Metadata& metadata) {
  return EqualsIgnoreCase(metadata.Property(kIctEnabled).value_or("false"), "true");
}

Transaction::Transaction(std::shared_ptr<Table> table, SnapshotPtr snapshot, TransactionSettings settings)
    : table_(std::move(table)), snapshot_(std::move(snapshot)), settings_(std::move(settings)), txn_id_(RandomUuid()) {}

arrow::Result<std::unique_ptr<Transaction>> Transaction::Begin(std::shared_ptr<Table> table,
                                                               TransactionSettings settings) {
  ARROW_ASSIGN_OR_RAISE(bool exists, table->Exists());
  SnapshotPtr snapshot;
  if (exists) {
    arrow::Result<SnapshotPtr> updated = table->Update(settings.detail);
    if (updated.ok()) {
      snapshot = *std::move(updated);
    } else {
      // Removed since it was looked at last?
      ARROW_ASSIGN_OR_RAISE(exists, table->Exists());
      if (exists) return updated.status();
    }
  }
  return BeginAt(std::move(table), std::move(snapshot), std::move(settings));
}

arrow::Result<std::unique_ptr<Transaction>> Transaction::BeginAt(std::shared_ptr<Table> table, SnapshotPtr snapshot,
                                                                 TransactionSettings settings) {
  if (snapshot != nullptr) ARROW_RETURN_NOT_OK(CheckWritable(snapshot->protocol(), table->path()));
  return std::unique_ptr<Transaction>(new Transaction(std::move(table), std::move(snapshot), std::move(settings)));
}

std::optional<int64_t> Transaction::TxnVersion(const std::string& app_id) {
  reads_.apps.insert(app_id);
  return snapshot_ == nullptr ? std::nullopt : snapshot_->TxnVersion(app_id);
}

void Transaction::SetTxn(std::string app_id, int64_t version) {
  reads_.apps.insert(app_id);
  actions_.emplace_back(Txn{std::move(app_id), version, settings_.clock->NowMillis()});
}

arrow::Status Transaction::StageRemove(const FileRef& file, RemovedStats stats) {
  if (EqualsIgnoreCase(snapshot_->metadata().Property("delta.appendOnly").value_or("false"), "true")) {
    return UserError("DELTA_CANNOT_MODIFY_APPEND_ONLY",
                     {{"table_name", snapshot_->metadata().name.value_or("null")}, {"config", "delta.appendOnly"}});
  }
  Add add = file.columns->ToAdd(file.row);
  Remove remove;
  remove.path = add.path;
  remove.data_change = data_change_;
  remove.deletion_timestamp_ms = settings_.clock->NowMillis();
  remove.extended_file_metadata = true;
  remove.partition_values = std::move(add.partition_values);
  remove.size_bytes = add.size_bytes;
  remove.tags = std::move(add.tags);
  remove.deletion_vector = std::move(add.deletion_vector);
  remove.base_row_id = add.base_row_id;
  remove.default_row_commit_version = add.default_row_commit_version;
  if (stats == RemovedStats::kAll) remove.stats = std::move(add.stats);
  if (stats == RemovedStats::kNumRecords) remove.stats = NumRecordsOf(add.stats);
  reads_.files.insert(remove.path);
  actions_.emplace_back(std::move(remove));
  return arrow::Status::OK();
}

// The order of delta-spark: metadata, protocol, txn, then files.
std::vector<Action> Transaction::PreparedActions() const {
  std::vector<Action> actions;
  if (new_metadata_) actions.emplace_back(*new_metadata_);
  if (new_protocol_) actions.emplace_back(*new_protocol_);
  for (const Action& action : actions_) {
    if (!IsFileAction(action)) actions.push_back(action);
  }
  for (const Action& action : actions_) {
    if (IsFileAction(action)) actions.push_back(action);
  }
  return actions;
}

CommitInfo Transaction::MakeCommitInfo(const Operation& operation, bool is_blind_append,
                                       bool snapshot_isolation) const {
  CommitInfo info;
  JsonValue& fields = info.fields;
  fields.Set("timestamp", JsonValue::Number(settings_.clock->NowMillis()));
  fields.Set("operation", JsonValue::String(operation.name));
  fields.Set("operationParameters", JsonValue::Object(operation.parameters));
  if (snapshot_ != nullptr || operation.is_large) {
    fields.Set("readVersion", JsonValue::Number(snapshot_ == nullptr ? -1 : snapshot_->version().value));
  }
  bool is_snapshot = snapshot_isolation || operation.changes_no_data;
  fields.Set("isolationLevel", JsonValue::String(is_snapshot ? "SnapshotIsolation" : "Serializable"));
  fields.Set("isBlindAppend", JsonValue::Bool(is_blind_append));
  JsonValue metrics = JsonValue::Object();
  for (const auto& [name, value] : operation.metrics) metrics.Set(name, JsonValue::String(std::to_string(value)));
  fields.Set("operationMetrics", std::move(metrics));
  const auto& user_metadata = operation.user_metadata ? operation.user_metadata : settings_.user_metadata;
  if (user_metadata) fields.Set("userMetadata", JsonValue::String(*user_metadata));
  JsonValue tags = JsonValue::Object();
  if (snapshot_ != nullptr && new_metadata_ && OnlyCountsIdentities(snapshot_->metadata(), *new_metadata_)) {
    tags.Set("delta.identity.schemaUpdate", JsonValue::String("true"));
  }
  if (operation.keeps_row_ids && BooleanProperty(snapshot_->metadata(), "delta.enableRowTracking", false)) {
    tags.Set("delta.rowTracking.preserved", JsonValue::String("true"));
  }
  for (const auto& [key, value] : operation.tags) tags.Set(key, JsonValue::String(value));
  if (!tags.members().empty()) fields.Set("tags", std::move(tags));
  fields.Set("engineInfo", JsonValue::String(settings_.engine_info));
  fields.Set("txnId", JsonValue::String(txn_id_));
  return info;
}

// In-commit timestamps grow with every version, whatever the clock does; the member stands first.
void Transaction::UseInCommitTimestamp(int64_t previous_timestamp_ms, TableVersion version,
                                       std::vector<Action>* actions) {
  if (!UsesInCommitTimestamps(metadata())) return;
  auto& fields = std::get<CommitInfo>(actions->front()).fields;
  int64_t timestamp = std::max(settings_.clock->NowMillis(), previous_timestamp_ms + 1);
  JsonValue with = JsonValue::Object({{"inCommitTimestamp", JsonValue::Number(timestamp)}});
  for (const auto& [key, value] : fields.members()) {
    if (key != "inCommitTimestamp") with.Set(key, key == "timestamp" ? JsonValue::Number(timestamp) : value);
  }
  fields = std::move(with);
  bool was_enabled = snapshot_ != nullptr && UsesInCommitTimestamps(snapshot_->metadata());
  if (was_enabled || creates_table()) return;
  // Switched on by this commit: from which version on is written down.
  for (Action& action : *actions) {
    auto* changed = std::get_if<Metadata>(&action);
    if (changed == nullptr) continue;
    changed->configuration[std::string(kIctVersion)] = version.ToString();
    changed->configuration[std::string(kIctTimestamp)] = std::to_string(timestamp);
  }
}

std::string Transaction::CommitText(const std::vector<Action>& actions) const {
  std::string text;
  for (const Action& action : actions) {
    text += ToJsonLine(action);
    text += '\n';
  }
  return text;
}

arrow::Status Transaction::CreateLog() {
  FileSystem& files = *table_->file_system();
  // Readers of tables whose commits a catalog orders expect the second directory; delta-spark always makes it.
  ARROW_RETURN_NOT_OK(files.CreateDirectories(JoinPath(table_->log_path(), "_staged_commits")));
  if (settings_.durability != Durability::kMachine) return arrow::Status::OK();
  ARROW_RETURN_NOT_OK(files.SyncDirectory(table_->path()));
  std::string parent = table_->path().substr(0, table_->path().find_last_of('/'));
  return files.SyncDirectory(parent.empty() ? "/" : parent);
}

arrow::Result<bool> Transaction::WriteCommit(TableVersion version, const std::string& text) {
  ARROW_RETURN_NOT_OK(HitFailpoint("delta.before_commit"));
  ARROW_ASSIGN_OR_RAISE(bool created,
                        WriteFileIfAbsent(*table_->file_system(), JoinPath(table_->log_path(), CommitFileName(version)),
                                          text, settings_.durability));
  if (created) ARROW_RETURN_NOT_OK(HitFailpoint("delta.after_commit"));
  return created;
}

// The table is changed: what fails from here on is no failure of the commit, and is made good by whoever reads next.
Committed Transaction::Finish(TableVersion version, const std::vector<Action>& actions) {
  std::vector<PartitionValues> added_to = table_->file_counts().Count(metadata().id, actions);
  auto written = table_->file_system()->Stat(JoinPath(table_->log_path(), CommitFileName(version)));
  bool known = written.ok() && written->has_value();
  if (!known || !table_->Advance(version, actions, (*written)->modified_ms).ok()) table_->Invalidate();
  arrow::Result<SnapshotPtr> snapshot = table_->Update(settings_.detail);
  if (!snapshot.ok()) return Committed{version, nullptr, std::move(added_to)};
  if ((*snapshot)->version() == version) {
    (void)WriteChecksum(table_->file_system(), *table_, **snapshot, snapshot_.get(), txn_id_, actions);
  }
  return Committed{version, *std::move(snapshot), std::move(added_to)};
}

arrow::Result<CommitOutcome> Transaction::Commit(const Operation& operation) {
  std::vector<Action> actions = PreparedActions();
  ARROW_RETURN_NOT_OK(CheckNoDuplicates(actions));
  if (new_protocol_) ARROW_RETURN_NOT_OK(CheckWritable(*new_protocol_, table_->path()));
  bool adds_only = std::all_of(actions.begin(), actions.end(), [](const Action& action) {
    return !IsFileAction(action) || std::holds_alternative<Add>(action);
  });
  bool is_blind_append = adds_only && reads_.empty() && !operation.is_large;
  bool any_file = std::any_of(actions.begin(), actions.end(), IsFileAction);
  bool changes_definition = new_metadata_.has_value() || new_protocol_.has_value();
  bool snapshot_isolation = any_file && !changes_definition && !ChangesData(actions);
  actions.insert(actions.begin(), MakeCommitInfo(operation, is_blind_append, snapshot_isolation));
  if (creates_table()) ARROW_RETURN_NOT_OK(CreateLog());

  Intent intent{snapshot_.get(), &reads_, &actions, is_blind_append, snapshot_isolation};
  TableVersion version = snapshot_ == nullptr ? TableVersion(0) : snapshot_->version().Next();
  int64_t previous_timestamp_ms = snapshot_ == nullptr ? 0 : snapshot_->timestamp_ms();
  if (snapshot_ != nullptr) ARROW_RETURN_NOT_OK(snapshot_->timestamp_status());
  ARROW_ASSIGN_OR_RAISE(RowIds row_ids, RowIds::Make(snapshot_.get(), protocol(), metadata()));
  for (int attempt = 0; attempt < settings_.max_attempts; ++attempt) {
    ARROW_RETURN_NOT_OK(row_ids.Assign(version, &actions));
    UseInCommitTimestamp(previous_timestamp_ms, version, &actions);
    ARROW_ASSIGN_OR_RAISE(bool created, WriteCommit(version, CommitText(actions)));
    if (created) {
      return CommitOutcome(Finish(version, actions));
    }
    // Somebody was faster, perhaps several times.
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto winner, table_->ReadCommit(version));
      if (!winner) break;
      ARROW_ASSIGN_OR_RAISE(auto conflict, CheckConflict(intent, *winner, table_->path()));
      if (conflict) return CommitOutcome(std::move(*conflict));
      ARROW_RETURN_NOT_OK(row_ids.Follow(*winner));
      previous_timestamp_ms =
          std::max(previous_timestamp_ms, winner->in_commit_timestamp_ms().value_or(winner->modified_ms));
      version = version.Next();
    }
  }
  return UserError("DELTA_MAX_COMMIT_RETRIES_EXCEEDED",
                   {{"failVersion", version.ToString()},
                    {"startVersion", snapshot_ == nullptr ? "0" : snapshot_->version().Next().ToString()},
                    {"timeSpent", "0"},
                    {"numActions", std::to_string(actions.size())},
                    {"numAttempts", std::to_string(settings_.max_attempts)}});
}

}  // namespace millrace::delta
