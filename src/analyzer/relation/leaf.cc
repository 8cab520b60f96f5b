#include <arrow/array.h>
#include <arrow/builder.h>

#include "analyzer/local_slices.h"
#include "analyzer/named_table.h"
#include "analyzer/python_table_functions.h"
#include "analyzer/recursive_table.h"
#include "analyzer/relation/listed_tables.h"
#include "analyzer/relation/range_function.h"
#include "analyzer/relation/table_changes.h"
#include "analyzer/relation/worker_logs.h"
#include "analyzer/relation_resolver.h"
#include "analyzer/shared_table.h"
#include "analyzer/sql_functions.h"
#include "base/ascii.h"
#include "base/error.h"
#include "connector/missing_source.h"
#include "connector/sink.h"
#include "expression/cast.h"
#include "expression/type_coercion.h"
#include "expression/vector.h"
#include "function/function_def.h"
#include "logical/node/local_relation.h"
#include "logical/node/project.h"
#include "logical/node/range.h"
#include "logical/node/union.h"
#include "spark/connect/relations.pb.h"
#include "sql/parser.h"
#include "sql/plan_conventions.h"
#include "sql/sql_parameters.h"
#include "types/arrow_type.h"

// Clients before 4.2 still send the fields that later ones mark as deprecated.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace millrace::analyzer {

namespace {

using expression::AttributePtr;
using spark::connect::Relation;

std::string CaseInsensitiveOption(const google::protobuf::Map<std::string, std::string>& options,
                                  std::string_view key) {
  for (const auto& [name, value] : options) {
    if (EqualsIgnoreCase(name, key)) return value;
  }
  return "";
}

// Names are for queries whose sources may change from one run to the next.
arrow::Status RefuseSourceName(const AnalyzerContext& context, const std::string& name) {
  if (name.empty()) return arrow::Status::OK();
  if (!context.ConfIs("spark.sql.streaming.queryEvolution.enableSourceEvolution", "true")) {
    return UserError("STREAMING_QUERY_EVOLUTION_ERROR.SOURCE_NAMING_NOT_SUPPORTED", {{"name", name}});
  }
  return NotSupported("a stream's source with a name");
}

// As in Spark before 3.0, one path of load() takes the place of the option, and of several it is one more.
// Source: Spark, DataFrameReader.load, DataStreamReader.load.
constexpr std::string_view kPathOptionBehavior = "spark.sql.legacy.pathOptionBehavior.enabled";

arrow::Status CheckPathGivenOnce(const connector::SourceRequest& request, bool streaming) {
  bool as_option = request.options.Has("path") || (!streaming && request.options.Has("paths"));
  if (request.paths.empty() || !as_option) return arrow::Status::OK();
  ErrorParameters parameters{{"config", std::string(kPathOptionBehavior)}};
  if (!streaming) return UserError("_LEGACY_ERROR_TEMP_1306", std::move(parameters));
  parameters["method"] = "load";
  return UserError("_LEGACY_ERROR_TEMP_1188", std::move(parameters));
}

arrow::Result<PlanPtr> ReadSource(RelationResolver& resolver, const spark::connect::Read& read) {
  const auto& message = read.data_source();
  std::string format =
      message.has_format() && !message.format().empty() ? message.format() : resolver.context().default_source;
  const connector::SourceDef* def = connector::FindSource(format);
  std::shared_ptr<const connector::Extension> extension;
  // In Spark "memory" is a sink only: the name is free for sources of the user's.
  bool free_name = def == nullptr || def->name == "memory";
  if (free_name && resolver.context().registered_source) {
    RegisteredSource registered = resolver.context().registered_source(format);
    if (def == nullptr || registered.def != nullptr) def = registered.def;
    extension = std::move(registered.extension);
  }
  if (def == nullptr) {
    if (EqualsIgnoreCase(format, "hive")) return UserError("_LEGACY_ERROR_TEMP_1187", {{"operation", "read"}});
    if (read.is_streaming() && (connector::FindSink(format) != nullptr || EqualsIgnoreCase(format, "jdbc"))) {
      return UserError("_LEGACY_ERROR_TEMP_2049", {{"className", format}, {"operator", "reading"}});
    }
    return connector::MissingSource(format);
  }
  ARROW_RETURN_NOT_OK(RefuseSourceName(resolver.context(), message.source_name()));
  if (message.predicates_size() > 0) return NotSupported("reading by predicates (jdbc)");
  auto request = std::make_shared<connector::SourceRequest>();
  request->extension = std::move(extension);
  for (const auto& [key, value] : message.options()) request->options.Set(key, value);
  request->paths.assign(message.paths().begin(), message.paths().end());
  std::string path = CaseInsensitiveOption(message.options(), "path");
  if (resolver.context().ConfIs(kPathOptionBehavior, "true")) {
    if (request->paths.size() > 1 && !path.empty()) request->paths.insert(request->paths.begin(), path);
  } else {
    ARROW_RETURN_NOT_OK(CheckPathGivenOnce(*request, read.is_streaming()));
  }
  if (request->paths.empty() && !path.empty()) request->paths.push_back(path);
  if (message.has_schema() && !message.schema().empty()) {
    ARROW_ASSIGN_OR_RAISE(request->user_schema, ParseSchemaText(message.schema()));
  }
  return ScanSource(resolver.context(), def, std::move(request), read.is_streaming());
}

}  // namespace

