#include "connector/delta/change_feed.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/ascii.h"
#include "base/error.h"
#include "delta/history/commit_times.h"
#include "delta/log/log_paths.h"
#include "types/datetime_text.h"

namespace millrace::connector::delta_table {

namespace {

// A MERGE that changed no row may still have rewritten files.
bool ChangedNoRow(const delta::CommitInfo& info) {
  if (info.operation() != "MERGE") return false;
  const JsonValue* metrics = info.fields.Find("operationMetrics");
  if (metrics == nullptr) return false;
  for (const char* key : {"numTargetRowsInserted", "numTargetRowsUpdated", "numTargetRowsDeleted"}) {
    const JsonValue* value = metrics->Find(key);
    if (value == nullptr || value->AsString() != "0") return false;
  }
  return true;
}

DataFile BaseFile(const delta::Snapshot& snapshot, const CommitChanges& changes, const std::string& path,
                  const delta::PartitionValues& values, int64_t size_bytes, const char* change_type) {
  DataFile file;
  file.path = delta::DataFilePath(snapshot.table_path(), path);
  file.size_bytes = size_bytes;
  file.partition_values = PartitionTexts(snapshot, values);
  file.change_type = change_type;
  file.commit_version = changes.version.value;
  file.commit_timestamp_ms = changes.timestamp_ms;
  return file;
}

DataFile InsertedFile(const delta::Snapshot& snapshot, const CommitChanges& changes, const delta::Add& add) {
  DataFile file = BaseFile(snapshot, changes, add.path, add.partition_values, add.size_bytes, "insert");
  file.deleted = add.deletion_vector;
  return file;
}

DataFile DeletedFile(const delta::Snapshot& snapshot, const CommitChanges& changes, const delta::Remove& remove) {
  DataFile file = BaseFile(snapshot, changes, remove.path, remove.partition_values.value_or(delta::PartitionValues()),
                           remove.size_bytes.value_or(0), "delete");
  file.deleted = remove.deletion_vector;
  return file;
}

// The same file with another vector: its rows that are only in the new vector were deleted, those only in the old one
// are back.
void AppendVectorDifference(const delta::Snapshot& snapshot, const CommitChanges& changes, const delta::Add& add,
                            const delta::Remove& remove, std::vector<DataFile>* files) {
  if (add.deletion_vector) {
    DataFile gone = BaseFile(snapshot, changes, add.path, add.partition_values, add.size_bytes, "delete");
    gone.deleted = add.deletion_vector;
    gone.only_deleted = true;
    gone.except = remove.deletion_vector;
    files->push_back(std::move(gone));
  }
  if (remove.deletion_vector) {
    DataFile back = BaseFile(snapshot, changes, add.path, add.partition_values, add.size_bytes, "insert");
    back.deleted = remove.deletion_vector;
    back.only_deleted = true;
    back.except = add.deletion_vector;
    files->push_back(std::move(back));
  }
}

arrow::Status IncompatibleSchema(std::string_view condition, const delta::Snapshot& read, int64_t start, int64_t end,
                                 int64_t version) {
  return UserError(condition,
                   {{"start", std::to_string(start)},
                    {"end", std::to_string(end)},
                    {"readSchema", ReadSchema(read)->ToJson()},
                    {"readVersion", read.version().ToString()},
                    {"incompatibleVersion", std::to_string(version)},
                    {"config", "spark.databricks.delta.changeDataFeed.defaultSchemaModeForColumnMappingTable"}});
}

struct VersionRange {
  int64_t start = 0;
  int64_t end = 0;
  bool empty = false;
};

class ChangeFeedScan final : public BatchScan {
 public:
  ChangeFeedScan(SourceRequest request, TableRequest table, delta::SnapshotPtr snapshot, VersionRange range)
      : request_(std::move(request)), table_(std::move(table)), snapshot_(std::move(snapshot)), range_(range) {}

