#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include "analyzer/partition_transform.h"
#include "base/ascii.h"
#include "base/error.h"
#include "connector/sink.h"
#include "session/clustering_columns.h"
#include "session/row_expressions.h"
#include "session/session.h"
#include "session/table_commands.h"
#include "spark/connect/commands.pb.h"
#include "spark/connect/relations.pb.h"
#include "sql/parser.h"
#include "sql/plan_conventions.h"
#include "types/column_metadata.h"

/// Writers that name a table: saveAsTable, insertInto, writeTo, toTable.

namespace millrace::session {

namespace {

namespace connect = spark::connect;

arrow::Result<std::string> ColumnName(const connect::Expression& expression) {
  ARROW_ASSIGN_OR_RAISE(auto parts,
                        sql::ParseMultipartIdentifier(expression.unresolved_attribute().unparsed_identifier()));
  return parts.back();
}

// How many buckets `literal` says, none where it is no whole number.
std::optional<int> NumBuckets(const connect::Expression& literal) {
  const auto& value = literal.literal();
  if (value.has_integer()) return value.integer();
  if (value.has_long_() && value.long_() == static_cast<int>(value.long_())) return static_cast<int>(value.long_());
  return std::nullopt;
}

// partitionedBy of the newer writer: columns and functions of them.
arrow::Status AddPartitioning(const connect::Expression& expression, TableCommands::Save* save) {
  if (expression.has_unresolved_attribute()) {
    ARROW_ASSIGN_OR_RAISE(save->partition_columns.emplace_back(), ColumnName(expression));
    return arrow::Status::OK();
  }
  const auto& call = expression.unresolved_function();
  if (!expression.has_unresolved_function() || !analyzer::IsPartitionTransform(call.function_name())) {
    return analyzer::NotSupported("partitionedBy of such an expression");
  }
  sql::PartitionTransform transform;
  transform.function = call.function_name();
  bool bucket = transform.function == "bucket";
  for (int i = bucket ? 1 : 0; i < call.arguments_size(); ++i) {
    if (!call.arguments(i).has_unresolved_attribute()) return analyzer::NotSupported("partitionedBy of a value");
    ARROW_ASSIGN_OR_RAISE(transform.columns.emplace_back(), ColumnName(call.arguments(i)));
  }
  if (bucket) {
    std::optional<int> count = call.arguments_size() > 0 ? NumBuckets(call.arguments(0)) : std::nullopt;
    if (!count) return analyzer::NotSupported("partitionedBy with a number of buckets that is no literal");
    transform.num_buckets = *count;
  }
  transform.text = transform.function + "(" + (transform.columns.empty() ? "" : transform.columns[0]) + ")";
  return TableCommands::SetPartitionTransform(transform, save);
}

// clusterBy: columns, and fields below them.
template <typename Names>
arrow::Result<std::vector<sql::NameParts>> ColumnNames(const Names& names) {
  std::vector<sql::NameParts> columns;
  for (const std::string& name : names) {
    ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), sql::ParseMultipartIdentifier(name));
  }
  return columns;
}

}  // namespace

