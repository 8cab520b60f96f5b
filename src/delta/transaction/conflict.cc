#include "delta/transaction/conflict.h"

#include "base/error.h"
#include "delta/feature/table_feature.h"
#include "delta/transaction/row_ids.h"

namespace millrace::delta {

namespace {

constexpr const char* kDocLink = "https://docs.delta.io/latest/concurrency-control.html";

template <typename T>
std::vector<const T*> Collect(const std::vector<Action>& actions) {
  std::vector<const T*> found;
  for (const Action& action : actions) {
    if (const T* typed = std::get_if<T>(&action)) found.push_back(typed);
  }
  return found;
}

template <typename T>
const T* First(const std::vector<Action>& actions) {
  for (const Action& action : actions) {
    if (const T* typed = std::get_if<T>(&action)) return typed;
  }
  return nullptr;
}

// "[day=1, hour=NULL]"
std::optional<std::string> PartitionText(const PartitionValues* values) {
  if (values == nullptr || values->empty()) return std::nullopt;
  std::string text = "[";
  for (const auto& [column, value] : values->entries()) {
    if (text.size() > 1) text += ", ";
    text += column + "=" + value.value_or("null");
  }
  return text + "]";
}

// The winner's commitInfo as messages show it: with its version.
std::string ConflictingCommitText(const Conflict& conflict) {
  JsonValue info = JsonValue::Object({{"version", JsonValue::Number(conflict.winning_version.value)}});
  for (const auto& [key, value] : conflict.winning_commit.fields.members()) info.Set(key, value);
  return "\nConflicting commit: " + info.ToString();
}

arrow::Status FileConflict(const char* condition, const Conflict& conflict, const std::string& table_path) {
  ErrorParameters parameters = {{"operation", conflict.winning_commit.operation().value_or("TRANSACTION")},
                                {"tableName", "delta.`" + table_path + "`"},
                                {"version", conflict.winning_version.ToString()},
                                {"docLink", kDocLink}};
  std::string name = condition;
  if (conflict.partition) {
    parameters["partitionValues"] = *conflict.partition;
    return UserError(name + ".WITH_PARTITION_HINT", std::move(parameters));
  }
  return UserError(name + ".WITHOUT_HINT", std::move(parameters));
}

class Checker {
 public:
  Checker(const Intent& intent, const Commit& winner) : intent_(intent), winner_(winner) {
    if (const auto* info = First<CommitInfo>(winner.actions)) winner_info_ = *info;
  }

  Conflict Make(ConflictKind kind, const PartitionValues* values = nullptr) const {
    return {kind, winner_.version, winner_info_, PartitionText(values), {}};
  }

  arrow::Result<std::optional<Conflict>> CheckProtocol(const std::string& table_path) const {
    const auto* protocol = First<Protocol>(winner_.actions);
    if (protocol == nullptr) return std::nullopt;
    ARROW_RETURN_NOT_OK(CheckReadable(*protocol, table_path));
    ARROW_RETURN_NOT_OK(CheckWritable(*protocol, table_path));
    // Ours was planned for the old one: a new feature may ask for what we have not done.
    if (First<Protocol>(*intent_.actions) != nullptr || intent_.read_snapshot == nullptr ||
        *protocol != intent_.read_snapshot->protocol()) {
      return Make(ConflictKind::kProtocolChanged);
    }
    return std::nullopt;
  }

  std::optional<Conflict> CheckMetadata() const {
    if (First<Metadata>(winner_.actions) != nullptr) return Make(ConflictKind::kMetadataChanged);
    return std::nullopt;
  }

  std::optional<Conflict> CheckDomains() const {
    for (const auto* theirs : Collect<DomainMetadata>(winner_.actions)) {
      for (const auto* ours : Collect<DomainMetadata>(*intent_.actions)) {
        // Ids of rows are given again, above theirs.
        if (theirs->domain != ours->domain || ours->domain == kRowTrackingDomain) continue;
        Conflict conflict = Make(ConflictKind::kDomainMetadata);
        conflict.domain = ours->domain;
        return conflict;
      }
    }
    return std::nullopt;
  }

