#include "analyzer/sql_functions.h"

#include <algorithm>

#include "analyzer/domain_join.h"
#include "analyzer/operator_input.h"
#include "base/ascii.h"
#include "base/error.h"
#include "expression/call.h"
#include "expression/cast.h"
#include "expression/query_settings.h"
#include "logical/node/join.h"
#include "logical/node/local_relation.h"
#include "logical/node/project.h"
#include "logical/node/subquery_alias.h"
#include "spark/connect/expressions.pb.h"
#include "spark/connect/relations.pb.h"
#include "sql/parser.h"

namespace millrace::analyzer {

namespace {

namespace connect = spark::connect;
using catalog::SqlFunction;
using expression::Alias;
using expression::AttributeReference;
using expression::Cast;
using expression::CastMode;
using expression::ExpressionKind;

arrow::Result<ExpressionPtr> CastTo(const ExpressionPtr& value, const types::DataTypePtr& type, bool ansi) {
  if (value->type()->EqualsIgnoreNullability(*type)) return value;
  CastMode mode = ansi ? CastMode::kAnsi : CastMode::kLegacy;
  if (!expression::CanCast(*value->type(), *type, mode)) {
    return UserError("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", {{"sqlExpr", QuoteSqlExpression(value->Sql(true))},
                                                                   {"srcType", QuoteSqlType(value->type()->Sql())},
                                                                   {"targetType", QuoteSqlType(type->Sql())}});
  }
  return std::make_shared<Cast>(value, type, mode, /*user_specified=*/false);
}

expression::QuerySettings SettingsOf(const AnalyzerContext& inside) {
  expression::QuerySettings settings = expression::CurrentQuerySettings();
  settings.ansi = inside.eval.ansi;
  return settings;
}

// How the body is looked at: where and how the function was made.
arrow::Result<AnalyzerContext> InsideOf(const SqlFunction& function, const AnalyzerContext& context) {
  AnalyzerContext inside = context;
  inside.view_database = function.lookup_database;
  inside.eval.ansi = function.ansi;
  std::string name = function.ShownName();
  auto known = std::find_if(inside.function_path.begin(), inside.function_path.end(),
                            [&](const std::string& other) { return EqualsIgnoreCase(other, name); });
  if (known != inside.function_path.end()) {
    std::string path;
    for (auto it = known; it != inside.function_path.end(); ++it) path += *it + " -> ";
    return UserError("CYCLIC_FUNCTION_REFERENCE", {{"path", path + *known}});
  }
  inside.function_path.push_back(std::move(name));
  return inside;
}

// As nullable as `values`; null when nothing is known of them.
AttributeVector ParameterColumns(const SqlFunction& function, const ExpressionVector* values) {
  AttributeVector columns;
  for (size_t i = 0; i < function.parameters.size(); ++i) {
    bool nullable = values == nullptr || (*values)[i]->nullable();
    columns.push_back(std::make_shared<AttributeReference>(expression::NextAttributeId(), function.parameters[i].name,
                                                           function.parameters[i].type, nullable, function.FullName()));
  }
  return columns;
}

arrow::Status WrongCount(const SqlFunction& function, int actual) {
  return UserError("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", {{"functionName", QuoteNameParts(function.FullName())},
                                                         {"expectedNum", std::to_string(function.parameters.size())},
                                                         {"actualNum", std::to_string(actual)},
                                                         {"docroot", "https://spark.apache.org/docs/latest"}});
}

// The messages of the arguments in the order of the parameters; null where the default stands.
arrow::Result<std::vector<const connect::Expression*>> Placed(const SqlFunction& function,
                                                              const CallArguments& arguments) {
  if (static_cast<size_t>(arguments.size()) > function.parameters.size()) return WrongCount(function, arguments.size());
  std::vector<const connect::Expression*> placed(function.parameters.size(), nullptr);
  std::string shown = QuoteNameParts(function.FullName());
  size_t next = 0;
  bool named = false;
  for (const connect::Expression& argument : arguments) {
    if (!argument.has_named_argument_expression()) {
      if (named) {
        return UserError("UNEXPECTED_POSITIONAL_ARGUMENT",
                         {{"routineName", shown}, {"parameterName", QuoteIdentifier(function.parameters[next].name)}});
      }
      placed[next++] = &argument;
      continue;
    }
    named = true;
    const std::string& key = argument.named_argument_expression().key();
    auto at = std::find_if(function.parameters.begin(), function.parameters.end(),
                           [&](const auto& parameter) { return EqualsIgnoreCase(parameter.name, key); });
    if (at == function.parameters.end()) {
      std::string names;
      for (const auto& parameter : function.parameters) {
        names += (names.empty() ? "" : " ") + QuoteIdentifier(parameter.name);
      }
      return UserError("UNRECOGNIZED_PARAMETER_NAME",
                       {{"routineName", shown}, {"argumentName", QuoteIdentifier(key)}, {"proposal", names}});
    }
    auto index = static_cast<size_t>(at - function.parameters.begin());
    if (placed[index] != nullptr) {
      return UserError(index < next ? "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.BOTH_POSITIONAL_AND_NAMED"
                                    : "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.DOUBLE_NAMED_ARGUMENT_REFERENCE",
                       {{"routineName", shown}, {"parameterName", QuoteIdentifier(key)}});
    }
    placed[index] = &argument.named_argument_expression().value();
  }
  for (size_t i = 0; i < placed.size(); ++i) {
    if (placed[i] != nullptr || function.parameters[i].default_text) continue;
    if (!named) return WrongCount(function, arguments.size());
    return UserError("REQUIRED_PARAMETER_NOT_FOUND", {{"routineName", shown},
                                                      {"parameterName", QuoteIdentifier(function.parameters[i].name)},
                                                      {"index", std::to_string(i)}});
  }
  return placed;
}

arrow::Result<ExpressionPtr> ResolveText(RelationResolver& relations, const std::string& text,
                                         const AttributeVector& columns, OperatorInput* below) {
  connect::Expression parsed;
  std::vector<connect::Relation> subqueries;
  ARROW_RETURN_NOT_OK(sql::ParseExpression(text, ParserOptionsOf(relations.context()), &parsed, &subqueries));
  RelationResolver::Scope outside = relations.EnterScope();
  for (const connect::Relation& subquery : subqueries) {
    relations.DefineSubquery(subquery.common().plan_id(), &subquery);
  }
  arrow::Result<ExpressionPtr> value = relations.Expressions(columns, below).Resolve(parsed);
  relations.LeaveScope(std::move(outside));
  ARROW_RETURN_NOT_OK(value);
  return (*value)->kind() == ExpressionKind::kAlias ? (*value)->children()[0] : *value;
}

arrow::Result<ExpressionPtr> DefaultOf(const SqlFunction& function, size_t index, const AnalyzerContext& inside) {
  expression::QuerySettingsScope settings(SettingsOf(inside));
  RelationResolver relations(inside);
  AttributeVector none;
  return ResolveText(relations, *function.parameters[index].default_text, none, nullptr);
}

// The values of the arguments as the parameters' types. `resolve` resolves one message where the call stands.
template <typename Resolve>
arrow::Result<ExpressionVector> ArgumentValues(const SqlFunction& function, const CallArguments& arguments,
                                               const AnalyzerContext& inside, ExpressionVector* shown,
                                               Resolve resolve) {
  ARROW_ASSIGN_OR_RAISE(auto placed, Placed(function, arguments));
  ExpressionVector values;
  for (size_t i = 0; i < placed.size(); ++i) {
    ExpressionPtr value;
    if (placed[i] == nullptr) {
      ARROW_ASSIGN_OR_RAISE(value, DefaultOf(function, i, inside));
    } else {
      ARROW_ASSIGN_OR_RAISE(value, resolve(*placed[i]));
      if (value->kind() == ExpressionKind::kAlias) value = value->children()[0];
      shown->push_back(value);
    }
    ARROW_ASSIGN_OR_RAISE(value, CastTo(value, function.parameters[i].type, inside.eval.ansi));
    values.push_back(std::move(value));
  }
  return values;
}

// What a query over nothing but one row computes: its only value.
ExpressionPtr ValueOfOneRow(const logical::Plan& plan) {
  if (plan.kind() == logical::NodeKind::kSubqueryAlias) return ValueOfOneRow(*plan.child());
  if (plan.kind() != logical::NodeKind::kProject || plan.expressions().size() != 1) return nullptr;
  const logical::Plan& child = *plan.child();
  if (child.kind() != logical::NodeKind::kLocalRelation || !child.output().empty()) return nullptr;
  const ExpressionPtr item = plan.expressions()[0];
  ExpressionPtr value = item->kind() == ExpressionKind::kAlias ? item->children()[0] : item;
  return expression::Contains(*value, ExpressionKind::kGeneratorCall) ? nullptr : value;
}

// The body of a scalar function over its parameters; its subqueries are in `below`.
arrow::Result<ExpressionPtr> ScalarBody(const SqlFunction& function, const AnalyzerContext& inside,
                                        const AttributeVector& parameters, OperatorInput* below) {
  expression::QuerySettingsScope settings(SettingsOf(inside));
  RelationResolver relations(inside);
  below->window_functions_allowed = false;
  ExpressionPtr body;
  if (function.body_is_query) {
    connect::Relation query;
    ARROW_RETURN_NOT_OK(sql::ParseQuery(function.body, ParserOptionsOf(inside), &query));
    ARROW_ASSIGN_OR_RAISE(PlanPtr plan, relations.ResolveBeside(query, parameters));
    body = ValueOfOneRow(*plan);
    if (body == nullptr) {
      ARROW_ASSIGN_OR_RAISE(body, below->subqueries.AddScalar(plan, parameters, inside.eval));
    }
  } else {
    ARROW_ASSIGN_OR_RAISE(body, ResolveText(relations, function.body, parameters, below));
  }
  bool complex = expression::Contains(*body, ExpressionKind::kAggregateCall) ||
                 expression::Contains(*body, ExpressionKind::kGeneratorCall);
  if (complex) {
    return UserError("USER_DEFINED_FUNCTIONS.CANNOT_CONTAIN_COMPLEX_FUNCTIONS", {{"queryText", function.body}});
  }
  return function.returns == nullptr ? body : CastTo(body, function.returns, function.ansi);
}

ExpressionPtr WithValues(const ExpressionPtr& body, const AttributeVector& parameters, const ExpressionVector& values) {
  return expression::Transform(body, [&](const ExpressionPtr& node) -> ExpressionPtr {
    if (node->kind() != ExpressionKind::kAttribute) return nullptr;
    for (size_t i = 0; i < parameters.size(); ++i) {
      if (parameters[i]->id() == static_cast<const AttributeReference&>(*node).id()) return values[i];
    }
    return nullptr;
  });
}

// `value`, shown as the call it comes from.
ExpressionPtr ShownAs(ExpressionPtr value, std::string text) {
  auto info = std::make_shared<expression::CallInfo>();
  info->name = "sqlfunction";
  info->style = expression::CallStyle::kCustom;
  info->render = [text = std::move(text)](const std::vector<std::string>&) { return text; };
  info->kernel = [](const expression::EvalContext&, const std::vector<arrow::Datum>& arguments,
                    int64_t) -> arrow::Result<arrow::Datum> { return arguments[0]; };
  types::DataTypePtr type = value->type();
  bool nullable = value->nullable();
  return std::make_shared<expression::Call>(std::move(info), std::move(type), nullable,
                                            ExpressionVector{std::move(value)});
}

PlanPtr OneRowOf(const AttributeVector& parameters, const ExpressionVector& values) {
  ExpressionVector items;
  for (size_t i = 0; i < parameters.size(); ++i) {
    items.push_back(std::make_shared<Alias>(values[i], parameters[i]->name(), parameters[i]->id()));
  }
  return std::make_shared<logical::Project>(std::move(items), logical::LocalRelation::OneRow());
}

arrow::Status CheckColumnCount(const SqlFunction& function, size_t actual) {
  if (function.returns == nullptr || function.returns->fields().size() == actual) return arrow::Status::OK();
  return UserError("USER_DEFINED_FUNCTIONS.RETURN_COLUMN_COUNT_MISMATCH",
                   {{"name", function.ShownName()},
                    {"outputSize", std::to_string(actual)},
                    {"returnParamSize", std::to_string(function.returns->fields().size())}});
}

arrow::Result<PlanPtr> TableBody(const SqlFunction& function, const AnalyzerContext& inside,
                                 const AttributeVector& parameters) {
  expression::QuerySettingsScope settings(SettingsOf(inside));
  connect::Relation query;
  ARROW_RETURN_NOT_OK(sql::ParseQuery(function.body, ParserOptionsOf(inside), &query));
  RelationResolver relations(inside);
  ARROW_ASSIGN_OR_RAISE(PlanPtr plan, relations.ResolveBeside(query, parameters));
  ARROW_RETURN_NOT_OK(CheckColumnCount(function, plan->output().size()));
  if (function.returns == nullptr) return plan;
  ExpressionVector items;
  for (size_t i = 0; i < plan->output().size(); ++i) {
    const types::StructField& field = function.returns->fields()[i];
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, CastTo(plan->output()[i], field.type, function.ansi));
    items.push_back(std::make_shared<Alias>(std::move(value), field.name));
  }
  return std::make_shared<logical::Project>(std::move(items), std::move(plan));
}

}  // namespace

