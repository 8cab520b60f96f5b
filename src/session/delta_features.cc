#include "session/delta_features.h"

#include <algorithm>
#include <set>

#include "analyzer/name_resolution.h"
#include "base/ascii.h"
#include "base/error.h"
#include "base/json_value.h"
#include "delta/checkpoint/checkpoint_reader.h"
#include "delta/checkpoint/maintenance.h"
#include "delta/deletion_vector/deletion_vector.h"
#include "delta/feature/table_feature.h"
#include "delta/log/log_paths.h"
#include "delta/log/log_segment.h"
#include "delta/schema/column_mapping.h"
#include "delta/transaction/alter_table.h"
#include "delta/transaction/protocol_upgrade.h"
#include "delta/transaction/row_ids.h"
#include "delta/vacuum/vacuum.h"
#include "session/optimize_delta.h"

namespace millrace::session {

namespace {

/// Readers give up after so many checkpoints they cannot read: none goes past those to versions from before.
constexpr int kBarrierCheckpoints = 3;
constexpr const char* kProtectedBefore = "delta.requireCheckpointProtectionBeforeVersion";
constexpr int64_t kHourMs = 3600000;

delta::Operation Named(const char* name, std::vector<JsonValue::Member> parameters = {}) {
  delta::Operation operation;
  operation.name = name;
  operation.parameters = std::move(parameters);
  return operation;
}

// One that changes no row whatever else it does.
delta::Operation NamedNote(const char* name) {
  delta::Operation operation = Named(name);
  operation.changes_no_data = true;
  return operation;
}

// The newest state of the same table.
arrow::Result<OpenedTable> Newest(const OpenedTable& opened) {
  OpenedTable newest = opened;
  ARROW_ASSIGN_OR_RAISE(newest.snapshot, newest.table->Update());
  return newest;
}

arrow::Status CommitMetadata(Session& session, const OpenedTable& opened, delta::Metadata metadata,
                             const delta::Operation& operation) {
  ARROW_ASSIGN_OR_RAISE(auto transaction, BeginChange(session, opened));
  transaction->SetMetadata(std::move(metadata));
  return CommitChange(session, *transaction, operation).status();
}

arrow::Status SetProperties(Session& session, const OpenedTable& opened, const delta::StringMap& properties) {
  ARROW_ASSIGN_OR_RAISE(delta::Alteration altered, delta::SetProperties(*opened.snapshot, properties, std::nullopt));
  return CommitMetadata(session, opened, std::move(altered.definition.metadata), altered.operation);
}

arrow::Status UnsetProperties(Session& session, const OpenedTable& opened, const std::vector<std::string>& keys) {
  ARROW_ASSIGN_OR_RAISE(delta::Alteration altered, delta::UnsetProperties(*opened.snapshot, keys));
  return CommitMetadata(session, opened, std::move(altered.definition.metadata), altered.operation);
}

bool IsOn(const delta::Snapshot& state, std::string_view property) {
  return delta::BooleanProperty(state.metadata(), property, false);
}

bool AnyFile(const delta::Snapshot& state, const std::function<bool(const delta::FileRef&)>& test) {
  bool any = false;
  state.files().ForEach([&](const delta::FileRef& file) { any = any || test(file); });
  return any;
}

bool HasVectors(const delta::Snapshot& state) {
  return AnyFile(state, [](const delta::FileRef& file) { return file.columns->has_deletion_vector(file.row); });
}

bool HasRowIds(const delta::Snapshot& state) {
  return AnyFile(state, [](const delta::FileRef& file) {
    return file.columns->base_row_id(file.row) || file.columns->default_row_commit_version(file.row);
  });
}

std::vector<std::string> Constraints(const delta::Metadata& metadata) {
  static constexpr std::string_view kPrefix = "delta.constraints.";
  std::vector<std::string> names;
  for (const auto& [key, sql] : metadata.configuration) {
    if (ToLowerAscii(key).starts_with(kPrefix)) names.push_back(key.substr(kPrefix.size()));
  }
  return names;
}

bool MapsColumns(const delta::Metadata& metadata) {
  return delta::ColumnMappingModeOf(metadata).ValueOr(delta::ColumnMappingMode::kNone) !=
         delta::ColumnMappingMode::kNone;
}

bool UsesV2Checkpoints(const delta::Metadata& metadata) {
  return metadata.Property("delta.checkpointPolicy").value_or("classic") == "v2";
}

/// The names a table keeps in-commit timestamps' beginning under.
constexpr const char* kTimestampsSince[] = {"delta.inCommitTimestampEnablementTimestamp",
                                            "delta.inCommitTimestampEnablementVersion"};

// Whether the newest state is read from a checkpoint of the new form.
arrow::Result<bool> StandsOnV2Checkpoint(const delta::Table& table) {
  ARROW_ASSIGN_OR_RAISE(auto listing, delta::LogListing::Read(*table.file_system(), table.log_path()));
  ARROW_ASSIGN_OR_RAISE(auto segment, listing.SegmentOf(std::nullopt));
  if (!segment.checkpoint_version) return false;
  if (segment.checkpoint_is_json) return true;
  for (const std::string& file : segment.checkpoint_files) {
    auto name = delta::ParseLogFileName(file.substr(file.find_last_of('/') + 1));
    if (name && name->kind == delta::LogFileKind::kV2Checkpoint) return true;
    ARROW_ASSIGN_OR_RAISE(auto sidecars, delta::ReadSidecarPaths(*table.file_system(), file));
    if (!sidecars.empty()) return true;
  }
  return false;
}

/// One DROP FEATURE.
class FeatureDrop {
 public:
  FeatureDrop(Session& session, OpenedTable opened, const delta::TableFeature& feature, bool truncates)
      : session_(session), opened_(std::move(opened)), feature_(feature), truncates_(truncates) {}

