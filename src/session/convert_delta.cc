#include "analyzer/name_resolution.h"
#include "base/ascii.h"
#include "base/error.h"
#include "base/json_value.h"
#include "delta/transaction/file_statistics.h"
#include "delta/transaction/table_metadata.h"
#include "session/delta_table.h"
#include "session/parquet_files.h"
#include "session/result_rows.h"
#include "session/row_changes.h"
#include "session/table_commands.h"
#include "spark/connect/relations.pb.h"

/// CONVERT TO DELTA: files of Parquet become a Delta table where they are. Source: delta-spark's ConvertToDeltaCommand.

namespace millrace::session {

namespace {

struct Target : ParquetFiles {
  /// Null for a path.
  catalog::TablePtr table;
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
    ARROW_RETURN_NOT_OK(FindParquetFiles(context_, &target_));
    delta::StringMap properties;
    if (target_.table != nullptr) properties = {target_.table->properties.begin(), target_.table->properties.end()};
    ARROW_ASSIGN_OR_RAISE(
        delta::TableDefinition definition,
        delta::DefineTable(target_.schema(), NamesOf(*target_.partition_schema),
                           delta::WithDefaults(std::move(properties), context_.conf), context_.clock->NowMillis()));
    ARROW_ASSIGN_OR_RAISE(auto transaction, BeginChange(session_, {table, nullptr}));
    ARROW_RETURN_NOT_OK(StageFiles(definition.metadata, transaction.get()));
    transaction->SetMetadata(std::move(definition.metadata));
    transaction->SetProtocol(std::move(definition.protocol));
    return CommitChange(session_, *transaction, Told()).status();
  }

 private:
  arrow::Status StageFiles(const delta::Metadata& metadata, delta::Transaction* transaction) {
    ARROW_ASSIGN_OR_RAISE(
        auto plan, delta::StatisticsPlan::Make(*target_.data_schema, *target_.data_schema, metadata.configuration));
    plan.time_zone = context_.time_zone;
    for (const connector::file::ListedFile& file : target_.files) {
      ARROW_ASSIGN_OR_RAISE(delta::Add add, FileOfTable(target_, file));
      if (!convert_.no_statistics) {
        ARROW_ASSIGN_OR_RAISE(add.stats, StatisticsOf(session_, file.path, target_.data_schema, plan));
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
    auto num_files = static_cast<int64_t>(target_.files.size());
    delta::Operation operation;
    operation.name = "CONVERT";
    operation.is_large = true;
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
};

}  // namespace

arrow::Result<QueryResult> RunConvert(Session& session, const sql::ConvertToDelta& convert) {
  ARROW_ASSIGN_OR_RAISE(Target target, FindTarget(session, convert));
  catalog::TablePtr registered = target.table;
  ARROW_ASSIGN_OR_RAISE(auto table, DeltaTableAt(session, target.path));
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
