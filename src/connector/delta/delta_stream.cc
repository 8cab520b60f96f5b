#include "connector/delta/delta_stream.h"

#include <map>

#include "base/error.h"
#include "connector/delta/schema_log.h"
#include "connector/delta/source_offset.h"
#include "connector/delta/version_files.h"
#include "delta/history/commit_times.h"
#include "delta/log/log_segment.h"
#include "delta/schema/mapping_changes.h"

namespace millrace::connector::delta_table {

namespace {

std::string OperationText(const delta::CommitInfo& info) {
  // As Scala prints a name and a map, whose values are JSON.
  std::string text = info.operation().value_or("null") + " (Map(";
  if (const JsonValue* parameters = info.fields.Find("operationParameters")) {
    bool first = true;
    for (const auto& [key, value] : parameters->members()) {
      text += (first ? "" : ", ") + key + " -> " + value.ToString();
      first = false;
    }
  }
  return text + "))";
}

class DeltaStream final : public MicroBatchStream {
 public:
  DeltaStream(SourceRequest request, StreamOptions options, TableRequest table, delta::SnapshotPtr snapshot,
              std::unique_ptr<SchemaLog> schema_log)
      : request_(std::move(request)),
        options_(std::move(options)),
        table_(std::move(table.table)),
        snapshot_(std::move(snapshot)),
        schema_log_(std::move(schema_log)) {}

  arrow::Result<SourceOffset> InitialOffset() override {
    DeltaOffset start;
    start.table_id = snapshot_->metadata().id;
    ARROW_ASSIGN_OR_RAISE(auto version, StartingVersion());
    start.version = version ? *version : snapshot_->version().value;
    start.is_initial_snapshot = !version;
    return SourceOffset{start.ToJson()};
  }

  arrow::Result<std::optional<SourceOffset>> LatestOffset(const SourceOffset& start) override {
    ARROW_ASSIGN_OR_RAISE(DeltaOffset from, Parse(start));
    if (schema_log_ != nullptr && !schema_log_->current()) ARROW_RETURN_NOT_OK(BeginTracking(from.version));
    if (from.index == DeltaOffset::kMetadataChangeIndex) {
      from.index = DeltaOffset::kPostMetadataChangeIndex;
      return SourceOffset{from.ToJson()};
    }
    if (available_now_ && !bound_) {
      ARROW_ASSIGN_OR_RAISE(auto last, Latest(from, StreamOptions::kNoLimit, StreamOptions::kNoLimit));
      bound_ = last.value_or(from);
    }
    int64_t max_files = ignore_limits_ ? StreamOptions::kNoLimit : options_.max_files;
    int64_t max_bytes = ignore_limits_ ? StreamOptions::kNoLimit : options_.max_bytes;
    ARROW_ASSIGN_OR_RAISE(auto latest, Latest(from, max_files, max_bytes));
    if (!latest) return std::nullopt;
    return SourceOffset{latest->ToJson()};
  }

  arrow::Status Resume(const std::optional<SourceOffset>& start, const SourceOffset& end) override {
    ARROW_ASSIGN_OR_RAISE(DeltaOffset to, Parse(end));
    DeltaOffset from;
    if (start) {
      ARROW_ASSIGN_OR_RAISE(from, Parse(*start));
    } else {
      if (options_.from_latest) return arrow::Status::OK();
      ARROW_ASSIGN_OR_RAISE(auto version, StartingVersion());
      from.is_initial_snapshot = !version;
      from.version = version ? *version : to.version - (to.is_initial_snapshot ? 0 : 1);
    }
    ARROW_RETURN_NOT_OK(CheckStart(from.version));
    // The files of a state are not looked at again: only commits can be of a kind that is not read.
    if (from.is_initial_snapshot) from = {from.table_id, from.version + 1};
    int64_t last = to.index == DeltaOffset::kBaseIndex ? to.version - 1 : to.version;
    if (to.is_initial_snapshot || from.version > last) return arrow::Status::OK();
    return Walk(from, [&](const VersionFiles& files) -> arrow::Result<bool> { return files.version.value < last; });
  }