  arrow::Status Run() {
    ARROW_ASSIGN_OR_RAISE(bool changed, CleanUp());
    bool barrier = feature_.removal == delta::FeatureRemoval::kProtectsHistory;
    bool fast = !truncates_ && Setting("spark.databricks.delta.tableFeatures.fastDropFeature.enabled", true);
    if (barrier) {
      for (int i = 0; i < (fast ? kBarrierCheckpoints : 1); ++i) ARROW_RETURN_NOT_OK(CommitAndCheckpoint());
    }
    if (barrier && !fast && changed) return Waits("DELTA_FEATURE_DROP_WAIT_FOR_RETENTION_PERIOD");
    ARROW_RETURN_NOT_OK(Refresh());
    ARROW_ASSIGN_OR_RAISE(bool clean, IsClean());
    if (!clean) return UserError("DELTA_FEATURE_DROP_CONFLICT_REVALIDATION_FAIL", {{"concurrentCommit", ""}});
    if (barrier && !fast) ARROW_RETURN_NOT_OK(TruncateHistory());
    return Downgrade(barrier && fast);
  }

 private:
  bool Setting(const char* key, bool fallback) const {
    auto text = session_.conf().Get(key);
    return text ? EqualsIgnoreCase(*text, "true") : fallback;
  }
  const delta::Snapshot& state() const { return *opened_.snapshot; }
  arrow::Status Refresh() {
    ARROW_ASSIGN_OR_RAISE(opened_, Newest(opened_));
    return arrow::Status::OK();
  }
  bool Is(std::string_view name) const { return feature_.name == name; }

