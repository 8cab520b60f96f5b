#include <arrow/array.h>
#include <arrow/builder.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <variant>

#include "analyzer/delta_message.h"
#include "analyzer/name_resolution.h"
#include "analyzer/relation_resolver.h"
#include "base/ascii.h"
#include "base/error.h"
#include "base/json_value.h"
#include "connector/delta/table_request.h"
#include "delta/history/commit_times.h"
#include "delta/schema/clustering.h"
#include "delta/table.h"
#include "format/json/json_decoder.h"
#include "logical/node/local_relation.h"
#include "logical/node/source_scan.h"
#include "spark/connect/relations.pb.h"
#include "types/arrow_type.h"
#include "types/datetime_text.h"

/// What the DeltaTable class of Delta's Python package asks for: forPath and forName (a scan), history, detail,
/// isDeltaTable.

namespace millrace::analyzer {

namespace {

using spark::connect::Relation;

std::string NameOf(int field) {
  switch (field) {
    case kConvertToDelta:
      return "convertToDelta";
    case kRestoreTable:
      return "restoreToVersion";
    case kDeleteFromTable:
      return "delete";
    case kUpdateTable:
      return "update";
    case kMergeIntoTable:
      return "merge";
    case kOptimizeTable:
      return "optimize";
    default:
      return "operation " + std::to_string(field);
  }
}

arrow::Result<PlanPtr> Scan(RelationResolver& resolver, const DeltaTableName& table) {
  Relation read;
  if (!table.name.empty()) {
    read.mutable_read()->mutable_named_table()->set_unparsed_identifier(table.name);
  } else {
    read.mutable_read()->mutable_data_source()->set_format("delta");
    read.mutable_read()->mutable_data_source()->add_paths(table.path);
  }
  return resolver.Resolve(read);
}

struct OpenTable {
  std::shared_ptr<delta::Table> table;
  std::string name;
};

arrow::Result<OpenTable> Open(RelationResolver& resolver, const DeltaTableName& name) {
  ARROW_ASSIGN_OR_RAISE(PlanPtr plan, Scan(resolver, name));
  const logical::SourceScan* scan = nullptr;
  logical::VisitPlan(*plan, [&](const logical::Plan& node) {
    if (node.kind() == logical::NodeKind::kSourceScan) scan = static_cast<const logical::SourceScan*>(&node);
  });
  if (scan == nullptr || scan->def().name != "delta") {
    return UserError("DELTA_TABLE_ONLY_OPERATION", {{"operation", "DeltaTable"}, {"tableName", name.name}});
  }
  ARROW_ASSIGN_OR_RAISE(auto request, connector::delta_table::ParseTableRequest(*scan->request()));
  OpenTable open{std::move(request.table), ""};
  if (!name.name.empty()) {
    ARROW_ASSIGN_OR_RAISE(std::vector<std::string> parts, ParseNameParts(name.name));
    catalog::TablePtr table = resolver.context().catalog->FindTable(parts);
    open.name = table == nullptr ? name.name : fmt::format("{}", fmt::join(table->FullName(), "."));
  }
  return open;
}

// Rows given as JSON records of `ddl`.
arrow::Result<PlanPtr> RowsOf(RelationResolver& resolver, const char* ddl, const std::vector<JsonValue>& records) {
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, types::ParseSchemaDdl(ddl));
  arrow::StringBuilder texts;
  for (const JsonValue& record : records) ARROW_RETURN_NOT_OK(texts.Append(record.ToString()));
  ARROW_ASSIGN_OR_RAISE(auto array, texts.Finish());
  format::JsonDecoderConfig config{.schema = schema};
  ARROW_ASSIGN_OR_RAISE(auto decoder,
                        format::JsonDecoder::Make(std::move(config), resolver.context().eval.memory_pool));
  ARROW_ASSIGN_OR_RAISE(format::DecodedJson decoded, decoder->Decode(*array));
  const auto& columns = static_cast<const arrow::StructArray&>(*decoded.values);
  auto partitions = std::make_shared<std::vector<logical::LocalRelation::Partition>>(1);
  (*partitions)[0].push_back(
      arrow::RecordBatch::Make(types::ToArrowSchema(*schema), columns.length(), columns.fields()));
  AttributeVector output;
  for (const types::StructField& field : schema->fields()) {
    output.push_back(std::make_shared<expression::AttributeReference>(expression::NextAttributeId(), field.name,
                                                                      field.type, field.nullable));
  }
  return std::make_shared<logical::LocalRelation>(std::move(output), std::move(partitions));
}

std::string IsoTime(int64_t millis) {
  std::string text;
  types::AppendTimestamp(millis * 1000, *types::TimeZone::Utc(), &text);
  std::replace(text.begin(), text.end(), ' ', 'T');
  return text + "Z";
}

// Values that are no text are shown as JSON.
JsonValue AsTexts(const JsonValue* object) {
  if (object == nullptr || !object->is_object()) return {};
  JsonValue texts = JsonValue::Object();
  for (const auto& [key, value] : object->members()) {
    texts.Set(key, value.is_string() || value.is_null() ? value : JsonValue::String(value.ToString()));
  }
  return texts;
}

constexpr const char* kHistoryColumns =
    "version BIGINT, timestamp TIMESTAMP, userId STRING, userName STRING, operation STRING, operationParameters "
    "MAP<STRING, STRING>, job STRUCT<jobId: STRING, jobName: STRING, jobRunId: STRING, runId: STRING, jobOwnerId: "
    "STRING, triggerType: STRING>, notebook STRUCT<notebookId: STRING>, clusterId STRING, readVersion BIGINT, "
    "isolationLevel STRING, isBlindAppend BOOLEAN, operationMetrics MAP<STRING, STRING>, userMetadata STRING, "
    "engineInfo "
    "STRING";

// Newest first. Source: Delta, DeltaHistoryManager.getHistory.
arrow::Result<PlanPtr> History(RelationResolver& resolver, const DeltaTableName& name) {
  ARROW_ASSIGN_OR_RAISE(OpenTable open, Open(resolver, name));
  ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr snapshot, open.table->Update());
  ARROW_ASSIGN_OR_RAISE(std::vector<delta::CommitTime> times,
                        delta::CommitTimes(*open.table, *snapshot, delta::TableVersion(0), snapshot->version()));
  std::vector<JsonValue> records;
  for (auto it = times.rbegin(); it != times.rend(); ++it) {
    JsonValue record = JsonValue::Object();
    record.Set("version", JsonValue::Number(it->version.value));
    record.Set("timestamp", JsonValue::String(IsoTime(it->timestamp_ms)));
    ARROW_ASSIGN_OR_RAISE(auto commit, open.table->ReadCommit(it->version));
    if (commit) {
      for (const delta::Action& action : commit->actions) {
        const auto* info = std::get_if<delta::CommitInfo>(&action);
        if (info == nullptr) continue;
        for (const auto& [key, value] : info->fields.members()) {
          if (key == "timestamp" || key == "version" || key == "operationParameters" || key == "operationMetrics")
            continue;
          record.Set(key, value);
        }
        record.Set("operationParameters", AsTexts(info->fields.Find("operationParameters")));
        record.Set("operationMetrics", AsTexts(info->fields.Find("operationMetrics")));
      }
    }
    records.push_back(std::move(record));
  }
  return RowsOf(resolver, kHistoryColumns, records);
}

