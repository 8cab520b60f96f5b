#include "connector/delta/schema_log.h"

#include <algorithm>
#include <charconv>

#include "base/ascii.h"
#include "base/error.h"
#include "base/json_value.h"
#include "delta/action/action.h"
#include "delta/schema/column_mapping.h"
#include "delta/schema/mapping_changes.h"
#include "delta/schema/type_widening.h"

namespace millrace::connector::delta_table {

namespace delta = millrace::delta;

namespace {

constexpr std::string_view kSerialVersion = "v1";
constexpr std::string_view kConfPrefix = "spark.databricks.delta.streaming.";

std::optional<std::string> LocationOption(const Options& options) {
  auto location = options.Get("schemaTrackingLocation");
  return location ? location : options.Get("schemaLocation");
}

std::string LogDirectory(const Options& options, const std::string& table) {
  std::string name = "_schema_log_" + table;
  if (auto id = options.Get("streamingSourceTrackingId")) name += "_" + *id;
  return JoinPath(AbsolutePath(LocalPath(*LocationOption(options))), name);
}

std::string ProtocolJson(const delta::Protocol& protocol) { return delta::ToJsonLine(delta::Action(protocol)); }

arrow::Status Undecodable(const std::string& location) {
  return UserError("DELTA_STREAMING_SCHEMA_LOG_DESERIALIZE_FAILED", {{"location", location}});
}

// Java's String.hashCode: part of the names of settings that let one query go on.
int32_t JavaHash(const std::string& text) {
  uint32_t hash = 0;
  for (char c : text) hash = 31 * hash + static_cast<unsigned char>(c);
  return static_cast<int32_t>(hash);
}

// Widened columns, by their names in files, as the error lists them.
void CollectWidened(const types::DataType& older, const types::DataType& newer, const delta::ColumnPath& path,
                    std::string* lines) {
  if (older.id() == types::TypeId::kStruct && newer.id() == types::TypeId::kStruct) {
    for (const types::StructField& field : older.fields()) {
      for (const types::StructField& now : newer.fields()) {
        if (delta::PhysicalName(field) != delta::PhysicalName(now)) continue;
        delta::ColumnPath below = path;
        below.push_back(delta::PhysicalName(now));
        CollectWidened(*field.type, *now.type, below, lines);
      }
    }
  } else if (!older.is_nested() && !newer.is_nested() && !older.Equals(newer) && delta::CanWiden(older, newer)) {
    *lines += (lines->empty() ? "" : "\n") + ("'" + delta::PathText(path)) + "': " + older.Sql() + " -> " + newer.Sql();
  }
}

/// What the last change did, and what must be said to go past it.
struct NonAdditiveChange {
  std::string name;
  std::string details;
  std::vector<std::string> options;
  std::vector<std::string> confs;
  bool renames = false, drops = false, widens = false;
};

NonAdditiveChange Describe(const types::DataType& older, const types::DataType& newer) {
  NonAdditiveChange change;
  delta::MappingChanges mapping = delta::CompareMappings(older, newer);
  std::string renamed, dropped, widened;
  for (const auto& [from, to] : mapping.renamed) {
    renamed += (renamed.empty() ? "'" : "\n'") + delta::PathText(from) + "' -> '" + delta::PathText(to) + "'";
  }
  for (const auto& column : mapping.dropped) {
    dropped += (dropped.empty() ? "'" : ", '") + delta::PathText(column) + "'";
  }
  CollectWidened(older, newer, {}, &widened);
  change.renames = !renamed.empty();
  change.drops = !dropped.empty();
  change.widens = !widened.empty();
  if (change.renames) change.details += "Columns renamed:\n" + renamed + "\n";
  if (change.drops) change.details += "Columns dropped:\n" + dropped + "\n";
  if (change.widens) change.details += "Columns with widened types:\n" + widened + "\n";
  if (change.renames && change.drops && change.widens) {
    change.name = "RENAME, DROP AND TYPE WIDENING";
  } else if (change.renames && change.drops) {
    change.name = "RENAME AND DROP COLUMN";
  } else if (change.renames) {
    change.name = change.widens ? "RENAME AND TYPE WIDENING" : "RENAME COLUMN";
  } else if (change.drops) {
    change.name = change.widens ? "DROP AND TYPE WIDENING" : "DROP COLUMN";
  } else if (change.widens) {
    change.name = "TYPE WIDENING";
  }
  if (change.renames) change.options.emplace_back("allowSourceColumnRename");
  if (change.drops) change.options.emplace_back("allowSourceColumnDrop");
  if (change.renames && change.drops) {
    change.confs.emplace_back("allowSourceColumnRenameAndDrop");
  } else {
    change.confs = change.options;
  }
  if (change.widens) {
    change.options.emplace_back("allowSourceColumnTypeChange");
    change.confs.emplace_back("allowSourceColumnTypeChange");
  }
  return change;
}

class Unblocking {
 public:
  Unblocking(const SourceRequest& request, int64_t version, int32_t hash)
      : request_(request), version_(std::to_string(version)), hash_(std::to_string(hash)) {}

