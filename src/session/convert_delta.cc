#include "analyzer/name_resolution.h"
#include "base/ascii.h"
#include "base/error.h"
#include "base/json_value.h"
#include "connector/delta/table_request.h"
#include "connector/delta/write_plan.h"
#include "connector/file/file_schema.h"
#include "connector/file/partition_path.h"
#include "delta/log/log_paths.h"
#include "delta/transaction/file_statistics.h"
#include "delta/transaction/table_metadata.h"
#include "session/result_rows.h"
#include "session/row_changes.h"
#include "session/table_commands.h"
#include "spark/connect/relations.pb.h"

/// CONVERT TO DELTA: files of Parquet become a Delta table where they are. Source: delta-spark's ConvertToDeltaCommand.

namespace millrace::session {

namespace {

struct Target {
  std::string path;
  /// Null for a path.
  catalog::TablePtr table;
  types::DataTypePtr partition_schema;
};

arrow::Result<Target> FindTarget(Session& session, const sql::ConvertToDelta& convert) {
  Target target;
  std::vector<types::StructField> fields;
  for (const sql::ColumnDefinition& column : convert.partition_columns) fields.push_back(column.field);
  target.partition_schema = types::Struct(std::move(fields));
  const sql::NameParts& name = convert.table;
  if (name.size() == 2 && EqualsIgnoreCase(name[0], "parquet")) {
    target.path = AbsolutePath(LocalPath(name[1]));
    return target;
  }
  if (name.size() == 2 && EqualsIgnoreCase(name[0], "iceberg")) return analyzer::NotSupported("CONVERT of Iceberg");
  ARROW_ASSIGN_OR_RAISE(target.table, TableCommands(session).Find(name));
  target.path = target.table->location;
  const std::string& provider = target.table->provider;
  if (provider != "parquet" && provider != "delta") {
    return UserError("DELTA_CONVERT_NON_PARQUET_TABLE",
                     {{"sourceName", provider}, {"tableId", QuoteNameParts(target.table->FullName())}});
  }
  if (fields.empty() && target.table->schema != nullptr) {
    for (const std::string& column : target.table->partition_columns) {
      fields.push_back(
          target.table->schema
              ->fields()[static_cast<size_t>(target.table->schema->FieldIndex(column, /*case_sensitive=*/false))]);
    }
    target.partition_schema = types::Struct(std::move(fields));
  }
  return target;
}

std::string NameList(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + QuoteIdentifier(name);
  return "[" + list + "]";
}

// What the directories between the table and a file say of its columns.
arrow::Result<delta::PartitionValues> ValuesOf(const Target& target, const std::string& file) {
  std::vector<std::string> names;
  std::vector<std::optional<std::string>> values;
  std::string_view rest = std::string_view(file).substr(target.path.size() + 1);
  for (size_t slash = 0; (slash = rest.find('/')) != std::string_view::npos; rest.remove_prefix(slash + 1)) {
    ARROW_ASSIGN_OR_RAISE(auto parsed, connector::file::ParsePartitionDirectory(rest.substr(0, slash)));
    if (!parsed) continue;
    names.push_back(parsed->first);
    bool null = parsed->second == connector::file::kDefaultPartition;
    values.push_back(null ? std::nullopt : std::optional(connector::file::UnescapePathName(parsed->second)));
  }
  const std::vector<types::StructField>& fields = target.partition_schema->fields();
  if (names.size() != fields.size()) {
    std::vector<std::string> expected;
    for (const types::StructField& field : fields) expected.push_back(field.name);
    return UserError("DELTA_UNEXPECTED_NUM_PARTITION_COLUMNS_FROM_FILE_NAME",
                     {{"expectedColsSize", std::to_string(fields.size())},
                      {"expectedCols", NameList(expected)},
                      {"parsedColsSize", std::to_string(names.size())},
                      {"parsedCols", NameList(names)},
                      {"path", "file:" + file}});
  }
  delta::PartitionValues found;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!EqualsIgnoreCase(fields[i].name, names[i])) {
      return UserError("DELTA_UNEXPECTED_PARTITION_COLUMN_FROM_FILE_NAME",
                       {{"expectedCol", QuoteIdentifier(fields[i].name)},
                        {"parsedCol", QuoteIdentifier(names[i])},
                        {"path", "file:" + file}});
    }
    found.Add(fields[i].name, std::move(values[i]));
  }
  return found;
}

arrow::Result<std::string> StatisticsOf(Session& session, const std::string& file, const types::DataTypePtr& schema,
                                        const delta::StatisticsPlan& plan) {
  spark::connect::Relation read;
  auto* source = read.mutable_read()->mutable_data_source();
  source->set_format("parquet");
  source->add_paths(file);
  source->set_schema(schema->ToJson());
  (*source->mutable_options())["basePath"] = file;
  ARROW_ASSIGN_OR_RAISE(QueryResult rows, session.Execute(read));
  delta::FileStatistics statistics(&plan);
  for (const auto& batch : rows.batches) ARROW_RETURN_NOT_OK(statistics.Add(*batch));
  return statistics.ToJson();
}

std::vector<std::string> NamesOf(const types::DataType& schema) {
  std::vector<std::string> names;
  for (const types::StructField& field : schema.fields()) names.push_back(field.name);
  return names;
}

class Conversion {
 public:
  Conversion(Session& session, const sql::ConvertToDelta& convert, Target target)
      : session_(session),
        context_(*session.CurrentConnectorContext()),
        convert_(convert),
        target_(std::move(target)) {}

