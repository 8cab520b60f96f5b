#include "delta/transaction/conflict.h"

#include <algorithm>

#include "base/error.h"
#include "base/json_value.h"
#include "delta/feature/table_feature.h"
#include "delta/transaction/protocol_upgrade.h"
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

constexpr std::string_view kIdentityMark = "delta.identity.highWaterMark";

types::DataTypePtr WithoutColumnMetadata(const types::DataTypePtr& schema, bool (*is_left_out)(std::string_view key)) {
  std::vector<types::StructField> fields = schema->fields();
  for (types::StructField& field : fields) {
    if (field.type->id() == types::TypeId::kStruct) field.type = WithoutColumnMetadata(field.type, is_left_out);
    if (field.metadata_json.empty()) continue;
    auto metadata = ParseJson(field.metadata_json);
    if (!metadata.ok()) continue;
    std::erase_if(metadata->members(), [&](const auto& member) { return is_left_out(member.first); });
    field.metadata_json = metadata->members().empty() ? "" : metadata->ToString();
  }
  return types::Struct(std::move(fields));
}

// What a write may find changed: ids and names in files of a table that begins to map its columns, and how far an
// identity column has counted.
bool IsHarmless(std::string_view key) { return key.starts_with("delta.columnMapping.") || key == kIdentityMark; }

// Whether a change of the table's definition lets files stand that were written for the old one.
bool LeavesWritesValid(const Metadata& before, const Metadata& after) {
  if (before.id != after.id || before.partition_columns != after.partition_columns || before.name != after.name ||
      before.description != after.description) {
    return false;
  }
  bool maps_from_now = before.Property("delta.columnMapping.mode").value_or("none") == "none" &&
                       after.Property("delta.columnMapping.mode") == "name";
  for (const auto& [key, value] : before.configuration) {
    if (after.configuration.count(key) == 0) return false;
  }
  for (const auto& [key, value] : after.configuration) {
    if (before.Property(key) == value) continue;
    bool of_mapping = key == "delta.columnMapping.mode" || key == "delta.columnMapping.maxColumnId";
    bool allowed = (of_mapping && maps_from_now) || (key == "delta.enableDeletionVectors" && value == "true") ||
                   (key == "delta.checkpointPolicy" && value == "v2");
    if (!allowed) return false;
  }
  if (before.schema_string == after.schema_string) return true;
  auto was = before.ParseSchema(), is = after.ParseSchema();
  if (!was.ok() || !is.ok()) return false;
  return WithoutColumnMetadata(*was, IsHarmless)->ToJson() == WithoutColumnMetadata(*is, IsHarmless)->ToJson() &&
         (maps_from_now || before.Property("delta.columnMapping.mode") == after.Property("delta.columnMapping.mode"));
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
    if (First<Protocol>(*intent_.actions) != nullptr || intent_.read_snapshot == nullptr) {
      return Make(ConflictKind::kProtocolChanged);
    }
    std::set<std::string> before = SupportedFeatures(intent_.read_snapshot->protocol());
    std::set<std::string> after = SupportedFeatures(*protocol);
    bool drops = !std::includes(after.begin(), after.end(), before.begin(), before.end());
    // Files of ours would need ids of rows, which were not asked for when we began.
    bool tracks_rows = after.count("rowTracking") > before.count("rowTracking");
    if (drops || tracks_rows) return Make(ConflictKind::kProtocolChanged);
    return std::nullopt;
  }

  std::optional<Conflict> CheckMetadata() const {
    const auto* theirs = First<Metadata>(winner_.actions);
    if (theirs == nullptr) return std::nullopt;
    bool harmless = First<Metadata>(*intent_.actions) == nullptr && intent_.read_snapshot != nullptr &&
                    LeavesWritesValid(intent_.read_snapshot->metadata(), *theirs);
    if (harmless) return std::nullopt;
    return Make(ConflictKind::kMetadataChanged);
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

bool OnlyCountsIdentities(const Metadata& before, const Metadata& after) {
  if (before.id != after.id || before.partition_columns != after.partition_columns || before.name != after.name ||
      before.description != after.description || before.configuration != after.configuration) {
    return false;
  }
  auto was = before.ParseSchema(), is = after.ParseSchema();
  if (!was.ok() || !is.ok() || before.schema_string == after.schema_string) return false;
  auto is_mark = [](std::string_view key) { return key == kIdentityMark; };
  return WithoutColumnMetadata(*was, is_mark)->ToJson() == WithoutColumnMetadata(*is, is_mark)->ToJson();
}

}  // namespace millrace::delta