  // Whether the state uses nothing of the feature.
  arrow::Result<bool> IsClean() const {
    const delta::Metadata& metadata = state().metadata();
    if (Is("checkConstraints")) return Constraints(metadata).empty();
    if (Is("columnMapping")) {
      return !MapsColumns(metadata) && !delta::HasFieldMetadata(*state().schema(), delta::kMappingKeys);
    }
    if (Is("deletionVectors")) return !IsOn(state(), "delta.enableDeletionVectors") && !HasVectors(state());
    if (Is("rowTracking")) {
      return !IsOn(state(), "delta.enableRowTracking") && IsOn(state(), "delta.rowTrackingSuspended") &&
             !HasRowIds(state());
    }
    if (Is("domainMetadata")) return state().domain_metadata().empty();
    if (Is("v2Checkpoint")) {
      if (UsesV2Checkpoints(metadata)) return false;
      ARROW_ASSIGN_OR_RAISE(bool stands, StandsOnV2Checkpoint(*opened_.table));
      return !stands;
    }
    if (Is("inCommitTimestamp")) {
      return !IsOn(state(), "delta.enableInCommitTimestamps") && !metadata.Property(kTimestampsSince[0]) &&
             !metadata.Property(kTimestampsSince[1]);
    }
    if (Is("typeWidening") || Is("typeWidening-preview")) {
      return !IsOn(state(), "delta.enableTypeWidening") &&
             !delta::HasFieldMetadata(*state().schema(), delta::kTypeChangeKeys);
    }
    if (Is("checkpointProtection")) return !metadata.Property(kProtectedBefore).has_value();
    return true;
  }

  // Rids the newest state of the feature. True: something was changed, so that older versions use it.
  arrow::Result<bool> CleanUp() {
    if (Is("deletionVectors")) return CleanUpVectors();
    if (Is("checkpointProtection")) return CleanUpProtection();
    ARROW_ASSIGN_OR_RAISE(bool clean, IsClean());
    if (clean) return false;
    if (Is("checkConstraints")) {
      std::string names;
      for (const std::string& name : Constraints(state().metadata())) {
        names += (names.empty() ? "" : ", ") + QuoteIdentifier(name);
      }
      return UserError("DELTA_CANNOT_DROP_CHECK_CONSTRAINT_FEATURE", {{"constraints", names}});
    }
    if (Is("columnMapping")) {
      ARROW_RETURN_NOT_OK(RemoveColumnMapping(session_, opened_, /*unsets_property=*/true));
    } else if (Is("rowTracking")) {
      ARROW_RETURN_NOT_OK(CleanUpRowIds());
    } else if (Is("domainMetadata")) {
      ARROW_RETURN_NOT_OK(CleanUpDomains());
    } else if (Is("v2Checkpoint")) {
      ARROW_RETURN_NOT_OK(SetProperties(session_, opened_, {{"delta.checkpointPolicy", "classic"}}));
    } else if (Is("inCommitTimestamp")) {
      ARROW_RETURN_NOT_OK(CleanUpTimestamps());
    } else {
      return CleanUpTypeChanges();
    }
    return true;
  }

  arrow::Result<bool> CleanUpVectors() {
    bool traces = IsOn(state(), "delta.enableDeletionVectors") || HasVectors(state());
    if (traces) {
      ARROW_RETURN_NOT_OK(UnsetProperties(session_, opened_, {"delta.enableDeletionVectors"}));
      ARROW_RETURN_NOT_OK(Refresh());
    }
    ARROW_RETURN_NOT_OK(ReorganizeFiles(session_, opened_, ReorgKind::kPurge));
    ARROW_RETURN_NOT_OK(Refresh());
    ARROW_RETURN_NOT_OK(ProtectVectors());
    return traces;
  }