catalog::SqlFunctionPtr FindSqlFunction(const AnalyzerContext& context, const std::vector<std::string>& name) {
  if (context.catalog == nullptr) return nullptr;
  if (name.size() == 1) {
    if (auto found = context.catalog->temporary_functions().Find("", name[0])) return found;
  }
  auto qualified = context.catalog->QualifyTable(name, context.view_database);
  return qualified ? context.catalog->metastore().functions().Find(qualified->database, qualified->name) : nullptr;
}

arrow::Result<ExpressionPtr> ExpressionResolver::ResolveSqlFunction(const SqlFunction& function,
                                                                    const CallArguments& arguments) {
  if (function.is_table) {
    return UserError("NOT_A_SCALAR_FUNCTION", {{"functionName", QuoteNameParts(function.FullName())}});
  }
  ARROW_ASSIGN_OR_RAISE(AnalyzerContext inside, InsideOf(function, context_));
  ExpressionVector shown;
  ARROW_ASSIGN_OR_RAISE(ExpressionVector values,
                        ArgumentValues(function, arguments, inside, &shown,
                                       [this](const connect::Expression& message) { return Resolve(message); }));
  std::string text;
  for (const ExpressionPtr& value : shown) text += (text.empty() ? "" : ", ") + value->Sql(true);
  text = function.ShownName() + "(" + text + ")";
  AttributeVector parameters = ParameterColumns(function, &values);
  OperatorInput below;
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr body, ScalarBody(function, inside, parameters, &below));
  if (below.subqueries.empty()) return ShownAs(WithValues(body, parameters, values), std::move(text));
  // A body with queries inside is a query of one row itself, which reads the columns around the call.
  if (below_ == nullptr) return NotSupported("a SQL function with a query inside, at this place");
  for (const ExpressionPtr& value : values) {
    if (expression::Contains(*value, ExpressionKind::kAggregateCall)) {
      return NotSupported("an aggregate as an argument of " + function.ShownName() + ", whose body is a query");
    }
  }
  ARROW_ASSIGN_OR_RAISE(PlanPtr plan, below.subqueries.Apply(OneRowOf(parameters, values), inside.eval));
  plan = std::make_shared<logical::Project>(ExpressionVector{std::make_shared<Alias>(std::move(body), "value")},
                                            std::move(plan));
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, below_->subqueries.AddScalar(plan, input_, context_.eval));
  return ShownAs(std::move(value), std::move(text));
}