  arrow::Result<InputPartitions> PlanPartitions(const ReadColumns& columns) override {
    const ConnectorContext& context = *request_.context;
    ReadColumns unfiltered = columns;  // statistics of removed files are not kept; row groups still match the rest
    ARROW_ASSIGN_OR_RAISE(auto plan, MakeDataReadPlan(*snapshot_, *request_.schema, unfiltered, context));
    std::vector<DataFile> files;
    if (!range_.empty) ARROW_RETURN_NOT_OK(CollectFiles(&files));
    return PackDataFiles(std::move(plan), std::move(files), context);
  }

  std::string Description() const override { return "delta " + table_.table->path(); }

 private:
  arrow::Status CollectFiles(std::vector<DataFile>* files) {
    const delta::Table& table = *table_.table;
    ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr start_state, table_.table->SnapshotAt(delta::TableVersion(range_.start)));
    if (!RecordsChanges(start_state->metadata())) return ChangesNotRecorded(range_.start, range_.start, range_.end);
    ARROW_RETURN_NOT_OK(CheckSchema(*start_state->schema(), range_.start, /*is_change=*/false));
    ARROW_ASSIGN_OR_RAISE(
        std::vector<delta::CommitTime> times,
        delta::CommitTimes(table, *snapshot_, delta::TableVersion(range_.start), delta::TableVersion(range_.end)));
    std::map<int64_t, int64_t> timestamp_of;
    for (const delta::CommitTime& time : times) timestamp_of[time.version.value] = time.timestamp_ms;
    for (int64_t version = range_.start; version <= range_.end; ++version) {
      ARROW_ASSIGN_OR_RAISE(auto commit, table.ReadCommit(delta::TableVersion(version)));
      if (!commit) {
        return UserError("DELTA_VERSION_NOT_FOUND", {{"userVersion", std::to_string(version)},
                                                     {"earliest", std::to_string(range_.start)},
                                                     {"latest", snapshot_->version().ToString()}});
      }
      for (const delta::Action& action : commit->actions) {
        const auto* metadata = std::get_if<delta::Metadata>(&action);
        if (metadata == nullptr) continue;
        if (!RecordsChanges(*metadata)) return ChangesNotRecorded(version, range_.start, range_.end);
        ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, metadata->ParseSchema());
        if (version > range_.start) ARROW_RETURN_NOT_OK(CheckSchema(*schema, version, /*is_change=*/true));
      }
      AppendChangeFiles(*snapshot_, ChangesOf(*commit, timestamp_of[version]), files);
    }
    return arrow::Status::OK();
  }

  arrow::Status CheckSchema(const types::DataType& schema, int64_t version, bool is_change) const {
    bool before = version <= snapshot_->version().value;
    bool compatible = before ? IsReadCompatible(schema, *snapshot_->schema(), /*forbid_tightening=*/true)
                             : IsReadCompatible(*snapshot_->schema(), schema, /*forbid_tightening=*/false);
    if (compatible) compatible = SamePhysicalNames(schema, *snapshot_->schema());
    if (compatible) return arrow::Status::OK();
    return IncompatibleSchema(is_change ? "DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_SCHEMA_CHANGE"
                                        : "DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA",
                              *snapshot_, range_.start, range_.end, version);
  }

  // Columns that were renamed, or dropped and added again, are other columns.
  static bool SamePhysicalNames(const types::DataType& a, const types::DataType& b) {
    for (const types::StructField& field : a.fields()) {
      int index = b.FieldIndex(field.name, /*case_sensitive=*/false);
      if (index >= 0 && delta::PhysicalName(field) != delta::PhysicalName(b.fields()[static_cast<size_t>(index)])) {
        return false;
      }
    }
    return true;
  }

  SourceRequest request_;
  TableRequest table_;
  delta::SnapshotPtr snapshot_;
  VersionRange range_;
};

/// A bound of the range, by version or by time.
struct Bound {
  int64_t version = 0;
  std::optional<int64_t> timestamp_us;
};