arrow::Status Session::WriteTable(const connect::WriteOperation& write, const RunControl& control) {
  using Method = connect::WriteOperation::SaveTable;
  TableCommands commands(*this, control);
  TableCommands::Save save;
  ARROW_ASSIGN_OR_RAISE(save.name, sql::ParseMultipartIdentifier(write.table().table_name()));
  save.provider = write.source();
  bool explicit_provider = !save.provider.empty();
  if (!explicit_provider) save.provider = conf_.Get("spark.sql.sources.default").value_or("parquet");
  for (const auto& [key, value] : write.options()) save.options.Set(key, value);
  if (write.has_path()) save.location = write.path();
  save.partition_columns.assign(write.partitioning_columns().begin(), write.partitioning_columns().end());
  if (write.has_bucket_by()) {
    sql::BucketSpec& buckets = save.buckets.emplace();
    buckets.num_buckets = write.bucket_by().num_buckets();
    buckets.columns.assign(write.bucket_by().bucket_column_names().begin(),
                           write.bucket_by().bucket_column_names().end());
    buckets.sort_columns.assign(write.sort_column_names().begin(), write.sort_column_names().end());
  }
  if (write.clustering_columns_size() > 0) {
    ARROW_ASSIGN_OR_RAISE(auto clustering, ColumnNames(write.clustering_columns()));
    ARROW_RETURN_NOT_OK(TableCommands::SetClustering(clustering, &save));
  }
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, Analyze(write.input()));
  if (plan->is_streaming()) return UserError("CALL_ON_STREAMING_DATASET_UNSUPPORTED", {{"methodName", "`write`"}});
  connector::SaveMode mode = connector::SaveMode::kErrorIfExists;
  switch (write.mode()) {
    case connect::WriteOperation::SAVE_MODE_APPEND:
      mode = connector::SaveMode::kAppend;
      break;
    case connect::WriteOperation::SAVE_MODE_OVERWRITE:
      mode = connector::SaveMode::kOverwrite;
      break;
    case connect::WriteOperation::SAVE_MODE_IGNORE:
      mode = connector::SaveMode::kIgnore;
      break;
    default:
      break;
  }
  if (write.table().save_method() != Method::TABLE_SAVE_METHOD_INSERT_INTO) {
    if (catalog_.FindView(save.name)) {
      return UserError("TABLE_OR_VIEW_ALREADY_EXISTS", {{"relationName", QuoteNameParts(save.name)}});
    }
    return commands.SaveAsTable(save, mode, std::move(plan));
  }
  if (!save.partition_columns.empty()) {
    return UserError("PARTITION_BY_NOT_ALLOWED_WITH_INSERT_INTO");
  }
  ARROW_ASSIGN_OR_RAISE(catalog::TablePtr table, commands.FindTable(save.name, "INSERT"));
  TableCommands::InsertRequest request;
  request.overwrite = mode == connector::SaveMode::kOverwrite;
  request.options = save.options;
  return commands.InsertInto(*table, std::move(plan), request);
}

arrow::Status Session::WriteV2(const connect::WriteOperationV2& write, const RunControl& control) {
  using Operation = connect::WriteOperationV2;
  TableCommands commands(*this, control);
  TableCommands::Save save;
  ARROW_ASSIGN_OR_RAISE(save.name, sql::ParseMultipartIdentifier(write.table_name()));
  save.provider = write.has_provider() ? write.provider() : conf_.Get("spark.sql.sources.default").value_or("parquet");
  for (const auto& [key, value] : write.options()) save.options.Set(key, value);
  for (const auto& [key, value] : write.table_properties()) save.properties[key] = value;
  for (const auto& column : write.partitioning_columns()) {
    ARROW_RETURN_NOT_OK(AddPartitioning(column, &save));
  }
  if (write.clustering_columns_size() > 0) {
    ARROW_ASSIGN_OR_RAISE(auto clustering, ColumnNames(write.clustering_columns()));
    ARROW_RETURN_NOT_OK(TableCommands::SetClustering(clustering, &save));
  }
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, Analyze(write.input()));
  if (plan->is_streaming()) return UserError("CALL_ON_STREAMING_DATASET_UNSUPPORTED", {{"methodName", "`writeTo`"}});
  catalog::TablePtr table = catalog_.FindTable(save.name);
  bool replace = write.mode() == Operation::MODE_REPLACE || write.mode() == Operation::MODE_CREATE_OR_REPLACE;
  if (replace && KeepsOwnSchema(save.provider)) {
    return commands.ReplaceFrom(save, std::move(plan), /*or_create=*/write.mode() == Operation::MODE_CREATE_OR_REPLACE);
  }
  if (replace && table != nullptr) {
    return UserError("UNSUPPORTED_FEATURE.TABLE_OPERATION",
                     {{"tableName", QuoteNameParts(table->FullName())}, {"operation", "REPLACE TABLE"}});
  }
  if (write.mode() == Operation::MODE_CREATE || (replace && table == nullptr)) {
    if (write.mode() == Operation::MODE_REPLACE) {
      return UserError("TABLE_OR_VIEW_NOT_FOUND",
                       {{"relationName", QuoteNameParts(FullNameOf(save.name))}, {"searchPath", SearchPath()}});
    }
    return commands.CreateFrom(save, std::move(plan), /*if_not_exists=*/false);
  }
  ARROW_ASSIGN_OR_RAISE(table, commands.FindTable(save.name, "INSERT"));
  TableCommands::InsertRequest request;
  request.by_name = true;
  request.options = save.options;
  switch (write.mode()) {
    case Operation::MODE_APPEND:
      return commands.InsertInto(*table, std::move(plan), request);
    case Operation::MODE_OVERWRITE_PARTITIONS:
      request.overwrite = true;
      request.dynamic = true;
      return commands.InsertInto(*table, std::move(plan), request);
    case Operation::MODE_OVERWRITE: {
      request.overwrite = true;
      const auto& condition = write.overwrite_condition();
      bool all = condition.has_literal() && condition.literal().has_boolean() && condition.literal().boolean();
      if (!all) {
        ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, commands.SchemaOf(*table));
        ARROW_ASSIGN_OR_RAISE(auto compiled, CompileRowExpressions(*this, schema, {condition}));
        request.condition = compiled->Sql(0);
        request.overwrite = false;
      }
      return commands.InsertInto(*table, std::move(plan), request);
    }
    default:
      return analyzer::NotSupported("this mode of writeTo");
  }
}