  // Whoever knows no vectors takes a vector's file for one that nobody needs: tombstones say otherwise.
  arrow::Status ProtectVectors() {
    if (!Setting("spark.databricks.delta.tableFeatures.fastDropFeature.generateDVTombstones.enabled",
                 Setting("spark.databricks.delta.tableFeatures.fastDropFeature.enabled", true))) {
      return arrow::Status::OK();
    }
    int64_t now_ms = session_.CurrentConnectorContext()->clock->NowMillis();
    int64_t since_ms = now_ms - delta::DeletedFileRetentionMs(state().metadata());
    ARROW_ASSIGN_OR_RAISE(std::vector<delta::Remove> removes, opened_.table->Tombstones(state()));
    std::set<std::string> plain, vectors;
    const std::string below = opened_.table->path() + "/";
    for (const delta::Remove& remove : removes) {
      if (remove.deletion_timestamp_ms.value_or(0) <= since_ms) continue;
      if (!remove.deletion_vector) {
        plain.insert(remove.path);
      } else if (remove.deletion_vector->storage_type == 'u') {
        ARROW_ASSIGN_OR_RAISE(std::string path,
                              delta::DeletionVectorPath(opened_.table->path(), *remove.deletion_vector));
        vectors.insert(delta::EncodeDataPath(path.starts_with(below) ? path.substr(below.size()) : path));
      }
    }
    ARROW_ASSIGN_OR_RAISE(auto transaction, BeginChange(session_, opened_));
    for (const std::string& path : vectors) {
      if (plain.count(path) > 0) continue;
      delta::Remove tombstone;
      tombstone.path = path;
      tombstone.deletion_timestamp_ms = now_ms;
      tombstone.data_change = false;
      transaction->Stage(std::move(tombstone));
    }
    return CommitChange(session_, *transaction, NamedNote("Deletion Vector Tombstones")).status();
  }

  arrow::Status CleanUpRowIds() {
    ARROW_RETURN_NOT_OK(SetProperties(session_, opened_,
                                      {{"delta.enableRowTracking", "false"}, {"delta.rowTrackingSuspended", "true"}}));
    ARROW_RETURN_NOT_OK(Refresh());
    if (!HasRowIds(state())) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(auto transaction, BeginChange(session_, opened_));
    state().files().ForEach([&](const delta::FileRef& file) {
      delta::Add add = file.columns->ToAdd(file.row);
      transaction->ReadFile(add.path);
      add.base_row_id.reset();
      add.default_row_commit_version.reset();
      add.data_change = false;
      transaction->Stage(std::move(add));
    });
    return CommitChange(session_, *transaction, Named("ROW TRACKING UNBACKFILL", {{"batchId", JsonValue::String("0")}}))
        .status();
  }

  arrow::Status CleanUpDomains() {
    ARROW_ASSIGN_OR_RAISE(auto transaction, BeginChange(session_, opened_));
    int64_t count = 0;
    for (const auto& [name, domain] : state().domain_metadata()) {
      delta::DomainMetadata removed = domain;
      removed.removed = true;
      transaction->Stage(std::move(removed));
      ++count;
    }
    return CommitChange(session_, *transaction,
                        Named("DOMAIN METADATA CLEANUP", {{"domainMetadataRemovedCount", JsonValue::Number(count)}}))
        .status();
  }

  arrow::Status CleanUpTimestamps() {
    delta::Metadata metadata = state().metadata();
    JsonValue told = JsonValue::Array();
    for (const char* key : kTimestampsSince) {
      if (metadata.configuration.erase(key) > 0) told.elements().push_back(JsonValue::String(key));
    }
    if (IsOn(state(), "delta.enableInCommitTimestamps")) {
      metadata.configuration["delta.enableInCommitTimestamps"] = "false";
      told.elements().push_back(JsonValue::String("delta.enableInCommitTimestamps"));
    }
    return CommitMetadata(session_, opened_, std::move(metadata),
                          Named("UNSET TBLPROPERTIES", {{"properties", JsonValue::String(told.ToString())},
                                                        {"ifExists", JsonValue::Bool(true)}}));
  }

