#include "analyzer/named_table.h"

#include <algorithm>

#include "analyzer/constant.h"
#include "analyzer/native_functions.h"
#include "analyzer/relation_resolver.h"
#include "base/ascii.h"
#include "base/error.h"
#include "connector/missing_source.h"
#include "expression/type_coercion.h"
#include "function/char_padding.h"
#include "logical/node/project.h"
#include "logical/node/source_scan.h"
#include "logical/node/subquery_alias.h"
#include "spark/connect/relations.pb.h"
#include "sql/parser.h"
#include "sql/time_travel.h"
#include "types/arrow_type.h"
#include "types/datetime_text.h"

namespace millrace::analyzer {

namespace {

using expression::ExpressionKind;
using spark::connect::Relation;

// spark.sql.view.maxNestedViewDepth.
constexpr int kMaxViewDepth = 100;

bool SameColumn(std::string_view a, std::string_view b, const AnalyzerContext& context) {
  return context.eval.case_sensitive ? a == b : EqualsIgnoreCase(a, b);
}

// The column of the view's query that was the `place`th of the view: by its name, and of several of one name by where
// it stands among them.
arrow::Result<AttributePtr> ViewColumn(const AnalyzerContext& context, const catalog::Table& view,
                                       const std::vector<std::string>& names, size_t place,
                                       const AttributeVector& output) {
  size_t expected = 0;
  size_t ordinal = 0;
  for (size_t i = 0; i < names.size(); ++i) {
    if (!SameColumn(names[i], names[place], context)) continue;
    ++expected;
    if (i < place) ++ordinal;
  }
  AttributeVector matched;
  for (const AttributePtr& column : output) {
    if (SameColumn(column->name(), names[place], context)) matched.push_back(column);
  }
  if (matched.size() == expected) return matched[ordinal];
  std::string actual;
  for (const AttributePtr& column : matched) actual += (actual.empty() ? "" : ",") + column->name();
  std::string columns;
  bool renamed = false;
  const auto& fields = view.schema->fields();
  for (size_t i = 0; i < fields.size(); ++i) {
    columns += (i == 0 ? "" : ", ") + fields[i].name;
    renamed = renamed || i >= names.size() || fields[i].name != names[i];
  }
  std::string suggestion = "CREATE OR REPLACE VIEW " + std::string(catalog::kCatalogName) + "." + view.database + "." +
                           view.name + (renamed ? " (" + columns + ") " : " ") + "AS " + view.view_text;
  return UserError("INCOMPATIBLE_VIEW_SCHEMA_CHANGE", {{"viewName", QuoteNameParts(view.FullName())},
                                                       {"colName", names[place]},
                                                       {"expectedNum", std::to_string(expected)},
                                                       {"actualCols", "[" + actual + "]"},
                                                       {"suggestion", suggestion}});
}

// What the mode of the view makes of a column whose type may have changed. Source: Spark,
// SessionCatalog.fromCatalogTable.
arrow::Result<ExpressionPtr> AsViewType(const catalog::Table& view, const AttributePtr& column,
                                        const types::DataTypePtr& type, bool compensates) {
  if (view.view_schema_mode == "TYPE EVOLUTION" || column->type()->EqualsIgnoreNullability(*type)) return column;
  if (!compensates && !CanUpCast(*column->type(), *type)) {
    return UserError("CANNOT_UP_CAST_DATATYPE",
                     {{"expression", column->Sql(/*pretty=*/false)},
                      {"sourceType", QuoteSqlType(column->type()->Sql())},
                      {"targetType", QuoteSqlType(type->Sql())},
                      {"details",
                       "The type path of the target object is:\n\nYou can either add an explicit cast to the "
                       "input data or choose a higher precision type of the field in the target object"}});
  }
  if (!expression::CanCast(*column->type(), *type, expression::CastMode::kAnsi)) {
    return UserError("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", {{"sqlExpr", QuoteSqlExpression(column->Sql(true))},
                                                                   {"srcType", QuoteSqlType(column->type()->Sql())},
                                                                   {"targetType", QuoteSqlType(type->Sql())}});
  }
  return std::make_shared<expression::Cast>(column, type, expression::CastMode::kAnsi, false);
}

// Keeps what the columns of an evolving view have become. Source: Spark, ViewSyncSchemaToMetaStore.
arrow::Status EvolveView(const AnalyzerContext& context, const catalog::Table& view, const PlanPtr& plan) {
  bool all = view.view_schema_mode == "EVOLUTION";
  const AttributeVector& output = plan->output();
  const auto& before = view.schema->fields();
  bool changed = before.size() != output.size();
  std::vector<types::StructField> fields;
  std::vector<std::string> names;
  for (size_t i = 0; i < output.size(); ++i) {
    types::StructField field = output[i]->ToField();
    if (!all) field.metadata_json = before[i].metadata_json;
    changed = changed || !field.type->Equals(*before[i].type) ||
              (all && (field.name != before[i].name || field.metadata_json != before[i].metadata_json));
    for (size_t j = 0; all && j < i; ++j) {
      if (SameColumn(fields[j].name, field.name, context)) {
        return UserError("COLUMN_ALREADY_EXISTS", {{"columnName", QuoteIdentifier(ToLowerAscii(field.name))}});
      }
    }
    names.push_back(field.name);
    fields.push_back(std::move(field));
  }
  if (!changed || context.catalog == nullptr) return arrow::Status::OK();
  types::DataTypePtr schema = types::Struct(std::move(fields));
  return context.catalog->metastore().AlterTable(view.database, view.name, [&](catalog::Table* table) {
    table->schema = schema;
    if (all) table->view_columns = names;
  });
}

arrow::Result<PlanPtr> ResolveView(const AnalyzerContext& context, const catalog::Table& view) {
  if (context.view_depth >= kMaxViewDepth) {
    return UserError("VIEW_EXCEED_MAX_NESTED_DEPTH", {{"viewName", QuoteNameParts(view.FullName())},
                                                      {"maxNestedDepth", std::to_string(kMaxViewDepth)}});
  }
  Relation query;
  ARROW_RETURN_NOT_OK(sql::ParseQuery(view.view_text, ParserOptionsOf(context), &query));
  AnalyzerContext inside = context;
  inside.view_database = view.view_database;
  ++inside.view_depth;
  ARROW_ASSIGN_OR_RAISE(PlanPtr plan, RelationResolver(inside).Resolve(query));
  if (view.view_schema_mode == "EVOLUTION") {
    ARROW_RETURN_NOT_OK(EvolveView(context, view, plan));
    return plan;
  }
  const auto& fields = view.schema->fields();
  std::vector<std::string> names = view.view_columns;
  if (names.size() != fields.size()) {
    names.clear();
    for (const types::StructField& field : fields) names.push_back(field.name);
  }
  bool compensates =
      view.view_schema_mode == "COMPENSATION" ||
      (view.view_schema_mode == "UNSUPPORTED" && !context.ConfIs("spark.sql.legacy.viewSchemaCompensation", "false"));
  ExpressionVector items;
  for (size_t i = 0; i < fields.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(AttributePtr column, ViewColumn(context, view, names, i, plan->output()));
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, AsViewType(view, column, fields[i].type, compensates));
    bool same = value == column && column->name() == fields[i].name;
    if (!same || !fields[i].metadata_json.empty()) {
      value = std::make_shared<expression::Alias>(value, fields[i].name, expression::NextAttributeId(),
                                                  fields[i].metadata_json);
    }
    items.push_back(std::move(value));
  }
  plan = std::make_shared<logical::Project>(std::move(items), std::move(plan));
  if (view.view_schema_mode == "TYPE EVOLUTION") ARROW_RETURN_NOT_OK(EvolveView(context, view, plan));
  return plan;
}

arrow::Status NotFound(const AnalyzerContext& context, const std::vector<std::string>& name) {
  std::string database = catalog::kDefaultDatabase;
  if (context.catalog != nullptr) database = context.view_database.value_or(context.catalog->current_database());
  return UserError("TABLE_OR_VIEW_NOT_FOUND", {{"relationName", QuoteNameParts(name)},
                                               {"searchPath", "[`system`.`builtin`, `system`.`session`, " +
                                                                  catalog::QuotedDatabase(database) + "]"}});
}

// parquet.`/a/path`: the files themselves.
arrow::Result<PlanPtr> ScanPath(const AnalyzerContext& context, const connector::SourceDef* def,
                                const std::string& path, const Options& options, bool streaming) {
  if (path.empty()) return UserError("INVALID_EMPTY_LOCATION", {{"location", path}});
  auto request = std::make_shared<connector::SourceRequest>();
  request->options = options;
  request->paths = {path};
  ARROW_ASSIGN_OR_RAISE(PlanPtr scan, ScanSource(context, def, std::move(request), streaming));
  if (def->name != std::string_view("delta")) return scan;
  // A table of the catalog like others: its columns can be called by the path.
  return std::make_shared<logical::SubqueryAlias>(std::vector<std::string>{catalog::kCatalogName, "delta", path},
                                                  std::move(scan));
}

bool IsFileSource(std::string_view name) {
  for (std::string_view known : {"parquet", "json", "csv", "text", "orc", "avro", "delta"}) {
    if (EqualsIgnoreCase(known, name)) return true;
  }
  return false;
}

// CHAR columns with their blanks.
PlanPtr WithPaddedChars(PlanPtr scan) {
  ExpressionVector items;
  bool any = false;
  for (const AttributePtr& column : scan->output()) {
    std::optional<types::CharType> type = types::CharTypeOf(*column->type(), column->metadata_json());
    if (!type || !type->padded) {
      items.push_back(column);
      continue;
    }
    any = true;
    items.push_back(std::make_shared<expression::Alias>(function::PaddedTo(column, type->length), column->name(),
                                                        expression::NextAttributeId(), column->metadata_json()));
  }
  if (!any) return scan;
  return std::make_shared<logical::Project>(std::move(items), std::move(scan));
}

std::string Quoted(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ".") + types::QuoteIfNeeded(part);
  return text;
}