  arrow::Status PrepareForAvailableNow() override {
    available_now_ = true;
    return arrow::Status::OK();
  }
  void IgnoreLimits() override { ignore_limits_ = true; }

  arrow::Result<InputPartitions> PlanPartitions(const SourceOffset& start, const SourceOffset& end,
                                                const ReadColumns& columns) override {
    ARROW_ASSIGN_OR_RAISE(DeltaOffset from, Parse(start));
    ARROW_ASSIGN_OR_RAISE(DeltaOffset to, Parse(end));
    // A query that never committed begins again at another state than the one its first micro-batch was planned with:
    // the end of that micro-batch tells which it was.
    if (from.is_initial_snapshot && from.index == DeltaOffset::kBaseIndex) {
      from.version = to.is_initial_snapshot ? to.version : std::max<int64_t>(0, to.version - 1);
    }
    std::vector<DataFile> files;
    ARROW_RETURN_NOT_OK(CheckStart(from.version));
    if (options_.read_change_feed) ARROW_RETURN_NOT_OK(CheckRecording(from.version, to.version));
    ARROW_RETURN_NOT_OK(CollectFiles(from, to, &files));
    ARROW_ASSIGN_OR_RAISE(auto plan, MakeDataReadPlan(*snapshot_, *request_.schema, columns, *request_.context));
    return PackDataFiles(std::move(plan), std::move(files), *request_.context);
  }

  arrow::Status Commit(const SourceOffset& end) override {
    ARROW_ASSIGN_OR_RAISE(DeltaOffset offset, Parse(end));
    if (tracks_schema() && offset.is_metadata_change()) ARROW_RETURN_NOT_OK(FollowSchema(offset.version));
    recent_.erase(recent_.begin(), recent_.lower_bound(offset.version));
    if (!offset.is_initial_snapshot) state_.reset();
    return arrow::Status::OK();
  }

  std::string Description() const override { return "DeltaSource[file:" + table_->path() + "]"; }
  void Stop() override {}

 private:
  arrow::Result<DeltaOffset> Parse(const SourceOffset& offset) const {
    return DeltaOffset::Parse(offset, snapshot_->metadata().id);
  }

  /// The version to begin with; none: the newest state.
  arrow::Result<std::optional<int64_t>> StartingVersion() {
    if (!options_.has_start()) return std::nullopt;
    ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr newest, table_->Update());
    if (options_.from_latest) return newest->version().value + 1;
    if (options_.starting_version) {
      ARROW_RETURN_NOT_OK(delta::CheckVersionExists(*table_, *newest, *options_.starting_version,
                                                    /*must_be_recreatable=*/false, /*allow_beyond_newest=*/false));
      return options_.starting_version;
    }
    ARROW_ASSIGN_OR_RAISE(
        delta::TableVersion version,
        StartingVersionFromTimestamp(*table_, *newest, *options_.starting_timestamp_us, *request_.context));
    return version.value;
  }

  static bool IsAfter(const DeltaOffset& from, int64_t version, int64_t index) {
    return version > from.version || index > from.index;
  }
  bool IsWithin(const std::optional<DeltaOffset>& bound, int64_t version, int64_t index) const {
    return !bound || version < bound->version || (version == bound->version && index <= bound->index);
  }