  arrow::Result<bool> CleanUpTypeChanges() {
    bool noted = delta::HasFieldMetadata(*state().schema(), delta::kTypeChangeKeys);
    ARROW_RETURN_NOT_OK(UnsetProperties(session_, opened_, {"delta.enableTypeWidening"}));
    if (!noted) return false;
    ARROW_RETURN_NOT_OK(Refresh());
    ARROW_RETURN_NOT_OK(ReorganizeFiles(session_, opened_, ReorgKind::kRetypes));
    ARROW_RETURN_NOT_OK(Refresh());
    JsonValue told = JsonValue::Array();
    TellTypeChanges(*state().schema(), {}, &told);
    delta::Metadata metadata = state().metadata();
    metadata.schema_string = delta::WithoutFieldMetadata(state().schema(), delta::kTypeChangeKeys)->ToJson();
    ARROW_RETURN_NOT_OK(CommitMetadata(session_, opened_, std::move(metadata),
                                       Named("DROP FEATURE", {{"columns", JsonValue::String(told.ToString())}})));
    return true;
  }

  static void TellTypeChanges(const types::DataType& type, const delta::ColumnPath& parent, JsonValue* told) {
    auto below = [&](const char* name, const types::DataTypePtr& inner) {
      delta::ColumnPath path = parent;
      path.emplace_back(name);
      TellTypeChanges(*inner, path, told);
    };
    if (type.id() == types::TypeId::kArray) return below("element", type.element());
    if (type.id() == types::TypeId::kMap) {
      below("key", type.key());
      return below("value", type.value());
    }
    if (type.id() != types::TypeId::kStruct) return;
    for (const types::StructField& field : type.fields()) {
      if (delta::HasFieldMetadata(*types::Struct({{field.name, types::Long(), true, field.metadata_json}}),
                                  delta::kTypeChangeKeys)) {
        told->elements().push_back(delta::FieldJson(parent, field));
      }
      delta::ColumnPath path = parent;
      path.push_back(field.name);
      TellTypeChanges(*field.type, path, told);
    }
  }

  // Goes with the history it protects only.
  arrow::Result<bool> CleanUpProtection() {
    ARROW_ASSIGN_OR_RAISE(bool gone, ProtectedHistoryIsGone());
    if (!gone) {
      ARROW_RETURN_NOT_OK(CommitAndCheckpoint());
      ARROW_RETURN_NOT_OK(delta::CleanUpLogBefore(*opened_.table, TruncationTime()));
      ARROW_ASSIGN_OR_RAISE(gone, ProtectedHistoryIsGone());
      if (!gone) {
        return UserError("DELTA_FEATURE_DROP_CHECKPOINT_PROTECTION_WAIT_FOR_RETENTION_PERIOD",
                         {{"truncateHistoryLogRetentionPeriod", TruncationRetention()}});
      }
    }
    ARROW_RETURN_NOT_OK(Refresh());
    ARROW_RETURN_NOT_OK(UnsetProperties(session_, opened_, {kProtectedBefore}));
    return false;
  }

  arrow::Result<bool> ProtectedHistoryIsGone() const {
    int64_t before = delta::IntegerProperty(state().metadata(), kProtectedBefore, 0);
    if (before <= 0) return true;
    ARROW_ASSIGN_OR_RAISE(auto listing,
                          delta::LogListing::Read(*opened_.table->file_system(), opened_.table->log_path()));
    std::vector<delta::TableVersion> checkpoints = listing.checkpoint_versions();
    auto oldest = listing.oldest_commit();
    return !checkpoints.empty() && checkpoints.front().value >= before && oldest && oldest->value >= before;
  }

  std::string TruncationRetention() const {
    return state().metadata().Property("delta.dropFeatureTruncateHistory.retentionDuration").value_or("24 hours");
  }
  int64_t TruncationTime() const {
    int64_t keep_ms =
        delta::IntervalProperty(state().metadata(), "delta.dropFeatureTruncateHistory.retentionDuration", 24 * kHourMs);
    int64_t now_ms = session_.CurrentConnectorContext()->clock->NowMillis();
    return (now_ms - keep_ms) / 60000 * 60000;
  }