// TIMESTAMP AS OF an expression: its value, as the option timestampAsOf has it. Source: Spark's TimeTravelSpec.
arrow::Result<std::string> TimeTravelTimestamp(const AnalyzerContext& context, const std::string& sql) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, ResolveConstant(sql, context));
  auto invalid = [&](const char* why) {
    return UserError(std::string("INVALID_TIME_TRAVEL_TIMESTAMP_EXPR.") + why,
                     {{"expr", QuoteSqlExpression(value->Sql(/*pretty=*/true))}});
  };
  if (!expression::CanCast(*value->type(), *types::Timestamp(), expression::CastMode::kAnsi)) return invalid("INPUT");
  if (!value->deterministic()) return invalid("NON_DETERMINISTIC");
  // The time of the query is no constant to the optimizer, but it has a value.
  bool evaluable = true;
  expression::Visit(*value, [&](const expression::Expression& part) {
    constexpr ExpressionKind kPlain[] = {ExpressionKind::kLiteral, ExpressionKind::kCall, ExpressionKind::kCast,
                                         ExpressionKind::kCaseWhen, ExpressionKind::kLogical};
    evaluable = evaluable && std::find(std::begin(kPlain), std::end(kPlain), part.kind()) != std::end(kPlain);
    return evaluable;
  });
  if (!evaluable) return invalid("UNEVALUABLE");
  expression::Cast cast(value, types::Timestamp(), expression::CastMode::kLegacy, false);
  ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(cast, context.eval));
  if (!scalar->is_valid) return invalid("INPUT");
  std::string text;
  types::AppendTimestamp(static_cast<const arrow::TimestampScalar&>(*scalar).value, *context.eval.time_zone, &text);
  return text;
}

