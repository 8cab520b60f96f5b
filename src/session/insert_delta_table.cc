#include <algorithm>

#include "analyzer/name_resolution.h"
#include "analyzer/named_table.h"
#include "base/ascii.h"
#include "base/error.h"
#include "base/json_value.h"
#include "connector/delta/write_plan.h"
#include "connector/row_expressions.h"
#include "delta/feature/table_feature.h"
#include "delta/schema/clustering.h"
#include "delta/schema/computed_column.h"
#include "session/row_expressions.h"
#include "session/table_commands.h"
#include "types/char_type.h"
#include "types/column_metadata.h"

/// INSERT and its relatives into Delta tables: delta-spark lines columns up its own way and leaves the rest to schema
/// enforcement. Source: delta-spark's DeltaAnalysis.

namespace millrace::session {

using catalog::Table;

namespace {

bool IsComputed(const types::StructField& field) {
  return !delta::GenerationExpression(field).empty() || delta::IsIdentityColumn(field);
}

// A partition's value is compared as its column's type has it, while the rows are written with what was said: Delta
// refuses a shorter text of CHAR(n).
std::string PaddedTo(const types::StructField& field, std::string text) {
  std::optional<types::CharType> type = types::CharTypeOf(field);
  if (!type || !type->padded) return text;
  int64_t missing = type->length - types::CharacterCount(text);
  if (missing > 0) text.append(static_cast<size_t>(missing), ' ');
  return text;
}

std::string NameInMessages(const Table& table) {
  if (KeepsOwnSchema(table.database)) return "delta.`file:" + table.location + "`";
  return std::string(catalog::kCatalogName) + "." + table.database + "." + table.name;
}

}  // namespace

arrow::Result<delta::SnapshotPtr> TableCommands::DeltaSnapshot(const Table& table) const {
  connector::SinkRequest request;
  request.path = table.location;
  request.context = session_.CurrentConnectorContext();
  ARROW_ASSIGN_OR_RAISE(auto opened, connector::delta_table::OpenTable(request));
  ARROW_ASSIGN_OR_RAISE(bool exists, opened->Exists());
  if (exists) return opened->Update();
  ARROW_ASSIGN_OR_RAISE(auto found, files_.Stat(table.location));
  if (!found) return UserError("PATH_NOT_FOUND", {{"path", table.location}});
  return UserError("DELTA_TABLE_NOT_FOUND", {{"tableName", NameInMessages(table)}});
}

arrow::Result<sql::Properties> TableCommands::PropertiesOf(const Table& table) const {
  if (table.kind == catalog::TableKind::kView || !KeepsOwnSchema(table.provider)) return table.properties;
  ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr snapshot, DeltaSnapshot(table));
  const delta::Protocol& protocol = snapshot->protocol();
  sql::Properties properties;
  for (const auto& [key, value] : snapshot->metadata().configuration) properties[key] = value;
  if (delta::Supports(protocol, "clustering")) {
    JsonValue columns = JsonValue::Array();
    for (const delta::ColumnPath& path :
         delta::ClusteringColumns(*snapshot).value_or(std::vector<delta::ColumnPath>())) {
      JsonValue parts = JsonValue::Array();
      for (const std::string& part : path) parts.elements().push_back(JsonValue::String(part));
      columns.elements().push_back(std::move(parts));
    }
    properties[std::string(kClusteringProperty)] = columns.ToString();
  }
  properties["delta.minReaderVersion"] = std::to_string(protocol.min_reader_version);
  properties["delta.minWriterVersion"] = std::to_string(protocol.min_writer_version);
  for (const auto& list : {protocol.reader_features, protocol.writer_features}) {
    if (!list) continue;
    for (const std::string& feature : *list) properties["delta.feature." + feature] = "supported";
  }
  return properties;
}

arrow::Status TableCommands::AppendToDelta(const Table& table, const Save& save, logical::PlanPtr plan) {
  ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr snapshot, DeltaSnapshot(table));
  const auto& partitioning = snapshot->metadata().partition_columns;
  auto text = [](const std::vector<std::string>& columns) {
    std::string list;
    for (const std::string& column : columns) list += (list.empty() ? "" : ", ") + ("identity(" + column + ")");
    return list;
  };
  if (!save.partition_columns.empty() && save.partition_columns != partitioning) {
    return arrow::Status::Invalid(
        "requirement failed: The provided partitioning or clustering columns do not match the existing table's.\n - "
        "provided: ",
        text(save.partition_columns), "\n - table: ", text(partitioning));
  }
  InsertRequest request;
  request.by_name = true;
  request.options = save.options;
  return InsertIntoDelta(table, std::move(plan), request);
}

arrow::Status TableCommands::InsertIntoDelta(const Table& table, logical::PlanPtr plan, const InsertRequest& request) {
  ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr snapshot, DeltaSnapshot(table));
  InsertTarget target;
  target.table_name = NameInMessages(table);
  target.is_delta = true;
  std::vector<types::StructField> fields = snapshot->schema()->fields();
  for (types::StructField& field : fields) {
    target.computed.push_back(IsComputed(field));
    std::optional<std::string> value = types::DefaultOf(field);
    field.metadata_json = types::ColumnMetadata(std::nullopt, value);
  }
  target.schema = types::Struct(std::move(fields));
  const auto& partitioning = snapshot->metadata().partition_columns;
  std::string fixed;
  for (const auto& [name, value] : request.partition) {
    bool known = std::any_of(partitioning.begin(), partitioning.end(), [&, &wanted = name](const std::string& column) {
      return EqualsIgnoreCase(column, wanted);
    });
    if (!known) {
      return UserError("NON_PARTITION_COLUMN", {{"columnName", QuoteIdentifier(name)}});
    }
    if (!value) continue;
    std::string text = *value;
    int column = target.schema->FieldIndex(name, /*case_sensitive=*/false);
    if (column >= 0) text = PaddedTo(snapshot->schema()->fields()[static_cast<size_t>(column)], std::move(text));
    std::string literal = *value == sql::kNullPartition ? "NULL" : QuoteStringLiteral(text);
    fixed += (fixed.empty() ? "" : " AND ") + QuoteIdentifier(name) + " <=> " + literal;
  }
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr aligned,
                        AlignInsertColumns(session_.MakeAnalyzerContext(), std::move(plan), target, request.partition,
                                           request.columns, request.by_name));
  Options options = request.options;
  bool overwrite = request.overwrite || !request.condition.empty();
  if (request.dynamic) options.Set("partitionOverwriteMode", "dynamic");
  std::string condition = request.condition;
  if (condition.empty() && request.overwrite && !request.dynamic) condition = fixed;
  if (!condition.empty()) {
    // What is wrong with it the sink says. All rows are replaced without a condition.
    std::string simplified = SimplifiedSql(session_, snapshot->schema(), condition).ValueOr(condition);
    if (simplified != "true") options.Set("replaceWhere", simplified);
  }
  Table unpartitioned = table;
  unpartitioned.partition_columns.clear();
  return WriteNew(unpartitioned, options, std::move(aligned),
                  overwrite ? connector::SaveMode::kOverwrite : connector::SaveMode::kAppend);
}

}  // namespace millrace::session