  /// The end of what a micro-batch from `from` on may take; none when there is nothing.
  arrow::Result<std::optional<DeltaOffset>> Latest(const DeltaOffset& from, int64_t max_files, int64_t max_bytes) {
    AdmissionLimits limits(max_files, max_bytes);
    std::optional<std::pair<int64_t, int64_t>> last;  // version and index of what was taken last
    auto take = [&](int64_t version, int64_t index) { last = {version, index}; };
    ARROW_RETURN_NOT_OK(Walk(from, [&](const VersionFiles& files) -> arrow::Result<bool> {
      if (bound_ && files.version.value > bound_->version) return false;
      if (options_.read_change_feed) return AdmitChanges(from, files, &limits, take);
      return AdmitFiles(from, files, &limits, take);
    }));
    if (!last) return std::nullopt;
    ARROW_RETURN_NOT_OK(CheckStart(from.version));
    DeltaOffset end = from;
    if (last->second == DeltaOffset::kEndIndex) {
      end.version = last->first + 1;
      end.index = DeltaOffset::kBaseIndex;
      end.is_initial_snapshot = false;
    } else {
      end.is_initial_snapshot = from.is_initial_snapshot && last->first == from.version;
      end.version = last->first;
      end.index = last->second;
    }
    return end;
  }

  template <typename Take>
  bool AdmitFiles(const DeltaOffset& from, const VersionFiles& files, AdmissionLimits* limits, const Take& take) {
    int64_t version = files.version.value;
    auto admit = [&](int64_t index, bool is_file, int64_t size_bytes) {
      if (!IsAfter(from, version, index)) return true;
      if (!IsWithin(bound_, version, index) || !limits->Admit(is_file, size_bytes)) return false;
      take(version, index);
      return true;
    };
    if (!admit(DeltaOffset::kBaseIndex, false, 0)) return false;
    if (files.changes_definition) {
      admit(DeltaOffset::kMetadataChangeIndex, false, 0);
      return false;
    }
    for (size_t i = 0; i < files.entries.size(); ++i) {
      if (!admit(static_cast<int64_t>(i), true, files.entries[i].size_bytes)) return false;
    }
    return admit(DeltaOffset::kEndIndex, false, 0);
  }

  // Commits with cdc files or deletion vectors are taken whole: their rows belong together.
  template <typename Take>
  bool AdmitChanges(const DeltaOffset& from, const VersionFiles& files, AdmissionLimits* limits, const Take& take) {
    if (!limits->has_capacity()) return false;
    if (files.is_state || files.changes_definition || (!files.has_cdc() && !files.has_deletion_vectors())) {
      bool go_on = AdmitFiles(from, files, limits, take);
      return go_on || (!files.is_state && !files.changes_definition);
    }
    int64_t version = files.version.value;
    int64_t num_files = 0, size_bytes = 0, last_index = -1;
    auto count = [&](int64_t index, int64_t bytes) {
      if (!IsAfter(from, version, index) || !IsWithin(bound_, version, index)) return;
      ++num_files;
      size_bytes += bytes;
      last_index = index;
    };
    if (!files.has_cdc()) count(DeltaOffset::kBaseIndex, 0);
    for (size_t i = 0; i < files.entries.size(); ++i) count(static_cast<int64_t>(i), files.entries[i].size_bytes);
    if (!files.has_cdc()) count(DeltaOffset::kEndIndex, 0);
    if (limits->AdmitAll(num_files, size_bytes) && num_files > 0) take(version, last_index);
    return true;
  }

  /// Visits the versions from `from` on until there are no more or `visit` says false.
  template <typename Visit>
  arrow::Status Walk(const DeltaOffset& from, const Visit& visit) {
    int64_t next = from.version;
    if (from.is_initial_snapshot) {
      ARROW_ASSIGN_OR_RAISE(const VersionFiles* state, State(from.version));
      ARROW_ASSIGN_OR_RAISE(bool go_on, visit(*state));
      if (!go_on) return arrow::Status::OK();
      ++next;
    }
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const VersionFiles* files, FilesOf(next));
      if (files == nullptr) {
        ARROW_ASSIGN_OR_RAISE(int64_t skipped_to, CheckMissing(next));
        if (skipped_to < 0) return arrow::Status::OK();
        next = skipped_to;
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(bool go_on, visit(*files));
      if (!go_on) return arrow::Status::OK();
      ++next;
    }
  }