arrow::Result<PlanPtr> ResolveRead(RelationResolver& resolver, const Relation& relation) {
  const auto& read = relation.read();
  if (!read.has_data_source() && !read.has_named_table()) return NotSupported("a read of an unknown kind");
  ARROW_ASSIGN_OR_RAISE(PlanPtr plan,
                        read.has_data_source() ? ReadSource(resolver, read) : ResolveNamedTable(resolver, relation));
  // The streams of a view are those of the frame it was made of.
  return read.is_streaming() ? resolver.ShareStream(relation.common().plan_id(), std::move(plan)) : plan;
}

arrow::Result<PlanPtr> ResolveRange(RelationResolver& resolver, const Relation& relation) {
  const auto& range = relation.range();
  if (range.step() == 0) {
    return UserError("INVALID_PARAMETER_VALUE.ZERO_INDEX", {{"parameter", "`step`"}, {"functionName", "`range`"}});
  }
  auto id = std::make_shared<expression::AttributeReference>(expression::NextAttributeId(), "id", types::Long(), false);
  int num_partitions = range.num_partitions() > 0 ? range.num_partitions() : LeafParallelism(resolver.context());
  return std::make_shared<logical::Range>(std::move(id), range.start(), range.end(), range.step(), num_partitions);
}

arrow::Result<PlanPtr> ResolveCachedRemoteRelation(RelationResolver& resolver, const Relation& relation) {
  const std::string& id = relation.cached_remote_relation().relation_id();
  const AnalyzerContext& context = resolver.context();
  if (id.starts_with(kKnownFrame) && context.known_frame) {
    auto known = context.known_frame(std::atoll(id.c_str() + kKnownFrame.size()));
    if (known != nullptr) return resolver.StandFor(*known);
  } else if (context.cached_relation) {
    ARROW_ASSIGN_OR_RAISE(PlanPtr plan, context.cached_relation(id));
    return id.starts_with(kStatement) ? logical::FreshCopy(plan, nullptr) : plan;
  }
  return UserError("DATAFRAME_NOT_FOUND", {{"dfId", id}});
}

arrow::Result<PlanPtr> ResolveSql(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.sql();
  sql::ParserOptions options = ParserOptionsOf(resolver.context());
  sql::SqlParameters parameters(message);
  parameters.AddTo(&options);
  Relation parsed;
  ARROW_RETURN_NOT_OK(sql::ParseQuery(message.query(), options, &parsed));
  return resolver.Resolve(parsed);
}