arrow::Result<PlanPtr> ResolveSqlTableFunction(RelationResolver& resolver, const SqlFunction& function,
                                               const CallArguments& arguments) {
  if (!function.is_table) {
    return UserError("NOT_A_TABLE_FUNCTION", {{"functionName", QuoteNameParts(function.FullName())}});
  }
  ARROW_ASSIGN_OR_RAISE(AnalyzerContext inside, InsideOf(function, resolver.context()));
  AttributeVector none;
  ExpressionVector shown;
  auto resolve = [&](const connect::Expression& message) { return resolver.Expressions(none).Resolve(message); };
  ARROW_ASSIGN_OR_RAISE(ExpressionVector values, ArgumentValues(function, arguments, inside, &shown, resolve));
  AttributeVector parameters = ParameterColumns(function, &values);
  ARROW_ASSIGN_OR_RAISE(PlanPtr body, TableBody(function, inside, parameters));
  if (!OuterColumns(*body, parameters).empty()) {
    AttributeVector columns = body->output();
    ARROW_ASSIGN_OR_RAISE(
        body, JoinBeside(logical::JoinType::kInner, OneRowOf(parameters, values), std::move(body), {}, inside.eval));
    body = std::make_shared<logical::Project>(ExpressionVector(columns.begin(), columns.end()), std::move(body));
  }
  return std::make_shared<logical::SubqueryAlias>(std::vector<std::string>{function.name}, std::move(body));
}

arrow::Result<types::DataTypePtr> CheckSqlFunction(const SqlFunction& function, const AnalyzerContext& context) {
  ARROW_ASSIGN_OR_RAISE(AnalyzerContext inside, InsideOf(function, context));
  for (size_t i = 0; i < function.parameters.size(); ++i) {
    if (!function.parameters[i].default_text) continue;
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, DefaultOf(function, i, inside));
    ARROW_RETURN_NOT_OK(CastTo(value, function.parameters[i].type, function.ansi));
  }
  AttributeVector parameters = ParameterColumns(function, nullptr);
  if (function.is_table) {
    ARROW_ASSIGN_OR_RAISE(PlanPtr plan, TableBody(function, inside, parameters));
    std::vector<types::StructField> fields;
    for (const AttributePtr& column : plan->output()) fields.push_back({column->name(), column->type(), true, ""});
    return types::Struct(std::move(fields));
  }
  OperatorInput below;
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr body, ScalarBody(function, inside, parameters, &below));
  return body->type();
}

}  // namespace millrace::analyzer
