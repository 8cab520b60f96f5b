#include "base/error.h"
#include "connector/delta/change_feed.h"
#include "connector/delta/delta_stream.h"
#include "connector/delta/pinned_table.h"
#include "connector/delta/row_metadata.h"
#include "connector/delta/table_request.h"
#include "delta/skipping/file_selection.h"

namespace millrace::connector {

namespace {

using namespace delta_table;  // NOLINT: the record below is all there is

constexpr OptionDef kOptions[] = {
    {"path", "", "Directory of the table; path@v12 and path@20240131235959000 name a point in time."},
    {"versionAsOf", "", "Batch: the table as it was at this version."},
    {"timestampAsOf", "", "Batch: the table as it was at this time."},
    {"readChangeFeed", "false",
     "Read the rows that commits changed, with _change_type, _commit_version, "
     "_commit_timestamp."},
    {"startingVersion", "", "Change feed, streams: the first version read; streams: or 'latest'."},
    {"startingTimestamp", "", "Change feed, streams: the first version at or after this time."},
    {"endingVersion", "", "Batch change feed: the last version read."},
    {"endingTimestamp", "", "Batch change feed: the last version not after this time."},
    {"maxFilesPerTrigger", "1000", "Streams: at most so many files in a micro-batch."},
    {"maxBytesPerTrigger", "", "Streams: files of about so many bytes in a micro-batch, one at least."},
    {"ignoreDeletes", "false", "Streams: commits that only remove files are no error."},
    {"ignoreChanges", "false", "Streams: files that commits rewrote are read as new ones."},
    {"skipChangeCommits", "false", "Streams: commits that remove or rewrite files are passed over."},
    {"excludeRegex", "", "Streams: files whose path has a part of this pattern are not read."},
    {"schemaTrackingLocation", "",
     "Streams: a directory below the checkpoint that keeps the schema read with, over columns renamed or dropped."},
    {"streamingSourceTrackingId", "", "Streams: tells sources apart that share a schemaTrackingLocation."},
    {"allowSourceColumnRename", "",
     "Streams with schemaTrackingLocation: 'always', or the version whose renamed columns are gone past."},
    {"allowSourceColumnDrop", "", "The same for dropped columns."},
    {"allowSourceColumnTypeChange", "", "The same for widened types."},
    {"failOnDataLoss", "true", "Streams: commits that were deleted before they were read are an error."},
};

class DeltaScan final : public BatchScan {
 public:
  DeltaScan(SourceRequest request, delta::SnapshotPtr snapshot)
      : request_(std::move(request)), snapshot_(std::move(snapshot)) {}

  arrow::Result<InputPartitions> PlanPartitions(const ReadColumns& columns) override {
    const ConnectorContext& context = *request_.context;
    const PinnedTable* pinned = PinnedTableOf(request_);
    ARROW_ASSIGN_OR_RAISE(auto plan, MakeDataReadPlan(*snapshot_, *request_.schema, columns, context,
                                                      /*tells_places=*/pinned != nullptr));
    std::vector<DataFile> files;
    for (const delta::FileRef& file : delta::SelectFiles(*snapshot_, plan->filter, *context.time_zone)) {
      if (pinned != nullptr) pinned->NoteRead(file.columns->path(file.row));
      files.push_back(ToDataFile(*snapshot_, file));
    }
    return PackDataFiles(std::move(plan), std::move(files), context);
  }

  std::string Description() const override {
    return "delta " + snapshot_->table_path() + "@v" + snapshot_->version().ToString();
  }

 private:
  SourceRequest request_;
  delta::SnapshotPtr snapshot_;
};

arrow::Result<types::DataTypePtr> Schema(const SourceRequest& request) {
  if (request.streaming) return DeltaStreamSchema(request);
  ARROW_ASSIGN_OR_RAISE(TableRequest table, ParseTableRequest(request));
  ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr snapshot, OpenSnapshot(table, *request.context));
  types::DataTypePtr schema = ReadSchema(*snapshot);
  if (request.user_schema != nullptr) return UserError("_LEGACY_ERROR_TEMP_2242", {{"provider", "DeltaDataSource"}});
  ARROW_ASSIGN_OR_RAISE(bool feed, IsChangeFeed(request.options));
  if (schema->fields().empty()) {
    return UserError("DELTA_READ_TABLE_WITHOUT_COLUMNS",
                     {{"tableName", QuoteNameParts({"delta", "file:" + snapshot->table_path()})}});
  }
  if (!feed) return schema;
  if (table.is_time_travel()) return UserError("DELTA_UNSUPPORTED_TIME_TRAVEL_VIEWS");
  return ChangeFeedSchema(schema);
}

arrow::Result<std::unique_ptr<BatchScan>> OpenBatch(const SourceRequest& request) {
  if (const PinnedTable* pinned = PinnedTableOf(request)) {
    return std::make_unique<DeltaScan>(request, pinned->snapshot());
  }
  ARROW_ASSIGN_OR_RAISE(TableRequest table, ParseTableRequest(request));
  ARROW_ASSIGN_OR_RAISE(bool feed, IsChangeFeed(request.options));
  if (feed) return OpenChangeFeedScan(request, std::move(table));
  ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr snapshot, OpenSnapshot(table, *request.context));
  // A static side of a stream is opened anew for each micro-batch, and the table may have changed.
  types::DataTypePtr schema = ReadSchema(*snapshot);
  if (!IsReadCompatible(*request.schema, *schema, /*forbid_tightening=*/false)) {
    return UserError("DELTA_SCHEMA_CHANGE_SINCE_ANALYSIS",
                     {{"schemaDiff", "Schema at analysis:\n" + request.schema->ToTreeString() + "\nSchema now:\n" +
                                         schema->ToTreeString()},
                      {"legacyFlagMessage", ""}});
  }
  return std::make_unique<DeltaScan>(request, std::move(snapshot));
}

arrow::Result<types::DataTypePtr> MetadataColumn(const SourceRequest& request) {
  if (const PinnedTable* pinned = PinnedTableOf(request)) return RowPlaceType(*pinned->snapshot());
  ARROW_ASSIGN_OR_RAISE(bool feed, IsChangeFeed(request.options));
  if (request.streaming || feed) return nullptr;
  ARROW_ASSIGN_OR_RAISE(TableRequest table, ParseTableRequest(request));
  ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr snapshot, OpenSnapshot(table, *request.context));
  return RowMetadataType(*snapshot);
}

}  // namespace

extern const SourceDef kDeltaSource;
const SourceDef kDeltaSource = {
    .name = "delta",
    .description = "Reads Delta Lake tables.",
    .options = kOptions,
    .schema = &Schema,
    .open_batch = &OpenBatch,
    .open_stream = &OpenDeltaStream,
    .metadata_column = &MetadataColumn,
    .low_latency = {.class_name = "org.apache.spark.sql.delta.sources.DeltaSource"},
};

}  // namespace millrace::connector