arrow::Result<int64_t> ParseVersionOption(const std::string& text) {
  int64_t version = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size()) {
    return UserError("DELTA_VERSION_INVALID", {{"version", text}});
  }
  return version;
}

}  // namespace

CommitChanges ChangesOf(const delta::Commit& commit, int64_t timestamp_ms) {
  CommitChanges changes;
  changes.version = commit.version;
  changes.timestamp_ms = commit.in_commit_timestamp_ms().value_or(timestamp_ms);
  bool changed_no_row = false;
  for (const delta::Action& action : commit.actions) {
    if (const auto* cdc = std::get_if<delta::Cdc>(&action)) changes.cdc.push_back(*cdc);
    if (const auto* info = std::get_if<delta::CommitInfo>(&action)) changed_no_row = ChangedNoRow(*info);
  }
  if (!changes.cdc.empty() || changed_no_row) return changes;
  for (const delta::Action& action : commit.actions) {
    if (const auto* add = std::get_if<delta::Add>(&action); add != nullptr && add->data_change) {
      changes.adds.push_back(*add);
    }
    if (const auto* remove = std::get_if<delta::Remove>(&action); remove != nullptr && remove->data_change) {
      changes.removes.push_back(*remove);
    }
  }
  return changes;
}

void AppendChangeFiles(const delta::Snapshot& snapshot, const CommitChanges& changes, std::vector<DataFile>* files) {
  for (const delta::Cdc& cdc : changes.cdc) {
    files->push_back(BaseFile(snapshot, changes, cdc.path, cdc.partition_values, cdc.size_bytes, ""));
  }
  std::map<std::string_view, const delta::Remove*> removed;
  for (const delta::Remove& remove : changes.removes) removed[remove.path] = &remove;
  for (const delta::Add& add : changes.adds) {
    auto it = removed.find(add.path);
    if (it == removed.end()) {
      files->push_back(InsertedFile(snapshot, changes, add));
    } else {
      AppendVectorDifference(snapshot, changes, add, *it->second, files);
      removed.erase(it);
    }
  }
  for (const delta::Remove& remove : changes.removes) {
    if (removed.count(remove.path) > 0) files->push_back(DeletedFile(snapshot, changes, remove));
  }
}

arrow::Status ChangesNotRecorded(int64_t version, int64_t start, int64_t end) {
  return UserError("DELTA_MISSING_CHANGE_DATA", {{"startVersion", std::to_string(start)},
                                                 {"endVersion", std::to_string(end)},
                                                 {"version", std::to_string(version)},
                                                 {"key", "delta.enableChangeDataFeed"}});
}

bool RecordsChanges(const delta::Metadata& metadata) {
  return EqualsIgnoreCase(metadata.Property("delta.enableChangeDataFeed").value_or("false"), "true");
}

arrow::Result<delta::TableVersion> StartingVersionFromTimestamp(const delta::Table& table,
                                                                const delta::Snapshot& newest, int64_t timestamp_us,
                                                                const ConnectorContext& context) {
  int64_t timestamp_ms = types::FloorDiv(timestamp_us, 1000);
  ARROW_ASSIGN_OR_RAISE(
      delta::CommitTime commit,
      delta::CommitAtTime(table, newest, timestamp_ms,
                          {.can_return_last = true, .must_be_recreatable = false, .can_return_earliest = true},
                          *context.time_zone));
  if (commit.timestamp_ms >= timestamp_ms) return commit.version;
  bool can_exceed =
      context.conf("spark.databricks.delta.changeDataFeed.timestampOutOfRange.enabled").value_or("false") == "true";
  if (commit.version < newest.version() || can_exceed) return commit.version.Next();
  // Asked again without leave to go beyond the newest commit, for the error.
  ARROW_ASSIGN_OR_RAISE(
      commit, delta::CommitAtTime(table, newest, timestamp_ms, {.must_be_recreatable = false}, *context.time_zone));
  return commit.version;
}