  bool Allows(const NonAdditiveChange& change) const {
    bool both = Conf("allowSourceColumnRenameAndDrop");
    return (!change.renames || Said("allowSourceColumnRename") || both) &&
           (!change.drops || Said("allowSourceColumnDrop") || both) &&
           (!change.widens || Said("allowSourceColumnTypeChange"));
  }

 private:
  bool Conf(const std::string& name) const {
    auto is = [&](const std::string& key, std::string_view wanted) {
      auto value = request_.context->conf(key);
      return value && EqualsIgnoreCase(*value, wanted);
    };
    std::string key = std::string(kConfPrefix) + name;
    return is(key, "always") || is(key + ".ckpt_" + hash_, "always") || is(key + ".ckpt_" + hash_, version_);
  }
  bool Said(const std::string& name) const {
    auto option = request_.options.Get(name);
    return (option && (*option == "always" || *option == version_)) || Conf(name);
  }

  const SourceRequest& request_;
  std::string version_;
  std::string hash_;
};

std::string Lines(const std::vector<std::string>& names, const std::string& before, const std::string& after) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : "\n") + before + name + after;
  return text;
}

}  // namespace

TrackedSchema TrackedSchema::Of(const delta::Metadata& metadata, const delta::Protocol& protocol,
                                const types::DataType& schema, int64_t version, std::string source_path) {
  TrackedSchema entry;
  entry.table_id = metadata.id;
  entry.version = version;
  entry.data_schema_json = metadata.schema_string;
  std::vector<types::StructField> partitions;
  for (const std::string& name : metadata.partition_columns) {
    int index = schema.FieldIndex(name, /*case_sensitive=*/true);
    if (index >= 0) partitions.push_back(schema.fields()[static_cast<size_t>(index)]);
  }
  entry.partition_schema_json = types::Struct(std::move(partitions))->ToJson();
  entry.source_path = std::move(source_path);
  entry.configuration = metadata.configuration;
  entry.protocol = protocol;
  return entry;
}

std::string TrackedSchema::ToText() const {
  JsonValue json = JsonValue::Object();
  json.Set("tableId", JsonValue::String(table_id));
  json.Set("deltaCommitVersion", JsonValue::Number(version));
  json.Set("dataSchemaJson", JsonValue::String(data_schema_json));
  json.Set("partitionSchemaJson", JsonValue::String(partition_schema_json));
  json.Set("sourceMetadataPath", JsonValue::String(source_path));
  JsonValue properties = JsonValue::Object();
  for (const auto& [key, value] : configuration) properties.Set(key, JsonValue::String(value));
  json.Set("tableConfigurations", std::move(properties));
  if (protocol) json.Set("protocolJson", JsonValue::String(ProtocolJson(*protocol)));
  return std::string(kSerialVersion) + "\n" + json.ToString();
}