  arrow::Status Waits(const char* condition) const {
    return UserError(condition, {{"feature", std::string(feature_.name)},
                                 {"logRetentionPeriodKey", "delta.logRetentionDuration"},
                                 {"logRetentionPeriod", RetentionText()},
                                 {"truncateHistoryLogRetentionPeriod", TruncationRetention()}});
  }
  std::string RetentionText() const {
    std::string text = state().metadata().Property("delta.logRetentionDuration").value_or("interval 30 days");
    return text.starts_with("interval ") ? text.substr(9) : text;
  }

  // A commit that says nothing, so that the checkpoint is of a version that uses nothing of the feature.
  arrow::Status CommitAndCheckpoint() {
    ARROW_RETURN_NOT_OK(Refresh());
    ARROW_ASSIGN_OR_RAISE(auto transaction, BeginChange(session_, opened_));
    ARROW_RETURN_NOT_OK(CommitChange(session_, *transaction, NamedNote("Empty Commit")));
    return Checkpoint();
  }
  arrow::Status Checkpoint() {
    ARROW_RETURN_NOT_OK(Refresh());
    const connector::ConnectorContext& context = *session_.CurrentConnectorContext();
    return delta::CheckpointNow(*opened_.table, opened_.snapshot,
                                {context.durability, context.clock, context.time_zone});
  }

  arrow::Status TruncateHistory() {
    int64_t cutoff_ms = TruncationTime();
    if (truncates_) {
      ARROW_RETURN_NOT_OK(delta::CleanUpLogBefore(*opened_.table, cutoff_ms));
    } else {
      ARROW_RETURN_NOT_OK(
          delta::CleanUpLog(*opened_.table, state(), session_.CurrentConnectorContext()->clock->NowMillis()));
    }
    ARROW_ASSIGN_OR_RAISE(bool uses, HistoryUses());
    return uses ? Waits("DELTA_FEATURE_DROP_HISTORICAL_VERSIONS_EXIST") : arrow::Status::OK();
  }

  bool Uses(const delta::Metadata& metadata, const types::DataType& schema) const {
    if (Is("columnMapping")) return MapsColumns(metadata);
    if (Is("deletionVectors")) return delta::BooleanProperty(metadata, "delta.enableDeletionVectors", false);
    if (Is("v2Checkpoint")) return UsesV2Checkpoints(metadata);
    if (Is("typeWidening") || Is("typeWidening-preview")) {
      return delta::HasFieldMetadata(schema, delta::kTypeChangeKeys);
    }
    return false;
  }

  // Whether a version that can be rebuilt uses the feature.
  arrow::Result<bool> HistoryUses() const {
    delta::Table& table = *opened_.table;
    ARROW_ASSIGN_OR_RAISE(auto listing, delta::LogListing::Read(*table.file_system(), table.log_path()));
    delta::TableVersion oldest = listing.oldest_recreatable().value_or(delta::TableVersion(0));
    ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr then, table.SnapshotAt(oldest));
    if (Uses(then->metadata(), *then->schema())) return true;
    if (Is("deletionVectors") && HasVectors(*then)) return true;
    for (delta::TableVersion version : listing.commits()) {
      ARROW_ASSIGN_OR_RAISE(auto commit, table.ReadCommit(version));
      for (size_t i = 0; commit && i < commit->actions.size(); ++i) {
        const delta::Action& action = commit->actions[i];
        if (const auto* metadata = std::get_if<delta::Metadata>(&action)) {
          ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, metadata->ParseSchema());
          if (Uses(*metadata, *schema)) return true;
        }
        if (!Is("deletionVectors")) continue;
        const auto* add = std::get_if<delta::Add>(&action);
        const auto* remove = std::get_if<delta::Remove>(&action);
        if ((add != nullptr && add->deletion_vector) || (remove != nullptr && remove->deletion_vector)) return true;
      }
    }
    return false;
  }

