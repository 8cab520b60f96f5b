#include "connector/delta/write_plan.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/version.h"
#include "connector/file/file_schema.h"
#include "delta/feature/table_feature.h"
#include "delta/schema/type_widening.h"
#include "delta/transaction/schema_merge.h"
#include "delta/transaction/table_metadata.h"
#include "types/arrow_type.h"
#include "types/scala_text.h"

namespace millrace::connector::delta_table {

using types::DataTypePtr;
using types::StructField;
using types::TypeId;
namespace delta = millrace::delta;

namespace {

std::string ColumnList(const std::vector<std::string>& columns) {
  std::string list = "[";
  for (const std::string& column : columns) list += (list.size() > 1 ? ", " : "") + column;
  return list + "]";
}

std::string QuotedColumnList(const std::vector<std::string>& columns) {
  std::string list = "[";
  for (const std::string& column : columns) list += (list.size() > 1 ? ", `" : "`") + column + "`";
  return list + "]";
}

// The partition columns as the rows spell them.
arrow::Result<std::vector<std::string>> NormalPartitionColumns(const std::vector<std::string>& asked,
                                                               const types::DataType& rows) {
  std::vector<std::string> found;
  for (const std::string& name : asked) {
    const StructField* match = nullptr;
    for (const StructField& field : rows.fields()) {
      if (EqualsIgnoreCase(field.name, name)) match = &field;
    }
    if (match == nullptr) {
      std::vector<std::string> columns;
      for (const StructField& field : rows.fields()) columns.push_back(field.name);
      std::string list = ColumnList(columns);
      return UserError("DELTA_PARTITION_COLUMN_NOT_FOUND",
                       {{"columnName", QuoteIdentifier(name)}, {"schemaMap", list.substr(1, list.size() - 2)}});
    }
    found.push_back(match->name);
  }
  return found;
}

arrow::Status CheckPartitionTypes(const types::DataType& schema, const std::vector<std::string>& columns) {
  for (const StructField& field : schema.fields()) {
    bool partition = std::any_of(columns.begin(), columns.end(),
                                 [&](const std::string& name) { return EqualsIgnoreCase(name, field.name); });
    if (!partition) continue;
    const types::DataType& type = *field.type;
    bool variant = type.id() == TypeId::kVariant;
    if (type.is_nested() || variant || type.id() == TypeId::kCalendarInterval || type.is_ansi_interval()) {
      return UserError("DELTA_INVALID_PARTITION_COLUMN_TYPE",
                       {{"name", field.name}, {"dataType", types::ScalaText(type)}});
    }
  }
  if (!columns.empty() && columns.size() == schema.fields().size()) {
    return UserError("DELTA_CANNOT_USE_ALL_COLUMNS_FOR_PARTITION");
  }
  return arrow::Status::OK();
}

// The text of one part of a mismatch, without what it shares with the others.
std::string MismatchPart(const char* part, ErrorParameters parameters) {
  std::string shared = UserError("DELTA_METADATA_MISMATCH").message();
  std::string condition = std::string("DELTA_METADATA_MISMATCH.") + part;
  std::string whole = UserError(condition, std::move(parameters)).message();
  size_t prefix = whole.find("] ") + 2 + shared.size() - (shared.find("] ") + 2);
  while (prefix < whole.size() && whole[prefix] == ' ') ++prefix;
  return "\n- " + whole.substr(prefix);
}

// Parts one below the other, as delta-spark joins them.
arrow::Status Mismatch(const delta::Metadata& table, const types::DataType& table_schema, const types::DataType& rows,
                       const std::vector<std::string>& partitioning, bool new_schema, bool new_partitioning,
                       bool overwrite) {
  arrow::Status status = UserError("DELTA_METADATA_MISMATCH");
  std::string message = status.message();
  if (new_schema) {
    message += MismatchPart(
        "SCHEMA_MISMATCH",
        {{"id", table.id}, {"tableSchema", table_schema.ToTreeString()}, {"dataSchema", rows.ToTreeString()}});
  }
  if (new_partitioning) {
    message += MismatchPart("PARTITIONING_MISMATCH", {{"provided", QuotedColumnList(partitioning)},
                                                      {"original", QuotedColumnList(table.partition_columns)}});
  }
  if (overwrite) message += MismatchPart("OVERWRITE_REQUIRED", {});
  return arrow::Status(status.code(), std::move(message), status.detail());
}

// What a table cannot keep, as "column: type".
void FindUnsupportedTypes(const types::DataType& type, const std::string& column, std::vector<std::string>* found) {
  switch (type.id()) {
    case TypeId::kCalendarInterval:
    case TypeId::kYearMonthInterval:
    case TypeId::kDayTimeInterval:
    case TypeId::kTime:
      found->push_back(column + ": " + types::ScalaText(type));
      break;
    case TypeId::kStruct:
      for (const StructField& field : type.fields()) {
        std::string name = types::QuoteIfNeeded(field.name);
        FindUnsupportedTypes(*field.type, column + "." + name, found);
      }
      break;
    case TypeId::kArray:
      FindUnsupportedTypes(*type.element(), column, found);
      break;
    case TypeId::kMap:
      FindUnsupportedTypes(*type.key(), column, found);
      FindUnsupportedTypes(*type.value(), column, found);
      break;
    default:
      break;
  }
}

// VOID in arrays and maps, at any depth of structs.
arrow::Status CheckNoInnerVoid(const types::DataType& type, const std::string& column) {
  if (type.id() == TypeId::kStruct) {
    for (const StructField& field : type.fields()) {
      ARROW_RETURN_NOT_OK(CheckNoInnerVoid(*field.type, column.empty() ? field.name : column));
    }
  }
  bool is_array = type.id() == TypeId::kArray, is_map = type.id() == TypeId::kMap;
  if ((!is_array && !is_map) || !type.Holds(TypeId::kNull)) return arrow::Status::OK();
  return UserError("DELTA_COMPLEX_TYPE_COLUMN_CONTAINS_NULL_TYPE",
                   {{"columName", column}, {"dataType", is_array ? "ArrayType" : "MapType"}});
}

// Statements are refused by Delta, with all of them; a frame's columns by Spark, each by itself.
arrow::Status CheckSupportedTypes(const types::DataType& schema, bool of_statement) {
  std::vector<std::string> unsupported;
  for (const StructField& field : schema.fields()) {
    FindUnsupportedTypes(*field.type, types::QuoteIfNeeded(field.name), &unsupported);
    if (of_statement || unsupported.empty()) continue;
    return UserError("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", {{"format", "Delta"},
                                                              {"columnName", QuoteIdentifier(field.name)},
                                                              {"columnType", QuoteSqlType(field.type->Sql())}});
  }
  if (!unsupported.empty()) {
    return UserError("DELTA_UNSUPPORTED_DATA_TYPES", {{"dataTypeList", ColumnList(unsupported)},
                                                      {"config", "spark.databricks.delta.schema.typeCheck.enabled"}});
  }
  return CheckNoInnerVoid(schema, "");
}

/// The definition after the write.
struct Definition {
  std::optional<delta::Metadata> changed_metadata;
  std::optional<delta::Protocol> new_protocol;
};

// CREATE TABLE and REPLACE TABLE give a table all its properties; other writes only those of a table they make.
arrow::Result<delta::StringMap> PropertiesOf(const SinkRequest& sink, const WriteOptions& options) {
  delta::StringMap properties = options.properties;
  if (sink.statement) {
    Options of_delta;
    for (const auto& [key, value] : sink.statement->properties) {
      if (ToLowerAscii(key).starts_with("delta.")) {
        of_delta.Set(key, value);
      } else {
        properties[key] = value;
      }
    }
    ARROW_ASSIGN_OR_RAISE(delta::StringMap checked, delta::TableProperties(of_delta));
    properties.merge(checked);
    constexpr const char* kFeature = "delta.feature.clustering";
    if (properties.count(kFeature) > 0 && !sink.statement->is_like) {
      return UserError("DELTA_CREATE_TABLE_SET_CLUSTERING_TABLE_FEATURE_NOT_ALLOWED", {{"tableFeature", "clustering"}});
    }
    if (!sink.statement->cluster_columns.empty()) properties[kFeature] = "supported";
  }
  return delta::WithDefaults(std::move(properties), sink.context->conf);
}

// REPLACE TABLE: nothing of the old definition stays but the ids of columns, and what the protocol has.
arrow::Result<Definition> ReplaceDefinition(const delta::Snapshot& snapshot, const DataTypePtr& rows,
                                            std::vector<std::string> partitioning, const WritePlanRequest& request) {
  const SinkRequest& sink = *request.sink;
  ARROW_RETURN_NOT_OK(delta::CheckNoDuplicateColumns(*rows, "DATA"));
  ARROW_RETURN_NOT_OK(CheckPartitionTypes(*rows, partitioning));
  if (delta::Supports(snapshot.protocol(), "clustering") && !partitioning.empty()) {
    return UserError("DELTA_CLUSTERING_REPLACE_TABLE_WITH_PARTITIONED_TABLE");
  }
  delta::Metadata proposed;
  proposed.id = RandomUuid();
  proposed.description = sink.statement->comment;
  ARROW_ASSIGN_OR_RAISE(proposed.configuration, PropertiesOf(sink, *request.options));
  proposed.partition_columns = std::move(partitioning);
  proposed.created_time_ms = sink.context->clock->NowMillis();
  ARROW_ASSIGN_OR_RAISE(auto change,
                        delta::UpdateDefinition(snapshot.metadata(), snapshot.protocol(), std::move(proposed), rows,
                                                delta::SchemaReplacement::kTable));
  return Definition{std::move(change.metadata), std::move(change.protocol)};
}

arrow::Result<Definition> SettleDefinition(const delta::SnapshotPtr& snapshot, const WritePlanRequest& request) {
  const SinkRequest& sink = *request.sink;
  const WriteOptions& options = *request.options;
  bool replace_schema = request.overwrite && options.overwrite_schema && !options.replace_where;
  DataTypePtr rows = delta::AsTableSchema(sink.schema, /*keep_nullability=*/sink.defines_table);
  ARROW_RETURN_NOT_OK(CheckSupportedTypes(*rows, sink.statement.has_value()));
  bool replaces_table = sink.statement && sink.statement->replace && !sink.statement->is_save_as_table;
  Definition definition;
  if (snapshot == nullptr || replaces_table) {
    ARROW_RETURN_NOT_OK(delta::CheckNoDuplicateColumns(*rows, "DATA"));
    ARROW_ASSIGN_OR_RAISE(auto partitioning, NormalPartitionColumns(sink.partition_columns, *rows));
    if (snapshot != nullptr) return ReplaceDefinition(*snapshot, rows, std::move(partitioning), request);
    ARROW_RETURN_NOT_OK(CheckPartitionTypes(*rows, partitioning));
    if (rows->fields().empty() && !sink.defines_table) return UserError("DELTA_EMPTY_DATA");
    ARROW_ASSIGN_OR_RAISE(auto properties, PropertiesOf(sink, options));
    ARROW_ASSIGN_OR_RAISE(
        auto table, delta::DefineTable(rows, std::move(partitioning), properties, sink.context->clock->NowMillis()));
    if (sink.statement) table.metadata.description = sink.statement->comment;
    definition.changed_metadata = std::move(table.metadata);
    definition.new_protocol = std::move(table.protocol);
    return definition;
  }
  const delta::Metadata& table = snapshot->metadata();
  if (request.casts && !replace_schema) {
    ARROW_ASSIGN_OR_RAISE(rows, delta::MergeSchemas(snapshot->schema(), rows, /*casts=*/true));
  }
  DataTypePtr merged = rows;
  if (!replace_schema) {
    bool widens = delta::BooleanProperty(table, "delta.enableTypeWidening", false);
    ARROW_ASSIGN_OR_RAISE(merged, delta::MergeSchemas(snapshot->schema(), rows, /*casts=*/false, widens));
    if (widens) merged = delta::WithTypeChanges(merged, snapshot->schema());
  } else {
    ARROW_RETURN_NOT_OK(delta::CheckNoDuplicateColumns(*rows, "DATA"));
  }
  ARROW_ASSIGN_OR_RAISE(auto partitioning, NormalPartitionColumns(sink.partition_columns, *rows));
  bool new_schema = !delta::SameSchema(*snapshot->schema(), *merged);
  bool partitioning_changed = table.partition_columns != partitioning;
  bool new_partitioning = !partitioning.empty() && partitioning_changed;
  ARROW_RETURN_NOT_OK(CheckPartitionTypes(*merged, partitioning));
  std::optional<delta::DefinitionChange> change;
  if (replace_schema && (new_schema || partitioning_changed)) {
    delta::Metadata proposed = table;
    proposed.partition_columns = partitioning;
    ARROW_ASSIGN_OR_RAISE(change, delta::UpdateDefinition(table, snapshot->protocol(), std::move(proposed), rows,
                                                          delta::SchemaReplacement::kSchema));
  } else if (new_schema && options.merge_schema && !new_partitioning) {
    ARROW_ASSIGN_OR_RAISE(
        change, delta::UpdateDefinition(table, snapshot->protocol(), table, merged, delta::SchemaReplacement::kNone));
  } else if (new_schema || new_partitioning) {
    return Mismatch(table, *snapshot->schema(), *rows, partitioning, new_schema, new_partitioning, request.overwrite);
  }
  if (change && !options.data_change) {
    return UserError("DELTA_DATA_CHANGE_FALSE", {{"op", "Change the Delta table schema"}});
  }
  if (change) return Definition{std::move(change->metadata), std::move(change->protocol)};
  return definition;
}

arrow::Result<std::shared_ptr<const DataFilePlan>> PlanFiles(const std::string& table_path,
                                                             const delta::Metadata& metadata,
                                                             const delta::Protocol& protocol,
                                                             const WritePlanRequest& request) {
  const ConnectorContext& context = *request.sink->context;
  ARROW_ASSIGN_OR_RAISE(DataTypePtr schema, metadata.ParseSchema());
  RowShaperRequest shaping;
  shaping.query_schema = request.sink->schema;
  shaping.table_schema = schema;
  shaping.metadata = &metadata;
  shaping.has_generated_columns = delta::Supports(protocol, "generatedColumns");
  shaping.has_column_defaults = delta::Supports(protocol, "allowColumnDefaults");
  shaping.no_rows = request.sink->defines_table;
  if (shaping.no_rows) shaping.query_schema = schema;
  shaping.more_checks = request.more_checks;
  shaping.copies = request.copies || shaping.no_rows;
  auto plan = std::make_shared<DataFilePlan>();
  ARROW_ASSIGN_OR_RAISE(plan->shaper, RowShaper::Make(shaping, context));
  ARROW_ASSIGN_OR_RAISE(delta::ColumnMappingMode mode, delta::ColumnMappingModeOf(metadata));
  DataTypePtr physical = delta::PhysicalSchema(plan->shaper->schema(), mode);

  std::vector<PartitionColumn> partition_columns;
  std::vector<bool> is_partition(physical->fields().size());
  for (const std::string& name : metadata.partition_columns) {
    int index = plan->shaper->schema()->FieldIndex(name, /*case_sensitive=*/true);
    if (index < 0) {
      std::vector<std::string> columns;
      for (const StructField& field : plan->shaper->schema()->fields()) columns.push_back(field.name);
      std::string list = ColumnList(columns);
      return UserError("DELTA_PARTITION_COLUMN_NOT_FOUND",
                       {{"columnName", QuoteIdentifier(name)}, {"schemaMap", list.substr(1, list.size() - 2)}});
    }
    const StructField& field = physical->fields()[static_cast<size_t>(index)];
    partition_columns.push_back({index, field.name, field.type});
    is_partition[static_cast<size_t>(index)] = true;
  }
  std::vector<int> data_columns;
  std::vector<StructField> data_fields;
  for (size_t i = 0; i < physical->fields().size(); ++i) {
    if (is_partition[i]) continue;
    data_columns.push_back(static_cast<int>(i));
    data_fields.push_back(physical->fields()[i]);
  }
  bool defines_no_column = request.sink->defines_table && physical->fields().empty();
  if (data_columns.empty() && !defines_no_column) {
    ARROW_RETURN_NOT_OK(delta::CheckHoldsValues(*schema));
    return UserError("DELTA_NON_PARTITION_COLUMN_ABSENT", {{"details", ""}});
  }
  if (delta::Supports(protocol, "materializePartitionColumns")) {
    for (const PartitionColumn& column : partition_columns) {
      data_columns.push_back(column.index);
      data_fields.push_back(physical->fields()[static_cast<size_t>(column.index)]);
    }
  }
  std::vector<StructField> table_fields;
  DataTypePtr physical_table = delta::PhysicalSchema(schema, mode);
  for (size_t i = 0; i < schema->fields().size(); ++i) {
    const auto& columns = metadata.partition_columns;
    if (std::find(columns.begin(), columns.end(), schema->fields()[i].name) != columns.end()) continue;
    table_fields.push_back(physical_table->fields()[i]);
  }
  plan->file_schema = types::Struct(std::move(data_fields));
  ARROW_ASSIGN_OR_RAISE(plan->statistics, delta::StatisticsPlan::Make(*types::Struct(std::move(table_fields)),
                                                                      *plan->file_schema, metadata.configuration));
  plan->statistics.says_tight_bounds = delta::Supports(protocol, "deletionVectors");
  plan->statistics.time_zone = context.time_zone;
  plan->router =
      std::make_shared<PartitionRouter>(std::move(partition_columns), std::move(data_columns), context.time_zone);
  plan->file_system = context.file_system;
  plan->durability = context.durability;
  plan->table_path = table_path;
  plan->session = file::ToSessionFormat(context);
  const format::FileFormat& parquet = *format::FindFileFormat("parquet");
  plan->options = file::FormatOptions(parquet, request.sink->options, context);
  ARROW_ASSIGN_OR_RAISE(plan->extension, parquet.extension(plan->options));
  plan->max_rows_per_file = request.options->max_rows_per_file;
  if (mode != delta::ColumnMappingMode::kNone ||
      delta::BooleanProperty(metadata, "delta.randomizeFilePrefixes", false)) {
    plan->random_prefix_length = static_cast<int>(delta::IntegerProperty(metadata, "delta.randomPrefixLength", 2));
  }
  plan->durable_directories =
      request.durable_directories != nullptr ? request.durable_directories : std::make_shared<DurableDirectories>();
  return std::shared_ptr<const DataFilePlan>(std::move(plan));
}

}  // namespace

bool WritePlan::Fits(const delta::SnapshotPtr& newer) const {
  // What changes the definition was made for exactly one version.
  if (metadata || protocol || snapshot == nullptr || newer == nullptr) {
    return snapshot == nullptr && newer == nullptr && !metadata;
  }
  const delta::Metadata& a = snapshot->metadata();
  const delta::Metadata& b = newer->metadata();
  return a.schema_string == b.schema_string && a.configuration == b.configuration &&
         a.partition_columns == b.partition_columns && snapshot->protocol() == newer->protocol();
}

arrow::Result<std::shared_ptr<const WritePlan>> MakeWritePlan(const delta::SnapshotPtr& snapshot,
                                                              const std::string& table_path,
                                                              const WritePlanRequest& request) {
  Definition definition;
  if (request.definition != nullptr) {
    definition = {request.definition->metadata, request.definition->protocol};
  } else {
    ARROW_ASSIGN_OR_RAISE(definition, SettleDefinition(snapshot, request));
  }
  auto plan = std::make_shared<WritePlan>();
  // A plan may be kept for long, and the files of then with it.
  plan->snapshot = snapshot == nullptr ? nullptr : snapshot->WithoutFiles();
  plan->metadata = std::move(definition.changed_metadata);
  plan->protocol = std::move(definition.new_protocol);
  const delta::Metadata& metadata = plan->metadata ? *plan->metadata : snapshot->metadata();
  const delta::Protocol& protocol = plan->protocol ? *plan->protocol : snapshot->protocol();
  // Before anything is written: what we could not commit.
  ARROW_RETURN_NOT_OK(delta::CheckWritable(protocol, table_path));
  ARROW_ASSIGN_OR_RAISE(plan->files, PlanFiles(table_path, metadata, protocol, request));
  return std::shared_ptr<const WritePlan>(std::move(plan));
}

delta::TransactionSettings SettingsOf(const ConnectorContext& context) {
  delta::TransactionSettings settings;
  settings.durability = context.durability;
  settings.clock = context.clock;
  settings.engine_info = "Millrace/" + std::string(Version()) + " Delta-Lake/" + std::string(delta::kDeltaVersion);
  if (context.conf) settings.user_metadata = context.conf("spark.databricks.delta.commitInfo.userMetadata");
  return settings;
}

arrow::Result<std::shared_ptr<delta::Table>> OpenTable(const SinkRequest& request) {
  if (request.path.empty()) return arrow::Status::Invalid("'path' is not specified");
  std::string path = AbsolutePath(LocalPath(request.path));
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (request.context->delta_tables != nullptr) return request.context->delta_tables->Open(path);
  return std::make_shared<delta::Table>(request.context->file_system, path);
}

}  // namespace millrace::connector::delta_table