arrow::Status CheckClusteringColumns(const connect::WriteStreamOperationStart& start, const types::DataType& rows,
                                     bool case_sensitive) {
  for (const std::string& column : start.clustering_column_names()) {
    const auto& fields = rows.fields();
    bool known = std::any_of(fields.begin(), fields.end(), [&](const types::StructField& field) {
      return case_sensitive ? field.name == column : EqualsIgnoreCase(field.name, column);
    });
    if (known) continue;
    std::string names;
    for (const types::StructField& field : fields) names += (names.empty() ? "" : ", ") + field.name;
    return UserError("_LEGACY_ERROR_TEMP_1196",
                     {{"columnType", "Clustering"}, {"columnName", column}, {"validColumnNames", names}});
  }
  return arrow::Status::OK();
}

arrow::Result<logical::PlanPtr> Session::PrepareStreamTable(const connect::WriteStreamOperationStart& start,
                                                            logical::PlanPtr plan, connector::SinkRequest* request,
                                                            std::string* provider) {
  ARROW_ASSIGN_OR_RAISE(auto name, sql::ParseMultipartIdentifier(start.table_name()));
  TableCommands commands(*this);
  catalog::TablePtr table = catalog_.FindTable(name);
  if (catalog_.FindView(name)) return UserError("_LEGACY_ERROR_TEMP_1190", {{"viewName", start.table_name()}});
  if (table != nullptr && table->kind == catalog::TableKind::kView) {
    return UserError("_LEGACY_ERROR_TEMP_1191", {{"viewName", start.table_name()}});
  }
  types::DataTypePtr rows = plan->Schema();
  ARROW_RETURN_NOT_OK(CheckClusteringColumns(start, *rows, conf_.GetBool("spark.sql.caseSensitive")));
  std::string source = start.format();
  if (source.empty()) source = conf_.Get("spark.sql.sources.default").value_or("parquet");
  if (table == nullptr) {
    sql::CreateTable create;
    create.name = name;
    create.provider = start.format();
    types::DataTypePtr schema = plan->Schema();
    for (const auto& field : schema->fields()) create.columns.push_back({field});
    create.partition_columns = request->partition_columns;
    ARROW_ASSIGN_OR_RAISE(create.cluster_columns, ColumnNames(start.clustering_column_names()));
    std::string path = request->path;
    if (!path.empty()) create.location = path;
    ARROW_RETURN_NOT_OK(commands.Create(create));
    table = catalog_.FindTable(name);
  } else if (!EqualsIgnoreCase(source, table->provider)) {
    return UserError("_LEGACY_ERROR_TEMP_1192",
                     {{"source", source}, {"tableName", start.table_name()}, {"provider", table->provider}});
  }
  if (table->buckets) return analyzer::NotSupported("a stream into a bucketed table");
  for (const auto& [key, value] : table->options) {
    if (!request->options.Has(key)) request->options.Set(key, value);
  }
  request->path = table->location;
  request->partition_columns = table->partition_columns;
  *provider = table->provider;
  return plan;
}