  arrow::Status Run(const std::shared_ptr<delta::Table>& table) {
    ARROW_RETURN_NOT_OK(FindFiles());
    delta::StringMap properties;
    if (target_.table != nullptr) properties = {target_.table->properties.begin(), target_.table->properties.end()};
    std::vector<types::StructField> fields = data_schema_->fields();
    fields.insert(fields.end(), target_.partition_schema->fields().begin(), target_.partition_schema->fields().end());
    ARROW_ASSIGN_OR_RAISE(
        delta::TableDefinition definition,
        delta::DefineTable(types::Struct(std::move(fields)), NamesOf(*target_.partition_schema),
                           delta::WithDefaults(std::move(properties), context_.conf), context_.clock->NowMillis()));
    ARROW_ASSIGN_OR_RAISE(auto transaction,
                          delta::Transaction::BeginAt(table, nullptr, connector::delta_table::SettingsOf(context_)));
    ARROW_RETURN_NOT_OK(StageFiles(definition.metadata, transaction.get()));
    transaction->SetMetadata(std::move(definition.metadata));
    transaction->SetProtocol(std::move(definition.protocol));
    ARROW_ASSIGN_OR_RAISE(delta::CommitOutcome outcome, transaction->Commit(Told()));
    if (const auto* conflict = std::get_if<delta::Conflict>(&outcome)) return delta::ToStatus(*conflict, table->path());
    session_.cache().Invalidate(table->path());
    return arrow::Status::OK();
  }

 private:
  arrow::Status FindFiles() {
    connector::SourceRequest request;
    request.context = &context_;
    request.paths = {target_.path};
    request.options.Set("mergeSchema", "true");
    request.user_schema = nullptr;
    const format::FileFormat& parquet = *format::FindFileFormat("parquet");
    ARROW_ASSIGN_OR_RAISE(auto found, context_.file_system->Stat(target_.path));
    if (!found) return UserError("DELTA_PATH_DOES_NOT_EXIST", {{"path", "file:" + target_.path}});
    request.schema = types::Struct({});
    ARROW_ASSIGN_OR_RAISE(connector::file::FileTable listed, connector::file::OpenFileTable(parquet, request));
    files_ = std::move(listed.files);
    if (files_.empty()) return UserError("DELTA_EMPTY_DIRECTORY", {{"directory", target_.path}});
    ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, connector::file::ResolveFileSchema(parquet, request));
    std::vector<types::StructField> data;
    for (const types::StructField& field : schema->fields()) {
      bool of_directories = listed.partition_schema->FieldIndex(field.name, /*case_sensitive=*/false) >= 0;
      if (!of_directories) data.push_back(field);
    }
    data_schema_ = types::Struct(std::move(data));
    return arrow::Status::OK();
  }

  arrow::Status StageFiles(const delta::Metadata& metadata, delta::Transaction* transaction) {
    ARROW_ASSIGN_OR_RAISE(auto plan, delta::StatisticsPlan::Make(*data_schema_, *data_schema_, metadata.configuration));
    plan.time_zone = context_.time_zone;
    for (const connector::file::ListedFile& file : files_) {
      delta::Add add;
      add.path = delta::EncodeDataPath(file.path.substr(target_.path.size() + 1));
      ARROW_ASSIGN_OR_RAISE(add.partition_values, ValuesOf(target_, file.path));
      add.size_bytes = file.size_bytes;
      add.modification_time_ms = file.modified_ms;
      if (!convert_.no_statistics) {
        ARROW_ASSIGN_OR_RAISE(add.stats, StatisticsOf(session_, file.path, data_schema_, plan));
      }
      transaction->Stage(std::move(add));
    }
    return arrow::Status::OK();
  }

  delta::Operation Told() const {
    JsonValue partitions = JsonValue::Array();
    for (const std::string& name : NamesOf(*target_.partition_schema)) {
      partitions.elements().push_back(JsonValue::String(name));
    }
    auto num_files = static_cast<int64_t>(files_.size());
    delta::Operation operation;
    operation.name = "CONVERT";
    operation.parameters = {{"numFiles", JsonValue::Number(num_files)},
                            {"partitionedBy", JsonValue::String(partitions.ToString())},
                            {"collectStats", JsonValue::Bool(!convert_.no_statistics)}};
    if (target_.table != nullptr) {
      operation.parameters.emplace_back("catalogTable", JsonValue::String(QuoteNameParts(target_.table->FullName())));
    }
    operation.parameters.emplace_back("sourceFormat", JsonValue::String("parquet"));
    operation.metrics = {{"numConvertedFiles", num_files}};
    return operation;
  }

  Session& session_;
  const connector::ConnectorContext& context_;
  const sql::ConvertToDelta& convert_;
  Target target_;
  std::vector<connector::file::ListedFile> files_;
  types::DataTypePtr data_schema_;
};

}  // namespace

arrow::Result<QueryResult> RunConvert(Session& session, const sql::ConvertToDelta& convert) {
  ARROW_ASSIGN_OR_RAISE(Target target, FindTarget(session, convert));
  catalog::TablePtr registered = target.table;
  connector::SinkRequest request;
  request.path = target.path;
  request.context = session.CurrentConnectorContext();
  ARROW_ASSIGN_OR_RAISE(auto table, connector::delta_table::OpenTable(request));
  ARROW_ASSIGN_OR_RAISE(bool exists, table->Exists());
  // A table that is one already stays as it is; Delta only logs so.
  if (!exists) ARROW_RETURN_NOT_OK(Conversion(session, convert, std::move(target)).Run(table));
  if (registered != nullptr && !KeepsOwnSchema(registered->provider)) {
    ARROW_RETURN_NOT_OK(
        session.engine().metastore->AlterTable(registered->database, registered->name, [](catalog::Table* changed) {
          changed->provider = "delta";
          changed->schema = nullptr;
          changed->partition_columns.clear();
          changed->properties.clear();
        }));
  }
  return EmptyResult();
}

}  // namespace millrace::session
