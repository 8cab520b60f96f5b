#include <functional>

#include "analyzer/named_table.h"
#include "base/ascii.h"
#include "base/error.h"
#include "connector/missing_source.h"
#include "logical/node/project.h"
#include "session/table_commands.h"
#include "types/collation.h"
#include "types/column_metadata.h"

namespace millrace::session {

using catalog::Table;
using catalog::TableKind;
using catalog::TablePtr;

namespace {

// Source: Spark, CheckAnalysis of commands that keep a schema.
arrow::Status CheckCollations(const types::DataType& schema) {
  std::string paths;
  for (const types::StructField& field : schema.fields()) {
    bool unknown = false;
    bool in_key = false;
    std::function<void(const types::DataType&)> look = [&](const types::DataType& type) {
      bool text = type.id() == types::TypeId::kString;
      unknown = unknown || (text && types::CollationNumber(type) == types::kIndeterminateCollation);
      in_key = in_key || (type.id() == types::TypeId::kMap && types::HoldsCollation(*type.key()));
      for (const types::StructField& inner : type.fields()) look(*inner.type);
    };
    look(*field.type);
    if (in_key) return UserError("UNSUPPORTED_FEATURE.COLLATIONS_IN_MAP_KEYS");
    if (unknown) paths += (paths.empty() ? "" : ", ") + types::QuoteIfNeeded(field.name);
  }
  if (paths.empty()) return arrow::Status::OK();
  return UserError("INDETERMINATE_COLLATION_IN_SCHEMA", {{"columnPaths", paths}});
}

}  // namespace

arrow::Status CheckKeptColumns(const types::DataType& schema, bool case_sensitive) {
  ARROW_RETURN_NOT_OK(CheckCollations(schema));
  for (size_t i = 0; i < schema.fields().size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const std::string& a = schema.fields()[i].name;
      const std::string& b = schema.fields()[j].name;
      if (case_sensitive ? a == b : EqualsIgnoreCase(a, b)) {
        return UserError("COLUMN_ALREADY_EXISTS", {{"columnName", QuoteIdentifier(ToLowerAscii(a))}});
      }
    }
  }
  return arrow::Status::OK();
}

arrow::Result<types::DataTypePtr> TableCommands::ViewSchema(const sql::CreateView& view,
                                                            const types::DataType& query) const {
  std::vector<types::StructField> fields = query.fields();
  if (!view.columns.empty()) {
    if (view.columns.size() != fields.size()) {
      ARROW_ASSIGN_OR_RAISE(catalog::Catalog::TableName name, Qualify(view.name));
      std::string names;
      std::string data;
      for (const auto& column : view.columns) names += (names.empty() ? "" : ", ") + QuoteIdentifier(column.first);
      for (const auto& field : fields) data += (data.empty() ? "" : ", ") + QuoteIdentifier(field.name);
      std::vector<std::string> full = {catalog::kCatalogName, name.database, name.name};
      if (view.temporary) full = {view.name.back()};
      return UserError(view.columns.size() > fields.size() ? "CREATE_VIEW_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS"
                                                           : "CREATE_VIEW_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS",
                       {{"viewName", QuoteNameParts(full)}, {"viewColumns", names}, {"dataColumns", data}});
    }
    for (size_t i = 0; i < fields.size(); ++i) {
      fields[i].name = view.columns[i].first;
      if (view.columns[i].second) fields[i].metadata_json = types::ColumnCommentJson(*view.columns[i].second);
    }
  }
  return types::Struct(std::move(fields));
}

arrow::Status TableCommands::CreateView(const sql::CreateView& create) {
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan, session_.Analyze(create.query));
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, ViewSchema(create, *plan->Schema()));
  if (create.temporary) {
    if (!create.columns.empty()) {
      expression::ExpressionVector items;
      for (size_t i = 0; i < schema->fields().size(); ++i) {
        const types::StructField& field = schema->fields()[i];
        items.push_back(std::make_shared<expression::Alias>(plan->output()[i], field.name,
                                                            expression::NextAttributeId(), field.metadata_json));
      }
      plan = std::make_shared<logical::Project>(std::move(items), std::move(plan));
    }
    bool global = create.global;
    if (!global && create.name.size() > 1) {
      return UserError("TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS", {{"actualName", QuoteNameParts(create.name)}});
    }
    return catalog_.CreateView(create.name.back(), global, create.replace, std::move(plan));
  }
  ARROW_ASSIGN_OR_RAISE(catalog::Catalog::TableName name, Qualify(create.name));
  Table view;
  view.database = name.database;
  view.name = name.name;
  view.kind = TableKind::kView;
  if (std::optional<std::string> temporary = session_.TemporaryViewIn(create.query)) {
    return UserError("INVALID_TEMP_OBJ_REFERENCE", {{"obj", "VIEW"},
                                                    {"objName", QuoteNameParts(view.FullName())},
                                                    {"tempObj", "VIEW"},
                                                    {"tempObjName", QuoteIdentifier(*temporary)}});
  }
  TablePtr existing = metastore_.FindTable(name.database, name.name);
  if (existing != nullptr && create.if_not_exists) return arrow::Status::OK();
  if (existing != nullptr && create.replace && existing->kind != TableKind::kView) {
    return UserError("EXPECT_VIEW_NOT_TABLE.NO_ALTERNATIVE",
                     {{"tableName", QuoteNameParts(existing->FullName())}, {"operation", "CREATE OR REPLACE VIEW"}});
  }
  ARROW_RETURN_NOT_OK(CheckKeptColumns(*schema, session_.conf().GetBool("spark.sql.caseSensitive")));
  view.schema = schema;
  view.view_text = create.query_text;
  view.view_database = catalog_.current_database();
  for (const auto& column : plan->output()) view.view_columns.push_back(column->name());
  view.view_schema_mode = create.schema_mode;
  if (create.schema_mode.empty()) {
    bool binds = !session_.conf().GetBool("spark.sql.legacy.viewSchemaCompensation");
    view.view_schema_mode = !session_.conf().GetBool("spark.sql.legacy.viewSchemaBindingMode") ? "UNSUPPORTED"
                            : binds                                                            ? "BINDING"
                                                                                               : "COMPENSATION";
  }
  // Names of its own hold the columns of a view fast.
  if (!create.columns.empty() && create.schema_mode == "EVOLUTION") view.view_schema_mode = "TYPE EVOLUTION";
  view.properties = create.properties;
  view.comment = create.comment;
  view.created_ms = session_.engine().clock->NowMicros() / 1000;
  return metastore_.CreateTable(std::move(view), create.replace);
}

arrow::Status TableCommands::CreateViewUsing(const sql::CreateViewUsing& create) {
  const connector::SourceDef* def = connector::FindSource(create.provider);
  if (def == nullptr) return connector::MissingSource(create.provider);
  auto request = std::make_shared<connector::SourceRequest>();
  for (const auto& [key, value] : create.options) request->options.Set(key, value);
  if (std::optional<std::string> path = request->options.Get("path")) request->paths = {*path};
  if (!create.columns.empty()) request->user_schema = SchemaOfColumns(create.columns);
  ARROW_ASSIGN_OR_RAISE(logical::PlanPtr plan,
                        analyzer::ScanSource(session_.MakeAnalyzerContext(), def, std::move(request), false));
  return catalog_.CreateView(create.name.back(), create.global, create.replace, std::move(plan));
}

}  // namespace millrace::session