arrow::Result<TrackedSchema> TrackedSchema::Parse(const std::string& text, const std::string& location) {
  size_t line = text.find('\n');
  if (line == std::string::npos || text.substr(0, line) != kSerialVersion) return Undecodable(location);
  auto json = ParseJson(std::string_view(text).substr(line + 1));
  if (!json.ok() || !json->is_object()) return Undecodable(location);
  auto text_of = [&](std::string_view key) {
    const JsonValue* value = json->Find(key);
    return value == nullptr ? std::string() : value->AsString();
  };
  TrackedSchema entry;
  entry.table_id = text_of("tableId");
  const JsonValue* version = json->Find("deltaCommitVersion");
  entry.version = version == nullptr ? 0 : version->AsInt64();
  entry.data_schema_json = text_of("dataSchemaJson");
  entry.partition_schema_json = text_of("partitionSchemaJson");
  entry.source_path = text_of("sourceMetadataPath");
  if (const JsonValue* properties = json->Find("tableConfigurations")) {
    for (const auto& [key, value] : properties->members()) entry.configuration[key] = value.AsString();
  }
  std::string protocol = text_of("protocolJson");
  if (protocol.empty()) return entry;
  delta::ActionParser parser(delta::kKinds<delta::Protocol>);
  auto actions = parser.ParseLines(protocol, location);
  if (!actions.ok() || actions->empty()) return Undecodable(location);
  entry.protocol = std::get<delta::Protocol>((*actions)[0]);
  return entry;
}

arrow::Result<std::unique_ptr<SchemaLog>> SchemaLog::Open(const SourceRequest& request, const delta::Snapshot& table) {
  if (!LocationOption(request.options)) return nullptr;
  auto log = std::make_unique<SchemaLog>();
  log->file_system_ = request.context->file_system;
  log->location_ = LogDirectory(request.options, table.metadata().id);
  ARROW_ASSIGN_OR_RAISE(auto found, log->file_system_->Stat(log->location_));
  if (!found) return log;
  ARROW_ASSIGN_OR_RAISE(std::vector<FileInfo> files, log->file_system_->List(log->location_));
  for (const FileInfo& file : files) {
    int64_t number = 0;
    auto [end, error] = std::from_chars(file.name.data(), file.name.data() + file.name.size(), number);
    bool is_number = error == std::errc() && end == file.name.data() + file.name.size();
    if (is_number) log->current_number_ = std::max(log->current_number_, number);
  }
  for (int64_t number : {log->current_number_ - 1, log->current_number_}) {
    if (number < 0) continue;
    std::string path = JoinPath(log->location_, std::to_string(number));
    ARROW_ASSIGN_OR_RAISE(auto there, log->file_system_->Stat(path));
    if (!there) continue;
    ARROW_ASSIGN_OR_RAISE(std::string text, log->file_system_->ReadFile(path));
    ARROW_ASSIGN_OR_RAISE(TrackedSchema entry, TrackedSchema::Parse(text, log->location_));
    (number == log->current_number_ ? log->current_ : log->previous_) = std::move(entry);
  }
  if (log->current_ && log->current_->table_id != table.metadata().id) {
    return UserError("DELTA_STREAMING_SCHEMA_LOG_INCOMPATIBLE_DELTA_TABLE_ID",
                     {{"persistedId", log->current_->table_id}, {"tableId", table.metadata().id}});
  }
  return log;
}

arrow::Status SchemaLog::CheckLocation(const SourceRequest& request, const std::string& table_path) {
  auto location = LocationOption(request.options);
  if (!location || request.metadata_path.empty()) return arrow::Status::OK();
  std::string checkpoint = request.metadata_path;
  for (int level = 0; level < 2; ++level) checkpoint = checkpoint.substr(0, checkpoint.find_last_of('/'));
  if ((AbsolutePath(LocalPath(*location)) + "/").starts_with(checkpoint + "/")) return arrow::Status::OK();
  std::string table = table_path;
  std::replace(table.begin(), table.end(), '/', '_');
  return UserError(
      "DELTA_STREAMING_SCHEMA_LOCATION_NOT_UNDER_CHECKPOINT",
      {{"schemaTrackingLocation", LogDirectory(request.options, table)}, {"checkpointLocation", "file:" + checkpoint}});
}