  /// A commit that is not there: -1 when it is yet to come; where it was deleted, an error, or the next one there is.
  arrow::Result<int64_t> CheckMissing(int64_t version) {
    ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr newest, table_->Update());
    if (newest->version().value < version) return -1;
    ARROW_ASSIGN_OR_RAISE(auto there, table_->ReadCommit(delta::TableVersion(version), 0));
    if (there) return version;  // it came in between
    ARROW_ASSIGN_OR_RAISE(auto listing, delta::LogListing::Read(*table_->file_system(), table_->log_path()));
    int64_t earliest = -1;
    for (delta::TableVersion commit : listing.commits()) {
      if (commit.value > version && earliest < 0) earliest = commit.value;
    }
    if (!options_.fail_on_data_loss) return earliest;
    return UserError("DELTA_MISSING_FILES_UNEXPECTED_VERSION", {{"startVersion", std::to_string(version)},
                                                                {"earliestVersion", std::to_string(earliest)},
                                                                {"option", "failOnDataLoss"}});
  }

  arrow::Result<const VersionFiles*> State(int64_t version) {
    if (state_ == nullptr || state_->version.value != version) {
      auto snapshot = table_->SnapshotAt(delta::TableVersion(version));
      if (!snapshot.ok()) {
        if (snapshot.status().IsKeyError()) return UserError("DELTA_LOG_FILE_NOT_FOUND_FOR_STREAMING_SOURCE");
        return snapshot.status();
      }
      state_ = std::make_unique<VersionFiles>(FilesOfState(std::move(*snapshot)));
    }
    return state_.get();
  }

  /// Null when the commit is not there.
  arrow::Result<const VersionFiles*> FilesOf(int64_t version) {
    auto it = recent_.find(version);
    if (it != recent_.end()) return it->second.get();
    ARROW_ASSIGN_OR_RAISE(auto read, table_->ReadCommit(delta::TableVersion(version)));
    if (!read) return nullptr;
    auto commit = std::make_shared<const delta::Commit>(std::move(*read));
    ARROW_ASSIGN_OR_RAISE(bool changes_definition, ChangesDefinition(*commit));
    bool records_changes = true;
    for (const delta::Action& action : commit->actions) {
      const auto* metadata = std::get_if<delta::Metadata>(&action);
      if (metadata == nullptr) continue;
      if (!tracks_schema()) ARROW_RETURN_NOT_OK(CheckMetadata(*metadata, version));
      records_changes = RecordsChanges(*metadata);
    }
    auto files = std::make_unique<VersionFiles>();
    if (options_.read_change_feed) {
      ARROW_ASSIGN_OR_RAISE(auto times, delta::CommitTimes(*table_, *snapshot_, delta::TableVersion(version),
                                                           delta::TableVersion(version)));
      *files = ChangesOfCommit(commit, times.empty() ? commit->modified_ms : times[0].timestamp_ms);
    } else {
      ARROW_ASSIGN_OR_RAISE(bool skip, CheckAppendOnly(*commit));
      *files = FilesOfCommit(commit, skip);
    }
    files->changes_definition = changes_definition;
    files->records_changes = records_changes;
    if (recent_.size() >= kMaxRecent) recent_.erase(recent_.begin());
    return (recent_[version] = std::move(files)).get();
  }

  bool tracks_schema() const { return schema_log_ != nullptr && schema_log_->current().has_value(); }

  TrackedSchema EntryOf(const delta::Metadata& metadata, const delta::Protocol& protocol, const types::DataType& schema,
                        int64_t version) const {
    return TrackedSchema::Of(metadata, protocol, schema, version, "file:" + request_.metadata_path);
  }

  static bool SameDefinition(const TrackedSchema& a, const TrackedSchema& b) {
    auto of_delta = [](const delta::StringMap& properties) {
      delta::StringMap kept;
      for (const auto& [key, value] : properties) {
        if (key.starts_with("delta.")) kept[key] = value;
      }
      return kept;
    };
    return a.data_schema_json == b.data_schema_json && a.partition_schema_json == b.partition_schema_json &&
           of_delta(a.configuration) == of_delta(b.configuration) && a.protocol == b.protocol;
  }

  /// The definition as a commit leaves it; none when it says nothing of it.
  arrow::Result<std::optional<TrackedSchema>> DefinitionIn(const delta::Commit& commit) const {
    const auto* metadata = &snapshot_->metadata();
    const auto* protocol = &snapshot_->protocol();
    bool found = false;
    for (const delta::Action& action : commit.actions) {
      const auto* changed_metadata = std::get_if<delta::Metadata>(&action);
      const auto* changed_protocol = std::get_if<delta::Protocol>(&action);
      if (changed_metadata != nullptr) metadata = changed_metadata;
      if (changed_protocol != nullptr) protocol = changed_protocol;
      found = found || changed_metadata != nullptr || changed_protocol != nullptr;
    }
    if (!found) return std::nullopt;
    ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, metadata->ParseSchema());
    return EntryOf(*metadata, *protocol, *schema, commit.version.value);
  }

  arrow::Result<bool> ChangesDefinition(const delta::Commit& commit) const {
    if (!tracks_schema() || commit.version.value <= schema_log_->current()->version) return false;
    ARROW_ASSIGN_OR_RAISE(std::optional<TrackedSchema> now, DefinitionIn(commit));
    return now && !SameDefinition(*now, *schema_log_->current());
  }

  /// The first entry: the table as of where the stream begins. When that is not what the query was made for, it has to
  /// be started again.
  arrow::Status BeginTracking(int64_t version) {
    ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr start, table_->SnapshotAt(delta::TableVersion(version)));
    TrackedSchema entry = EntryOf(start->metadata(), start->protocol(), *start->schema(), start->version().value);
    TrackedSchema shown = EntryOf(snapshot_->metadata(), snapshot_->protocol(), *snapshot_->schema(), 0);
    ARROW_RETURN_NOT_OK(schema_log_->Append(entry));
    recent_.clear();
    return SameDefinition(entry, shown) ? arrow::Status::OK() : SchemaEvolved(entry);
  }

  /// All files before the change are read: its entry is written, and the query has to be started again.
  arrow::Status FollowSchema(int64_t version) {
    ARROW_ASSIGN_OR_RAISE(auto commit, table_->ReadCommit(delta::TableVersion(version)));
    if (!commit) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(bool changes, ChangesDefinition(*commit));
    if (!changes) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(std::optional<TrackedSchema> now, DefinitionIn(*commit));
    ARROW_RETURN_NOT_OK(schema_log_->Append(*now));
    return SchemaEvolved(*now);
  }

  /// Whether the commit is to be passed over. Errors: what a stream of appended rows cannot follow.
  arrow::Result<bool> CheckAppendOnly(const delta::Commit& commit) const {
    const delta::Remove* removed = nullptr;
    bool adds = false;
    std::string operation;
    for (const delta::Action& action : commit.actions) {
      const auto* remove = std::get_if<delta::Remove>(&action);
      if (remove != nullptr && remove->data_change && removed == nullptr) removed = remove;
      const auto* add = std::get_if<delta::Add>(&action);
      adds = adds || (add != nullptr && add->data_change);
      if (const auto* info = std::get_if<delta::CommitInfo>(&action)) operation = OperationText(*info);
    }
    if (removed == nullptr) return false;
    bool allow_changes = options_.ignore_changes || options_.skip_change_commits;
    std::string data_path = "file:" + table_->path();
    if (adds && !allow_changes) {
      return UserError("DELTA_SOURCE_TABLE_IGNORE_CHANGES",
                       {{"changeInfo", operation.empty() ? removed->path : operation},
                        {"version", commit.version.ToString()},
                        {"dataPath", data_path}});
    }
    if (!adds && !allow_changes && !options_.ignore_deletes) {
      return UserError(
          "DELTA_SOURCE_IGNORE_DELETE",
          {{"removedFile", removed->path}, {"version", commit.version.ToString()}, {"dataPath", data_path}});
    }
    return options_.skip_change_commits;
  }

  arrow::Status CheckMetadata(const delta::Metadata& metadata, int64_t version) const {
    if (metadata.id != snapshot_->metadata().id) {
      return UserError("DIFFERENT_DELTA_TABLE_READ_BY_STREAMING_SOURCE",
                       {{"newTableId", metadata.id}, {"oldTableId", snapshot_->metadata().id}});
    }
    ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, metadata.ParseSchema());
    ARROW_RETURN_NOT_OK(CheckMapping(metadata, *schema, version));
    bool compatible = IsReadCompatible(*schema, *snapshot_->schema(), /*forbid_tightening=*/true) &&
                      metadata.partition_columns == snapshot_->metadata().partition_columns;
    if (!compatible) {
      ErrorParameters parameters{{"version", std::to_string(version)},
                                 {"readSchema", request_.schema->ToTreeString()},
                                 {"dataSchema", delta::WithoutInternalMetadata(schema)->ToTreeString()}};
      return UserError(
          options_.has_start() ? "DELTA_SCHEMA_CHANGED_WITH_STARTING_OPTIONS" : "DELTA_SCHEMA_CHANGED_WITH_VERSION",
          std::move(parameters));
    }
    return arrow::Status::OK();
  }

  // Columns renamed or dropped in between: files would be read under the wrong names.
  arrow::Status CheckMapping(const delta::Metadata& metadata, const types::DataType& schema, int64_t version) const {
    bool before = version < snapshot_->version().value;
    const delta::Metadata& older = before ? metadata : snapshot_->metadata();
    const delta::Metadata& newer = before ? snapshot_->metadata() : metadata;
    ARROW_ASSIGN_OR_RAISE(delta::ColumnMappingMode older_mode, delta::ColumnMappingModeOf(older));
    ARROW_ASSIGN_OR_RAISE(delta::ColumnMappingMode newer_mode, delta::ColumnMappingModeOf(newer));
    if (older_mode == delta::ColumnMappingMode::kNone && newer_mode == delta::ColumnMappingMode::kNone) {
      return arrow::Status::OK();
    }
    const types::DataType& older_schema = before ? schema : *snapshot_->schema();
    const types::DataType& newer_schema = before ? *snapshot_->schema() : schema;
    bool downgraded = newer_mode == delta::ColumnMappingMode::kNone;
    bool same = !downgraded && delta::CompareMappings(older_schema, newer_schema).none() &&
                older.partition_columns == newer.partition_columns;
    if (same) return arrow::Status::OK();
    return UserError("DELTA_STREAMING_INCOMPATIBLE_SCHEMA_CHANGE_USE_SCHEMA_LOG",
                     {{"docLink", "https://docs.delta.io/latest/versioning.html#column-mapping"},
                      {"readSchema", older_schema.ToJson()},
                      {"incompatibleSchema", newer_schema.ToJson()}});
  }

  /// Once: that the schema at the first version read is one we can read with ours.
  arrow::Status CheckStart(int64_t version) {
    if (start_checked_ || tracks_schema()) return arrow::Status::OK();
    auto state = table_->SnapshotAt(delta::TableVersion(version));
    if (!state.ok()) {
      // Older than what can be rebuilt, or yet to come: the commits themselves are checked.
      if (options_.read_change_feed && IsErrorCondition(state.status(), "DELTA_VERSION_NOT_FOUND")) {
        state = table_->Update();
      }
      if (!state.ok()) {
        start_checked_ = true;
        return arrow::Status::OK();
      }
    }
    ARROW_RETURN_NOT_OK(CheckMetadata((*state)->metadata(), version));
    start_checked_ = true;
    return arrow::Status::OK();
  }

  // Spark looks when it reads, not when it plans what to read: the micro-batch is in the offset log by then.
  arrow::Status CheckRecording(int64_t start, int64_t end) {
    if (recording_checked_) return arrow::Status::OK();
    auto state = table_->SnapshotAt(delta::TableVersion(start));
    if (state.ok() && !RecordsChanges((*state)->metadata())) return ChangesNotRecorded(start, start, end);
    recording_checked_ = true;
    return arrow::Status::OK();
  }

  arrow::Status CollectFiles(const DeltaOffset& from, const DeltaOffset& to, std::vector<DataFile>* files) {
    int64_t last_seen = from.version - 1;
    ARROW_RETURN_NOT_OK(Walk(from, [&](const VersionFiles& version) -> arrow::Result<bool> {
      int64_t v = version.version.value;
      if (v > to.version || (v == to.version && to.index == DeltaOffset::kBaseIndex)) return false;
      last_seen = v;
      if (options_.read_change_feed && !version.records_changes) return ChangesNotRecorded(v, from.version, to.version);
      CollectVersion(version, from, to, files);
      return to.index == DeltaOffset::kBaseIndex ? v + 1 < to.version : v < to.version;
    }));
    int64_t expected = to.index >= 0 ? to.version : to.version - 1;
    if (last_seen < expected) {
      return UserError("DELTA_STREAMING_TRAILING_COMMIT_MISSING",
                       {{"expectedVersion", std::to_string(expected)}, {"seenVersion", std::to_string(last_seen)}});
    }
    return arrow::Status::OK();
  }

  void CollectVersion(const VersionFiles& version, const DeltaOffset& from, const DeltaOffset& to,
                      std::vector<DataFile>* files) const {
    CommitChanges changes;
    changes.version = version.version;
    changes.timestamp_ms = version.timestamp_ms;
    for (size_t i = 0; i < version.entries.size(); ++i) {
      const VersionFiles::Entry& entry = version.entries[i];
      auto index = static_cast<int64_t>(i);
      if (!IsAfter(from, version.version.value, index) || !IsWithin(to, version.version.value, index)) continue;
      if (options_.exclude != nullptr && options_.exclude->Matches(entry.path())) continue;
      if (version.is_state) {
        files->push_back(ToDataFile(*version.snapshot, entry.file));
        files->back().change_type = "insert";
        files->back().commit_version = version.version.value;
        files->back().commit_timestamp_ms = version.timestamp_ms;
      } else if (entry.cdc != nullptr) {
        changes.cdc.push_back(*entry.cdc);
      } else if (entry.remove != nullptr) {
        changes.removes.push_back(*entry.remove);
      } else {
        changes.adds.push_back(*entry.add);
      }
    }
    AppendChangeFiles(*snapshot_, changes, files);
  }

  static constexpr size_t kMaxRecent = 2000;

  SourceRequest request_;
  StreamOptions options_;
  std::shared_ptr<delta::Table> table_;
  /// The state when the stream was opened: its schema is what the stream shows.
  delta::SnapshotPtr snapshot_;
  /// Null when the stream does not track its schema.
  std::unique_ptr<SchemaLog> schema_log_;
  bool available_now_ = false;
  bool ignore_limits_ = false;
  bool start_checked_ = false;
  bool recording_checked_ = false;
  std::optional<DeltaOffset> bound_;
  std::unique_ptr<VersionFiles> state_;
  /// Commits read lately: planned with, then read with.
  std::map<int64_t, std::unique_ptr<VersionFiles>> recent_;
};

}  // namespace