arrow::Result<PlanPtr> ResolveWithRelations(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.with_relations();
  RelationResolver::Scope outside = resolver.EnterScope();
  std::vector<std::string> names;
  for (const Relation& reference : message.references()) {
    // Plans of subquery expressions come by id, and are resolved where they stand: they may read what is around them.
    if (reference.common().has_plan_id()) resolver.DefineSubquery(reference.common().plan_id(), &reference);
    bool is_subquery = !reference.has_subquery_alias() || reference.common().plan_id() >= sql::kFirstSubqueryPlanId;
    if (is_subquery) continue;
    const std::string& name = reference.subquery_alias().alias();
    for (const std::string& other : names) {
      if (EqualsIgnoreCase(other, name)) {
        return UserError("DUPLICATED_CTE_NAMES", {{"duplicateNames", QuoteIdentifier(name)}});
      }
    }
    names.push_back(name);
    const Relation& query = reference.subquery_alias().input();
    if (query.has_hint() && query.hint().name() == sql::kRecursive) {
      std::optional<int64_t> max_level;
      if (query.hint().parameters_size() > 0) max_level = query.hint().parameters(0).literal().integer();
      ARROW_ASSIGN_OR_RAISE(PlanPtr plan, ResolveRecursiveTable(resolver, name, query.hint().input(), max_level));
      resolver.DefineRelation(name, std::move(plan));
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(PlanPtr plan, resolver.Resolve(reference));
    ARROW_ASSIGN_OR_RAISE(PlanPtr shared, SharedIfDrawn(resolver.context(), plan->child()));
    resolver.DefineRelation(name, std::move(shared));
  }
  arrow::Result<PlanPtr> root = resolver.Resolve(message.root());
  resolver.LeaveScope(std::move(outside));
  return root;
}

namespace {

// Numbers meet as in a UNION; a string and a number do not meet.
std::optional<types::DataTypePtr> CommonInlineType(const types::DataTypePtr& a, const types::DataTypePtr& b) {
  bool one_string = (a->id() == types::TypeId::kString) != (b->id() == types::TypeId::kString);
  bool null = a->id() == types::TypeId::kNull || b->id() == types::TypeId::kNull;
  if (one_string && !null) return std::nullopt;
  // Here, and only here, a whole number and a FLOAT meet in FLOAT.
  bool one_float = (a->id() == types::TypeId::kFloat) != (b->id() == types::TypeId::kFloat);
  if (one_float && (a->is_integral() || b->is_integral())) return types::Float();
  return expression::WiderType(a, b);
}

}  // namespace

namespace {

// A value that is known when the query runs: current_timestamp().
bool IsOfTheRun(const expression::Expression& value) {
  return !value.foldable() && value.deterministic() &&
         !expression::Contains(value, expression::ExpressionKind::kAttribute) &&
         !expression::Contains(value, expression::ExpressionKind::kAggregateCall);
}

// A projection of nothing for each row, because some values are not known before the query runs.
PlanPtr RowsOfTheRun(const types::DataType& schema, const std::vector<ExpressionVector>& rows) {
  std::vector<PlanPtr> plans;
  for (const ExpressionVector& row : rows) {
    ExpressionVector items;
    for (size_t c = 0; c < row.size(); ++c) {
      const types::StructField& field = schema.fields()[c];
      items.push_back(std::make_shared<expression::Alias>(expression::ImplicitCast(row[c], field.type), field.name,
                                                          expression::NextAttributeId(), field.metadata_json));
    }
    plans.push_back(std::make_shared<logical::Project>(std::move(items), logical::LocalRelation::OneRow()));
  }
  if (plans.size() == 1) return plans[0];
  return std::make_shared<logical::Union>(NewColumns(schema), std::move(plans));
}

}  // namespace

// One argument a row; columns of different rows meet in their common type.
arrow::Result<PlanPtr> ResolveInlineTable(RelationResolver& resolver, const Relation& relation,
                                          const std::vector<std::string>& names) {
  const auto& message = relation.unresolved_table_valued_function();
  AttributeVector none;
  std::vector<ExpressionVector> rows;
  for (const auto& argument : message.arguments()) {
    ExpressionVector row;
    bool is_row = argument.has_unresolved_function() && argument.unresolved_function().function_name() == "struct";
    if (is_row) {
      // A row that is one struct(…) is the values in it.
      const auto* values = &argument.unresolved_function().arguments();
      while (values->size() == 1 && (*values)[0].has_unresolved_function() &&
             (*values)[0].unresolved_function().function_name() == "struct") {
        values = &(*values)[0].unresolved_function().arguments();
      }
      ARROW_ASSIGN_OR_RAISE(row, resolver.Expressions(none).ResolveAll(*values));
    } else {
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, resolver.Expressions(none).Resolve(argument));
      row.push_back(std::move(value));
    }
    size_t expected = !names.empty() ? names.size() : rows.empty() ? row.size() : rows[0].size();
    if (row.size() != expected) {
      return UserError("INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH", {{"expectedNumCols", std::to_string(expected)},
                                                                     {"actualNumCols", std::to_string(row.size())},
                                                                     {"rowIndex", std::to_string(rows.size())}});
    }
    rows.push_back(std::move(row));
  }
  std::vector<types::StructField> fields;
  bool of_the_run = false;
  auto one_row = arrow::RecordBatch::Make(arrow::schema(arrow::FieldVector{}), 1, arrow::ArrayVector{});
  arrow::ArrayVector arrays;
  for (size_t c = 0; c < rows[0].size(); ++c) {
    std::string name = names.empty() ? "col" + std::to_string(c + 1) : names[c];
    std::vector<types::DataTypePtr> column_types;
    for (const ExpressionVector& row : rows) column_types.push_back(row[c]->type());
    std::optional<types::DataTypePtr> type = column_types[0];
    for (const types::DataTypePtr& other : column_types) {
      if (type) type = CommonInlineType(*type, other);
    }
    if (!type) {
      return UserError("INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE", {{"colName", QuoteIdentifier(name)}});
    }
    bool nullable = false;
    ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(types::ToArrow(**type)));
    for (const ExpressionVector& row : rows) {
      ExpressionPtr value = expression::ImplicitCast(row[c], *type);
      if (IsOfTheRun(*value)) {
        of_the_run = true;
        ARROW_RETURN_NOT_OK(builder->AppendNull());
        continue;
      }
      if (!value->foldable()) {
        return UserError("INVALID_INLINE_TABLE.CANNOT_EVALUATE_EXPRESSION_IN_INLINE_TABLE",
                         {{"expr", QuoteSqlExpression(value->Sql(true))}});
      }
      nullable = nullable || value->nullable();
      ARROW_ASSIGN_OR_RAISE(auto array, expression::EvaluateToArray(*value, resolver.context().eval, *one_row));
      ARROW_RETURN_NOT_OK(builder->AppendArraySlice(*array->data(), 0, 1));
    }
    ARROW_ASSIGN_OR_RAISE(auto array, builder->Finish());
    arrays.push_back(std::move(array));
    fields.push_back({std::move(name), *type, nullable, ""});
  }
  types::DataTypePtr schema = types::Struct(std::move(fields));
  if (of_the_run) return RowsOfTheRun(*schema, rows);
  auto num_rows = static_cast<int64_t>(rows.size());
  auto batch = arrow::RecordBatch::Make(types::ToArrowSchema(*schema), num_rows, std::move(arrays));
  auto partitions = CutRows({std::move(batch)}, SliceEnds(num_rows, LeafParallelism(resolver.context())));
  return std::make_shared<logical::LocalRelation>(NewColumns(*schema), std::move(partitions), std::string(),
                                                  logical::LocalRelation::Rows::kKnown);
}