  std::optional<Conflict> CheckTransactions() const {
    for (const auto* txn : Collect<Txn>(winner_.actions)) {
      if (intent_.reads->apps.count(txn->app_id) > 0) return Make(ConflictKind::kConcurrentTransaction);
    }
    return std::nullopt;
  }

  std::optional<Conflict> CheckAddedFiles() const {
    if (intent_.snapshot_isolation || intent_.is_blind_append) return std::nullopt;
    bool partitioned = intent_.read_snapshot != nullptr && !intent_.read_snapshot->partition_columns().empty();
    for (const auto* add : Collect<Add>(winner_.actions)) {
      bool read = intent_.reads->whole_table || (!partitioned && !intent_.reads->empty());
      for (const auto& predicate : intent_.reads->predicates) read = read || predicate(add->partition_values);
      if (read) return Make(ConflictKind::kConcurrentAppend, &add->partition_values);
    }
    return std::nullopt;
  }

  std::optional<Conflict> CheckRemovedFiles() const {
    for (const auto* remove : Collect<Remove>(winner_.actions)) {
      const PartitionValues* values = remove->partition_values ? &*remove->partition_values : nullptr;
      if (intent_.reads->files.count(remove->path) > 0) return Make(ConflictKind::kConcurrentDeleteRead, values);
      if (intent_.reads->whole_table) return Make(ConflictKind::kConcurrentDeleteRead);
    }
    std::set<std::string, std::less<>> ours;
    for (const auto* remove : Collect<Remove>(*intent_.actions)) ours.insert(remove->path);
    for (const auto* remove : Collect<Remove>(winner_.actions)) {
      if (ours.count(remove->path) == 0) continue;
      return Make(ConflictKind::kConcurrentDeleteDelete,
                  remove->partition_values ? &*remove->partition_values : nullptr);
    }
    return std::nullopt;
  }

 private:
  const Intent& intent_;
  const Commit& winner_;
  CommitInfo winner_info_;
};

}  // namespace

arrow::Status ToStatus(const Conflict& conflict, const std::string& table_path) {
  std::string commit = ConflictingCommitText(conflict);
  switch (conflict.kind) {
    case ConflictKind::kProtocolChanged: {
      std::string info = conflict.winning_version.value == 0
                             ? "This happens when multiple writers are writing to an empty directory. Creating the "
                               "table ahead of time will avoid this conflict. "
                             : "";
      return UserError("DELTA_PROTOCOL_CHANGED",
                       {{"additionalInfo", info}, {"conflictingCommit", commit}, {"docLink", kDocLink}});
    }
    case ConflictKind::kMetadataChanged:
      return UserError(
          "DELTA_METADATA_CHANGED",
          {{"tableName", "delta.`" + table_path + "`"}, {"conflictingCommit", commit}, {"docLink", kDocLink}});
    case ConflictKind::kConcurrentTransaction:
      return UserError("DELTA_CONCURRENT_TRANSACTION", {{"conflictingCommit", commit}, {"docLink", kDocLink}});
    case ConflictKind::kConcurrentAppend:
      return FileConflict("DELTA_CONCURRENT_APPEND", conflict, table_path);
    case ConflictKind::kConcurrentDeleteRead:
      return FileConflict("DELTA_CONCURRENT_DELETE_READ", conflict, table_path);
    case ConflictKind::kConcurrentDeleteDelete:
      return FileConflict("DELTA_CONCURRENT_DELETE_DELETE", conflict, table_path);
    case ConflictKind::kDomainMetadata:
      return UserError("DELTA_CONCURRENT_WRITE", {{"conflictingCommit", commit}, {"docLink", kDocLink}});
  }
  return InternalError("an unknown kind of conflict");
}

arrow::Result<std::optional<Conflict>> CheckConflict(const Intent& intent, const Commit& winner,
                                                     const std::string& table_path) {
  Checker checker(intent, winner);
  ARROW_ASSIGN_OR_RAISE(auto protocol, checker.CheckProtocol(table_path));
  if (protocol) return protocol;
  if (auto conflict = checker.CheckMetadata()) return conflict;
  if (auto conflict = checker.CheckDomains()) return conflict;
  if (auto conflict = checker.CheckTransactions()) return conflict;
  if (auto conflict = checker.CheckAddedFiles()) return conflict;
  return checker.CheckRemovedFiles();
}

}  // namespace millrace::delta