  // The commit that takes the feature out of the protocol.
  arrow::Status Downgrade(bool protects) {
    ARROW_ASSIGN_OR_RAISE(auto transaction, BeginChange(session_, opened_));
    std::string name(feature_.name);
    delta::Metadata metadata = state().metadata();
    if (Is("rowTracking")) {
      for (const char* key :
           {"delta.enableRowTracking", "delta.rowTrackingSuspended", "delta.rowTracking.materializedRowIdColumnName",
            "delta.rowTracking.materializedRowCommitVersionColumnName"}) {
        metadata.configuration.erase(key);
      }
      auto domain = state().domain_metadata().find(delta::kRowTrackingDomain);
      if (domain != state().domain_metadata().end()) {
        delta::DomainMetadata removed = domain->second;
        removed.removed = true;
        transaction->Stage(std::move(removed));
      }
    }
    delta::Protocol protocol = state().protocol();
    if (protects) {
      protocol = delta::WithFeature(protocol, "checkpointProtection");
      metadata.configuration[kProtectedBefore] = state().version().Next().ToString();
    }
    transaction->SetProtocol(delta::WithoutFeature(protocol, name));
    transaction->SetMetadata(std::move(metadata));
    ARROW_RETURN_NOT_OK(CommitChange(session_, *transaction,
                                     Named("DROP FEATURE", {{"featureName", JsonValue::String(name)},
                                                            {"truncateHistory", JsonValue::Bool(truncates_)}})));
    return protects ? Checkpoint() : arrow::Status::OK();
  }

  Session& session_;
  OpenedTable opened_;
  const delta::TableFeature& feature_;
  bool truncates_;
};

}  // namespace

arrow::Status DropFeature(Session& session, const OpenedTable& opened, const std::string& feature,
                          bool truncates_history) {
  const delta::Protocol& protocol = opened.snapshot->protocol();
  const delta::TableFeature* known = nullptr;
  for (const delta::TableFeature& one : delta::AllTableFeatures()) {
    if (EqualsIgnoreCase(one.name, feature)) known = &one;
  }
  // As delta-spark, which finds the feature by any spelling and the table's by its own only.
  bool supported = known != nullptr && known->name == feature && delta::Supports(protocol, feature);
  if (!supported && ToLowerAscii(feature).starts_with("delta.")) {
    Options property;
    property.Set(feature, "");
    if (!IsErrorCondition(delta::TableProperties(property).status(), "DELTA_UNKNOWN_CONFIGURATION")) {
      return UserError("DELTA_FEATURE_DROP_FEATURE_IS_DELTA_PROPERTY", {{"property", feature}});
    }
  }
  if (known == nullptr) return UserError("DELTA_FEATURE_DROP_UNSUPPORTED_CLIENT_FEATURE", {{"feature", feature}});
  if (!supported) return UserError("DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT", {{"feature", feature}});
  if (known->removal == delta::FeatureRemoval::kNone) {
    return UserError("DELTA_FEATURE_DROP_NONREMOVABLE_FEATURE", {{"feature", feature}});
  }
  bool protection = feature == "checkpointProtection";
  if (truncates_history && !protection && known->removal != delta::FeatureRemoval::kProtectsHistory) {
    return UserError("DELTA_FEATURE_DROP_HISTORY_TRUNCATION_NOT_ALLOWED");
  }
  if (protection && !truncates_history) {
    return UserError("DELTA_FEATURE_CAN_ONLY_DROP_CHECKPOINT_PROTECTION_WITH_HISTORY_TRUNCATION");
  }
  std::string dependents;
  for (const delta::TableFeature& other : delta::AllTableFeatures()) {
    bool needs = std::find(other.needs.begin(), other.needs.end(), feature) != other.needs.end();
    if (needs && delta::Supports(protocol, other.name)) {
      dependents += (dependents.empty() ? "" : ", ") + std::string(other.name);
    }
  }
  if (!dependents.empty()) {
    return UserError("DELTA_FEATURE_DROP_DEPENDENT_FEATURE", {{"feature", feature}, {"dependentFeatures", dependents}});
  }
  return FeatureDrop(session, opened, *known, truncates_history).Run();
}

}  // namespace millrace::session