// A view is not a common table expression: each use of it is a place of its own that reads its streams.
PlanPtr AtAnotherPlace(PlanPtr view) {
  if (!view->is_streaming()) return view;
  return logical::TransformUp(view, [](const PlanPtr& node) -> PlanPtr {
    if (node->kind() != logical::NodeKind::kSourceScan) return nullptr;
    const auto& scan = static_cast<const logical::SourceScan&>(*node);
    return scan.WithKey({scan.source_key(), expression::NextAttributeId().value});
  });
}

}  // namespace

AttributeVector NewColumns(const types::DataType& schema) {
  AttributeVector columns;
  for (const types::StructField& field : schema.fields()) {
    columns.push_back(std::make_shared<expression::AttributeReference>(
        expression::NextAttributeId(), field.name, field.type, field.nullable, std::vector<std::string>{},
        field.metadata_json));
  }
  return columns;
}

arrow::Result<PlanPtr> ScanSource(const AnalyzerContext& context, const connector::SourceDef* def,
                                  std::shared_ptr<connector::SourceRequest> request, bool streaming) {
  request->streaming = streaming;
  request->context = context.connector;
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, def->schema(*request));
  // Options are looked at first, as Spark asks for the table before what it can do.
  if (streaming && def->open_stream == nullptr) {
    return UserError("_LEGACY_ERROR_TEMP_2049", {{"className", std::string(def->name)}, {"operator", "reading"}});
  }
  if (!streaming && def->open_batch == nullptr) {
    return UserError("_LEGACY_ERROR_TEMP_1135", {{"className", std::string(def->name)}});
  }
  request->schema = schema;
  AttributeVector output = NewColumns(*schema);
  connector::ReadColumns columns;
  for (size_t i = 0; i < output.size(); ++i) columns.indices.push_back(static_cast<int>(i));
  // Any unique number does; attribute ids are handed out once a process.
  int64_t key = expression::NextAttributeId().value;
  return std::make_shared<logical::SourceScan>(std::move(output), std::move(columns), def, std::move(request),
                                               streaming, logical::StreamKey{key, key});
}