arrow::Result<types::DataTypePtr> DeltaStreamSchema(const SourceRequest& request) {
  ARROW_ASSIGN_OR_RAISE(TableRequest table, ParseTableRequest(request));
  if (table.is_time_travel()) return UserError("DELTA_UNSUPPORTED_TIME_TRAVEL_VIEWS");
  ARROW_ASSIGN_OR_RAISE(bool reads_changes, IsChangeFeed(request.options));
  auto newest = table.table->Update();
  if (IsErrorCondition(newest.status(), "DELTA_TABLE_NOT_FOUND")) return UserError("DELTA_SCHEMA_NOT_SET");
  ARROW_RETURN_NOT_OK(newest);
  ARROW_ASSIGN_OR_RAISE(auto schema_log, SchemaLog::Open(request, **newest));
  if (schema_log != nullptr && schema_log->current()) newest = WithTrackedSchema(*newest, *schema_log->current());
  ARROW_RETURN_NOT_OK(newest);
  types::DataTypePtr schema = ReadSchema(**newest);
  if (schema->fields().empty()) return UserError("DELTA_SCHEMA_NOT_SET");
  if (request.user_schema != nullptr && !request.user_schema->EqualsIgnoreNullability(*schema)) {
    return UserError("DELTA_READ_SOURCE_SCHEMA_CONFLICT");
  }
  return reads_changes ? ChangeFeedSchema(schema) : schema;
}