arrow::Result<PlanPtr> ResolveTableFunction(RelationResolver& resolver, const Relation& relation) {
  const auto& message = relation.unresolved_table_valued_function();
  if (message.function_name() == sql::kInlineTable) return ResolveInlineTable(resolver, relation, {});
  if (IsTableChanges(message.function_name())) return ResolveTableChanges(resolver, relation);
  if (IsWorkerLogs(message.function_name())) return ResolveWorkerLogs(resolver, relation);
  if (IsListedTable(message.function_name())) return ResolveListedTable(resolver, relation);
  if (EqualsIgnoreCase(message.function_name(), "range")) return ResolveRangeFunction(resolver, relation);
  if (resolver.context().registered_function) {
    auto registered = resolver.context().registered_function(ToLowerAscii(message.function_name()));
    if (registered != nullptr && IsTableFunction(registered->function->eval_type)) {
      return ResolvePythonTable(resolver, *registered, message.arguments());
    }
  }
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> name, ParseNameParts(message.function_name()));
  if (name.size() > 1 || function::FindFunction(name[0]) == nullptr) {
    if (auto own = FindSqlFunction(resolver.context(), name)) {
      return ResolveSqlTableFunction(resolver, *own, message.arguments());
    }
  }
  // Any generator can stand in FROM: SELECT * FROM explode(array(1, 2)).
  Relation project;
  *project.mutable_project()->mutable_input() = Relation();
  project.mutable_project()->mutable_input()->mutable_local_relation();
  auto* call = project.mutable_project()->add_expressions()->mutable_unresolved_function();
  call->set_function_name(message.function_name());
  *call->mutable_arguments() = message.arguments();
  arrow::Result<PlanPtr> made = ResolveProject(resolver, project);
  if (made.ok() || !IsErrorCondition(made.status(), "UNRESOLVED_ROUTINE")) return made;
  return UserError("UNRESOLVABLE_TABLE_VALUED_FUNCTION", {{"name", QuoteNameParts(name)}});
}

}  // namespace millrace::analyzer