arrow::Result<std::unique_ptr<BatchScan>> OpenChangeFeedScan(const SourceRequest& request, TableRequest table) {
  const ConnectorContext& context = *request.context;
  const Options& options = request.options;
  ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr snapshot, table.table->Update());
  Bound start, end{snapshot->version().value, std::nullopt};
  if (auto text = options.Get("startingVersion")) {
    ARROW_ASSIGN_OR_RAISE(start.version, ParseVersionOption(*text));
  } else if (auto time = options.Get("startingTimestamp")) {
    ARROW_ASSIGN_OR_RAISE(start.timestamp_us, ParseTimestampOption(*time, *context.time_zone));
    ARROW_ASSIGN_OR_RAISE(delta::TableVersion version,
                          StartingVersionFromTimestamp(*table.table, *snapshot, *start.timestamp_us, context));
    start.version = version.value;
  } else {
    return UserError("DELTA_NO_START_FOR_CDC_READ");
  }
  bool out_of_range =
      context.conf("spark.databricks.delta.changeDataFeed.timestampOutOfRange.enabled").value_or("false") == "true";
  bool has_end = true;
  if (auto text = options.Get("endingVersion")) {
    ARROW_ASSIGN_OR_RAISE(end.version, ParseVersionOption(*text));
  } else if (auto time = options.Get("endingTimestamp")) {
    ARROW_ASSIGN_OR_RAISE(end.timestamp_us, ParseTimestampOption(*time, *context.time_zone));
    ARROW_ASSIGN_OR_RAISE(delta::CommitTime commit,
                          delta::CommitAtTime(*table.table, *snapshot, types::FloorDiv(*end.timestamp_us, 1000),
                                              {.can_return_last = out_of_range}, *context.time_zone));
    end.version = commit.version.value;
  } else {
    has_end = false;
  }
  VersionRange range{start.version, end.version, false};
  if (range.start > snapshot->version().value) {
    if (!out_of_range) {
      return UserError("DELTA_CDC_START_VERSION_AFTER_LATEST",
                       {{"start", std::to_string(range.start)}, {"latest", snapshot->version().ToString()}});
    }
    range.empty = true;
  }
  if (has_end && !range.empty) {
    bool both_times = start.timestamp_us && end.timestamp_us;
    auto backwards = UserError("DELTA_INVALID_CDC_RANGE",
                               {{"start", std::to_string(range.start)}, {"end", std::to_string(range.end)}});
    if (both_times && *start.timestamp_us > *end.timestamp_us) return backwards;
    if (both_times && range.end == range.start - 1) {
      range.empty = true;
    } else if (range.end < range.start) {
      return backwards;
    }
  }
  range.end = std::min(range.end, snapshot->version().value);
  if (!range.empty) {
    arrow::Status exists =
        delta::CheckVersionExists(*table.table, *snapshot, range.start, /*must_be_recreatable=*/false,
                                  /*allow_beyond_newest=*/false)
            .status();
    if (range.start <= snapshot->version().value && IsErrorCondition(exists, "DELTA_VERSION_NOT_FOUND")) {
      return UserError("DELTA_LOG_FILE_NOT_FOUND", {{"version", std::to_string(range.start)},
                                                    {"checkpointVersion", "-1"},
                                                    {"logPath", "file:" + table.table->log_path()}});
    }
    ARROW_RETURN_NOT_OK(exists);
    // Where the first state cannot be rebuilt its commits may still be read, and there is nothing to ask.
    auto first = table.table->SnapshotAt(delta::TableVersion(range.start));
    if (first.ok()) ARROW_RETURN_NOT_OK(CheckRetention(**first, *snapshot, context));
  }
  return std::make_unique<ChangeFeedScan>(request, std::move(table), std::move(snapshot), range);
}

}  // namespace millrace::connector::delta_table