arrow::Result<PlanPtr> ScanTable(const AnalyzerContext& context, const catalog::Table& table, const Options& options,
                                 bool streaming) {
  std::vector<std::string> name = table.FullName();
  if (table.kind == catalog::TableKind::kView) {
    if (options.Has("versionAsOf") || options.Has("timestampAsOf")) {
      return UserError("UNSUPPORTED_FEATURE.TIME_TRAVEL", {{"relationId", QuoteNameParts(name)}});
    }
    ARROW_ASSIGN_OR_RAISE(PlanPtr plan, ResolveView(context, table));
    return std::make_shared<logical::SubqueryAlias>(std::move(name), std::move(plan));
  }
  const connector::SourceDef* def = connector::FindSource(table.provider);
  if (def == nullptr) return connector::MissingSource(table.provider);
  bool keeps_schema = table.schema == nullptr;
  // Files of others may hold CHAR values without their blanks; Delta pads its own.
  bool keeps_chars = !keeps_schema && !EqualsIgnoreCase(table.provider, "delta");
  if (!keeps_schema && (options.Has("versionAsOf") || options.Has("timestampAsOf"))) {
    return UserError("UNSUPPORTED_FEATURE.TIME_TRAVEL", {{"relationId", QuoteNameParts(name)}});
  }
  auto request = std::make_shared<connector::SourceRequest>();
  for (const auto& [key, value] : table.options) request->options.Set(key, value);
  for (const auto& [key, entry] : options.entries()) request->options.Set(entry.key, entry.value);
  request->paths = {table.location};
  request->user_schema = table.schema;
  request->of_table = !keeps_schema;
  ARROW_ASSIGN_OR_RAISE(PlanPtr scan, ScanSource(context, def, std::move(request), streaming));
  if (keeps_chars) scan = WithPaddedChars(std::move(scan));
  return std::make_shared<logical::SubqueryAlias>(std::move(name), std::move(scan));
}

arrow::Result<PlanPtr> ResolveNamedTable(RelationResolver& resolver, const Relation& relation) {
  const auto& read = relation.read();
  const auto& message = read.named_table();
  const AnalyzerContext& context = resolver.context();
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> parts, ParseNameParts(message.unparsed_identifier()));
  const PlanPtr* defined = parts.size() == 1 ? resolver.FindRelation(parts[0]) : nullptr;
  if (defined != nullptr) {
    return std::make_shared<logical::SubqueryAlias>(parts, logical::FreshCopy(*defined, nullptr));
  }
  if (context.catalog == nullptr) return NotFound(context, parts);
  if (std::optional<PlanPtr> view = context.catalog->FindView(parts)) {
    if (read.is_streaming() && !(*view)->is_streaming()) {
      return UserError("_LEGACY_ERROR_TEMP_1008", {{"quoted", Quoted(parts)}});
    }
    return std::make_shared<logical::SubqueryAlias>(parts, AtAnotherPlace(logical::FreshCopy(*view, nullptr)));
  }
  Options options;
  for (const auto& [key, value] : message.options()) {
    if (key != sql::kTimestampExpression) {
      options.Set(key, value);
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(std::string timestamp, TimeTravelTimestamp(context, value));
    options.Set("timestampAsOf", std::move(timestamp));
  }
  if (catalog::TablePtr table = context.catalog->FindTable(parts, context.view_database)) {
    if (read.is_streaming() && table->kind == catalog::TableKind::kView) {
      return UserError("_LEGACY_ERROR_TEMP_1018", {{"quoted", Quoted({table->database, table->name})}});
    }
    return ScanTable(context, *table, options, read.is_streaming());
  }
  if (parts.size() == 2 && IsFileSource(parts[0])) {
    const connector::SourceDef* def = connector::FindSource(parts[0]);
    if (def != nullptr) return ScanPath(context, def, parts[1], options, read.is_streaming());
  }
  if (parts.size() > 3 || (parts.size() == 3 && !EqualsIgnoreCase(parts[0], catalog::kCatalogName))) {
    return UserError("REQUIRES_SINGLE_PART_NAMESPACE",
                     {{"sessionCatalog", catalog::kCatalogName}, {"identifier", QuoteNameParts(parts)}});
  }
  return NotFound(context, parts);
}

}  // namespace millrace::analyzer