namespace {

/// A source that could not be opened: Spark opens sources when a query runs, so that is when it fails.
class FailedStream final : public MicroBatchStream {
 public:
  FailedStream(std::string description, arrow::Status failure)
      : description_(std::move(description)), failure_(std::move(failure)) {}

  arrow::Result<SourceOffset> InitialOffset() override { return failure_; }
  arrow::Result<std::optional<SourceOffset>> LatestOffset(const SourceOffset&) override { return failure_; }
  arrow::Status PrepareForAvailableNow() override { return arrow::Status::OK(); }
  arrow::Result<InputPartitions> PlanPartitions(const SourceOffset&, const SourceOffset&, const ReadColumns&) override {
    return failure_;
  }
  arrow::Status Commit(const SourceOffset&) override { return failure_; }
  std::string Description() const override { return description_; }
  void Stop() override {}

 private:
  std::string description_;
  arrow::Status failure_;
};

arrow::Result<std::unique_ptr<MicroBatchStream>> OpenStream(const SourceRequest& request, TableRequest table) {
  ARROW_ASSIGN_OR_RAISE(StreamOptions options, StreamOptions::Parse(request));
  ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr snapshot, table.table->Update());
  ARROW_RETURN_NOT_OK(SchemaLog::CheckLocation(request, table.table->path()));
  ARROW_ASSIGN_OR_RAISE(auto schema_log, SchemaLog::Open(request, *snapshot));
  if (schema_log != nullptr && schema_log->current()) {
    ARROW_RETURN_NOT_OK(schema_log->CheckUnblocked(request));
    ARROW_ASSIGN_OR_RAISE(snapshot, WithTrackedSchema(snapshot, *schema_log->current()));
  }
  // The table may have changed since the query was analysed.
  types::DataTypePtr schema = ReadSchema(*snapshot);
  if (options.read_change_feed) schema = ChangeFeedSchema(schema);
  if (!IsReadCompatible(*request.schema, *schema, /*forbid_tightening=*/false)) {
    return UserError("DELTA_SCHEMA_CHANGED",
                     {{"readSchema", request.schema->ToTreeString()}, {"dataSchema", schema->ToTreeString()}});
  }
  return std::make_unique<DeltaStream>(request, std::move(options), std::move(table), std::move(snapshot),
                                       std::move(schema_log));
}

}  // namespace

arrow::Result<std::unique_ptr<MicroBatchStream>> OpenDeltaStream(const SourceRequest& request) {
  ARROW_ASSIGN_OR_RAISE(TableRequest table, ParseTableRequest(request));
  std::string description = "DeltaSource[file:" + table.table->path() + "]";
  auto stream = OpenStream(request, std::move(table));
  if (stream.ok()) return stream;
  return std::make_unique<FailedStream>(std::move(description), stream.status());
}

}  // namespace millrace::connector::delta_table