constexpr const char* kDetailColumns =
    "format STRING, id STRING, name STRING, description STRING, location STRING, createdAt TIMESTAMP, lastModified "
    "TIMESTAMP, partitionColumns ARRAY<STRING>, clusteringColumns ARRAY<STRING>, numFiles BIGINT, sizeInBytes BIGINT, "
    "properties MAP<STRING, STRING>, minReaderVersion INT, minWriterVersion INT, tableFeatures ARRAY<STRING>";

JsonValue TextsOf(const std::vector<std::string>& texts) {
  std::vector<JsonValue> elements;
  for (const std::string& text : texts) elements.push_back(JsonValue::String(text));
  return JsonValue::Array(std::move(elements));
}

JsonValue TextOrNull(const std::optional<std::string>& text) { return text ? JsonValue::String(*text) : JsonValue(); }

// What versions before table features stand for. Source: Delta protocol, "Supported Features".
std::vector<std::string> ImpliedFeatures(const delta::Protocol& protocol) {
  static constexpr struct {
    int writer_version;
    const char* name;
  } kImplied[] = {{2, "appendOnly"},       {2, "invariants"},    {3, "checkConstraints"}, {4, "changeDataFeed"},
                  {4, "generatedColumns"}, {5, "columnMapping"}, {6, "identityColumns"}};
  std::vector<std::string> features;
  if (protocol.writer_features) return features;
  for (const auto& implied : kImplied) {
    if (protocol.min_writer_version >= implied.writer_version) features.push_back(implied.name);
  }
  return features;
}