arrow::Status SchemaLog::Append(TrackedSchema entry) {
  ARROW_RETURN_NOT_OK(file_system_->CreateDirectories(location_));
  std::string path = JoinPath(location_, std::to_string(current_number_ + 1));
  ARROW_ASSIGN_OR_RAISE(bool created, WriteFileIfAbsent(*file_system_, path, entry.ToText(), Durability::kMachine));
  if (!created) {
    return UserError("DELTA_STREAMING_SCHEMA_LOCATION_CONFLICT", {{"loc", location_}, {"table", entry.table_id}});
  }
  ++current_number_;
  previous_ = std::exchange(current_, std::move(entry));
  return arrow::Status::OK();
}

arrow::Status SchemaLog::CheckUnblocked(const SourceRequest& request) const {
  if (!current_ || !previous_) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr older, types::ParseTypeJson(previous_->data_schema_json));
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr newer, types::ParseTypeJson(current_->data_schema_json));
  NonAdditiveChange change = Describe(*older, *newer);
  std::string version = std::to_string(current_->version);
  int32_t hash = JavaHash(current_->source_path);
  if (change.name.empty() || Unblocking(request, current_->version, hash).Allows(change)) return arrow::Status::OK();
  std::string set = "  SET " + std::string(kConfPrefix), of_query = ".ckpt_" + std::to_string(hash) + " = ";
  return UserError("DELTA_STREAMING_CANNOT_CONTINUE_PROCESSING_POST_SCHEMA_EVOLUTION",
                   {{"opType", change.name},
                    {"previousSchemaChangeVersion", std::to_string(previous_->version)},
                    {"currentSchemaChangeVersion", version},
                    {"columnChangeDetails", change.details},
                    {"unblockChangeOptions", Lines(change.options, "  .option(\"", "\", \"" + version + "\")")},
                    {"unblockStreamOptions", Lines(change.options, "  .option(\"", "\", \"always\")")},
                    {"unblockChangeConfs", Lines(change.confs, set, of_query + version + ";")},
                    {"unblockStreamConfs", Lines(change.confs, set, of_query + "\"always\";")},
                    {"unblockAllConfs", Lines(change.confs, set, " = \"always\";")}});
}

arrow::Result<delta::SnapshotPtr> WithTrackedSchema(const delta::SnapshotPtr& table, const TrackedSchema& entry) {
  delta::Snapshot::State state = table->state();
  state.metadata.schema_string = entry.data_schema_json;
  state.metadata.configuration = entry.configuration;
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr partitions, types::ParseTypeJson(entry.partition_schema_json));
  state.metadata.partition_columns.clear();
  for (const types::StructField& field : partitions->fields()) state.metadata.partition_columns.push_back(field.name);
  if (entry.protocol) state.protocol = *entry.protocol;
  return delta::Snapshot::Make(std::move(state));
}

arrow::Status SchemaEvolved(const TrackedSchema& entry) {
  std::string configuration;
  for (const auto& [key, value] : entry.configuration) {
    configuration += (configuration.empty() ? "" : ", ") + key + ":" + value;
  }
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, types::ParseTypeJson(entry.data_schema_json));
  std::string protocol;
  if (entry.protocol) {
    protocol =
        std::to_string(entry.protocol->min_reader_version) + "," + std::to_string(entry.protocol->min_writer_version);
    for (const auto* list : {&entry.protocol->reader_features, &entry.protocol->writer_features}) {
      if (!*list) continue;
      std::string names;
      for (const std::string& name : **list) names += (names.empty() ? "[" : ",") + name;
      protocol += "," + (names.empty() ? "[" : names) + "]";
    }
  }
  return UserError("DELTA_STREAMING_METADATA_EVOLUTION",
                   {{"schema", schema->ToTreeString()}, {"config", configuration}, {"protocol", protocol}});
}

}  // namespace millrace::connector::delta_table