std::optional<std::string> Session::TemporaryViewIn(const connect::Relation& query) const {
  std::optional<std::string> found;
  std::set<std::string> defined;
  std::function<void(const google::protobuf::Message&)> visit = [&](const google::protobuf::Message& message) {
    if (found) return;
    if (message.GetDescriptor()->full_name() == "spark.connect.WithRelations") {
      for (const auto& reference : static_cast<const connect::WithRelations&>(message).references()) {
        if (reference.has_subquery_alias()) defined.insert(ToLowerAscii(reference.subquery_alias().alias()));
      }
    }
    if (message.GetDescriptor()->full_name() == "spark.connect.Read.NamedTable") {
      const auto& table = static_cast<const connect::Read::NamedTable&>(message);
      auto parts = sql::ParseMultipartIdentifier(table.unparsed_identifier());
      if (parts.ok() && defined.count(ToLowerAscii(parts->back())) == 0 && catalog_.FindView(*parts)) {
        found = parts->back();
      }
      return;
    }
    const google::protobuf::Reflection* reflection = message.GetReflection();
    std::vector<const google::protobuf::FieldDescriptor*> fields;
    reflection->ListFields(message, &fields);
    for (const auto* field : fields) {
      if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE || field->is_map()) continue;
      if (!field->is_repeated()) {
        visit(reflection->GetMessage(message, field));
        continue;
      }
      for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
        visit(reflection->GetRepeatedMessage(message, field, i));
      }
    }
  };
  visit(query);
  return found;
}

arrow::Result<logical::PlanPtr> Session::AnalyzeInsert(const sql::Insert& insert, const catalog::Table& table) {
  connect::Relation query = insert.query;
  bool values = query.has_unresolved_table_valued_function() &&
                query.unresolved_table_valued_function().function_name() == sql::kInlineTable;
  if (!values || table.schema == nullptr) return Analyze(query);
  std::vector<std::string> columns = insert.columns;
  for (const auto& field : table.schema->fields()) {
    if (insert.columns.empty()) columns.push_back(field.name);
  }
  for (auto& row : *query.mutable_unresolved_table_valued_function()->mutable_arguments()) {
    if (!row.has_unresolved_function()) continue;
    auto* cells = row.mutable_unresolved_function()->mutable_arguments();
    for (int i = 0; i < cells->size() && static_cast<size_t>(i) < columns.size(); ++i) {
      connect::Expression& cell = (*cells)[i];
      bool is_default = cell.has_unresolved_attribute() &&
                        EqualsIgnoreCase(cell.unresolved_attribute().unparsed_identifier(), "default");
      if (!is_default) continue;
      int at = table.schema->FieldIndex(columns[static_cast<size_t>(i)], false);
      cell.Clear();
      std::string text = "NULL";
      if (at >= 0) text = types::DefaultOf(table.schema->fields()[static_cast<size_t>(at)]).value_or(text);
      ARROW_RETURN_NOT_OK(sql::ParseExpression(text, ParserOptions(), &cell));
    }
  }
  return Analyze(query);
}

}  // namespace millrace::session