// Source: Delta, DescribeDeltaDetailCommand.
arrow::Result<PlanPtr> Detail(RelationResolver& resolver, const DeltaTableName& name) {
  ARROW_ASSIGN_OR_RAISE(OpenTable open, Open(resolver, name));
  ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr snapshot, open.table->Update());
  const delta::Metadata& metadata = snapshot->metadata();
  const delta::Protocol& protocol = snapshot->protocol();
  JsonValue properties = JsonValue::Object();
  for (const auto& [key, value] : metadata.configuration) properties.Set(key, JsonValue::String(value));
  std::vector<std::string> features = ImpliedFeatures(protocol);
  for (const auto& list : {protocol.reader_features, protocol.writer_features}) {
    if (list) features.insert(features.end(), list->begin(), list->end());
  }
  std::sort(features.begin(), features.end());
  features.erase(std::unique(features.begin(), features.end()), features.end());
  std::vector<std::string> clustering;
  for (const auto& column : delta::ClusteringColumns(*snapshot).value_or(std::vector<delta::ColumnPath>())) {
    clustering.push_back(delta::PathText(column));
  }
  JsonValue record = JsonValue::Object();
  record.Set("format", JsonValue::String("delta"))
      .Set("id", JsonValue::String(metadata.id))
      .Set("name", open.name.empty() ? TextOrNull(metadata.name) : JsonValue::String(open.name))
      .Set("description", TextOrNull(metadata.description))
      .Set("location", JsonValue::String("file:" + open.table->path()))
      .Set("createdAt", metadata.created_time_ms ? JsonValue::String(IsoTime(*metadata.created_time_ms)) : JsonValue())
      .Set("lastModified", JsonValue::String(IsoTime(snapshot->timestamp_ms())))
      .Set("partitionColumns", TextsOf(metadata.partition_columns))
      .Set("clusteringColumns", TextsOf(clustering))
      .Set("numFiles", JsonValue::Number(snapshot->files().num_files()))
      .Set("sizeInBytes", JsonValue::Number(snapshot->files().total_size_bytes()))
      .Set("properties", std::move(properties))
      .Set("minReaderVersion", JsonValue::Number(int64_t{protocol.min_reader_version}))
      .Set("minWriterVersion", JsonValue::Number(int64_t{protocol.min_writer_version}))
      .Set("tableFeatures", TextsOf(features));
  return RowsOf(resolver, kDetailColumns, {record});
}

arrow::Result<PlanPtr> IsDeltaTable(RelationResolver& resolver, const DeltaMessage& message) {
  delta::TableCache tables(resolver.context().connector->file_system);
  bool exists = false;
  // A directory inside of a table is of one too. Source: delta-spark's DeltaTableUtils.findDeltaTableRoot.
  std::string path = AbsolutePath(LocalPath(message.Bytes(1)));
  while (!exists && path.size() > 1) {
    ARROW_ASSIGN_OR_RAISE(exists, tables.Open(path)->Exists());
    path.erase(std::max<size_t>(path.rfind('/'), 1));
  }
  return RowsOf(resolver, "value BOOLEAN", {JsonValue::Object().Set("value", JsonValue::Bool(exists))});
}

// Delta's own words for a name behind which there is no table of its.
arrow::Status NoDeltaTable(const arrow::Status& failure, const DeltaTableName& table, int kind) {
  bool missing = IsErrorCondition(failure, "PATH_NOT_FOUND") || IsErrorCondition(failure, "DELTA_TABLE_NOT_FOUND") ||
                 IsErrorCondition(failure, "TABLE_OR_VIEW_NOT_FOUND");
  if (!missing) return failure;
  std::string name = QuoteIdentifier(table.path);
  if (!table.name.empty()) {
    ARROW_ASSIGN_OR_RAISE(std::vector<std::string> parts, ParseNameParts(table.name));
    bool by_path = parts.size() == 2 && EqualsIgnoreCase(parts[0], "delta");
    name = by_path ? QuoteIdentifier(parts[1]) : QuoteNameParts(parts);
  }
  bool named = table.name.find('/') == std::string::npos && !table.name.empty();
  if (kind == kDescribeHistory && named && IsErrorCondition(failure, "TABLE_OR_VIEW_NOT_FOUND")) return failure;
  if (kind != kDescribeHistory) return UserError("DELTA_MISSING_DELTA_TABLE", {{"tableName", name}});
  return UserError("DELTA_TABLE_ONLY_OPERATION", {{"tableName", name}, {"operation", "DESCRIBE HISTORY"}});
}

arrow::Result<PlanPtr> RunOn(RelationResolver& resolver, const DeltaTableName& table, int kind) {
  if (kind == kDescribeHistory) return History(resolver, table);
  if (kind == kDescribeDetail) return Detail(resolver, table);
  return Scan(resolver, table);
}

}  // namespace

arrow::Result<PlanPtr> ResolveExtension(RelationResolver& resolver, const Relation& relation) {
  ARROW_ASSIGN_OR_RAISE(DeltaEnvelope envelope, OpenDeltaRelation(relation.extension()));
  int kind = envelope.kind;
  const DeltaMessage& message = envelope.message;
  if (kind == kIsDeltaTable) return IsDeltaTable(resolver, message);
  if (kind != kScan && kind != kDescribeHistory && kind != kDescribeDetail) {
    // What changes a table runs where a plan's rows are asked for (session/delta_changes.cc), not inside of a plan.
    return NotSupported("DeltaTable." + NameOf(kind) + " as a part of a query");
  }
  ARROW_ASSIGN_OR_RAISE(DeltaTableName table, DeltaTableOf(message));
  arrow::Result<PlanPtr> rows = RunOn(resolver, table, kind);
  return rows.ok() ? std::move(rows) : NoDeltaTable(rows.status(), table, kind);
}

}  // namespace millrace::analyzer
