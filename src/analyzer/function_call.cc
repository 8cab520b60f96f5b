#include "analyzer/expression_resolver.h"
#include "analyzer/file_of_row.h"
#include "analyzer/metadata_columns.h"
#include "analyzer/name_resolution.h"
#include "analyzer/named_arguments.h"
#include "analyzer/relation_resolver.h"
#include "analyzer/sql_functions.h"
#include "base/ascii.h"
#include "base/error.h"
#include "connector/file/metadata_column.h"
#include "function/char_padding.h"
#include "function/function_def.h"
#include "function/session_values.h"
#include "spark/connect/expressions.pb.h"

/// Calls of functions by name, with their lambdas and FILTER clauses.

namespace millrace::analyzer {

namespace {

namespace connect = spark::connect;
using expression::Alias;
using expression::AttributePtr;
using expression::ExpressionKind;
using expression::Literal;

// A generator among the arguments of `name`: it may only stand alone.
arrow::Status CheckNoGenerators(const std::string& name, const ExpressionVector& arguments) {
  for (const ExpressionPtr& argument : arguments) {
    if (argument->kind() != ExpressionKind::kGeneratorCall) continue;
    bool infix = arguments.size() == 2 && !(name[0] >= 'a' && name[0] <= 'z');
    std::string symbol = name == "==" ? "=" : name;
    std::string text;
    for (const ExpressionPtr& one : arguments) {
      text += (text.empty() ? "" : infix ? " " + symbol + " " : ", ") + one->Sql(true);
    }
    return UserError("UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS",
                     {{"expression", QuoteSqlExpression((infix ? "" : name) + "(" + text + ")")}});
  }
  return arrow::Status::OK();
}

arrow::Result<std::optional<ExpressionPtr>> ResolveInputFile(const std::string& function, OperatorInput* below,
                                                             const AnalyzerContext& context) {
  bool known =
      function == "input_file_name" || function == "input_file_block_start" || function == "input_file_block_length";
  if (!known || below == nullptr || below->rows == nullptr) return std::nullopt;
  ARROW_RETURN_NOT_OK(CheckOneFileSource(*below->rows, function));
  bool is_name = function == "input_file_name";
  if (!ReadsFiles(*below->rows, &context)) {
    ExpressionPtr nowhere = is_name ? Literal::String("") : Literal::Long(-1);
    return std::make_shared<Alias>(std::move(nowhere), function + "()", expression::NextAttributeId());
  }
  PlanPtr rows = below->carried;
  if (rows == nullptr) {
    // `_metadata` itself may be read beside it.
    bool shows = below->hidden != nullptr && !below->hidden->empty() &&
                 below->hidden->front()->name() == connector::file::kMetadataColumn;
    rows = shows ? ShowMetadataColumns(below->rows, *below->hidden) : below->rows;
  }
  auto column = std::make_shared<expression::AttributeReference>(expression::NextAttributeId(), function + "()",
                                                                 is_name ? types::String() : types::Long(), false);
  ARROW_ASSIGN_OR_RAISE(PlanPtr carried, CarryFile(rows, function, column, context));
  if (carried == nullptr) return std::nullopt;
  below->carried = std::move(carried);
  return std::make_shared<Alias>(std::move(column), function + "()", expression::NextAttributeId());
}

}  // namespace

std::string SparkClassName(std::string_view function_name) {
  std::string name = "org.apache.spark.sql.catalyst.expressions.";
  bool start = true;
  for (char c : function_name) {
    if (c != '_') name += start && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    start = c == '_';
  }
  return name;
}

arrow::Result<ExpressionPtr> ExpressionResolver::ResolveLambda(const connect::Expression& message,
                                                               const std::vector<types::StructField>& parameters) {
  const auto& lambda = message.lambda_function();
  if (static_cast<size_t>(lambda.arguments_size()) > parameters.size()) {
    return UserError("INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH",
                     {{"expectedNumArgs", std::to_string(lambda.arguments_size())},
                      {"actualNumArgs", std::to_string(parameters.size())}});
  }
  AttributeVector attributes;
  for (int i = 0; i < lambda.arguments_size(); ++i) {
    const types::StructField& field = parameters[static_cast<size_t>(i)];
    std::string name = lambda.arguments(i).name_parts(lambda.arguments(i).name_parts_size() - 1);
    for (const AttributePtr& other : attributes) {
      if (EqualsIgnoreCase(other->name(), name)) {
        return UserError("INVALID_LAMBDA_FUNCTION_CALL.DUPLICATE_ARG_NAMES",
                         {{"args", QuoteIdentifier(other->name()) + ", " + QuoteIdentifier(name)},
                          {"caseSensitiveConfig", QuoteConf("spark.sql.caseSensitive")}});
      }
    }
    attributes.push_back(std::make_shared<expression::AttributeReference>(expression::NextAttributeId(),
                                                                          std::move(name), field.type, field.nullable));
  }
  size_t outer = lambda_parameters_.size();
  lambda_parameters_.insert(lambda_parameters_.end(), attributes.begin(), attributes.end());
  arrow::Result<ExpressionPtr> body = Resolve(lambda.function());
  lambda_parameters_.resize(outer);
  ARROW_RETURN_NOT_OK(body);
  return std::make_shared<expression::LambdaFunction>(std::move(attributes), *body);
}

arrow::Result<ExpressionPtr> ExpressionResolver::ResolveFunction(
    const std::string& name, const google::protobuf::RepeatedPtrField<connect::Expression>& arguments,
    const CallModifiers& modifiers) {
  bool distinct = modifiers.distinct;
  std::string lower = ToLowerAscii(name);
  if (HasNamedArguments(arguments) && function::FindFunction(lower) != nullptr) {
    ARROW_ASSIGN_OR_RAISE(Arguments placed, PlaceNamedArguments(lower, arguments));
    return ResolveFunction(name, placed, modifiers);
  }
  bool star_only = arguments.size() == 1 && arguments[0].has_unresolved_star() &&
                   !arguments[0].unresolved_star().has_unparsed_target();
  bool star_attribute = arguments.size() == 1 && arguments[0].has_unresolved_attribute() &&
                        arguments[0].unresolved_attribute().unparsed_identifier() == "*";
  bool star_text = arguments.size() == 1 && arguments[0].has_expression_string() &&
                   TrimAscii(arguments[0].expression_string().expression()) == "*";
  if (lower == "count" && !distinct && (star_only || star_attribute || star_text)) {
    return function::BindCall(lower, {Literal::Integer(1)}, context_.eval, false, modifiers.filter);
  }
  // The number of a row in the order of the partitions (zipWithIndex, pandas-on-Spark's index).
  if (lower == "distributed_sequence_id" && below_ != nullptr) {
    connect::Expression number;
    auto* window = number.mutable_window();
    window->mutable_window_function()->mutable_unresolved_function()->set_function_name("row_number");
    auto* order = window->add_order_spec();
    order->mutable_child()->mutable_unresolved_function()->set_function_name("monotonically_increasing_id");
    order->set_direction(connect::Expression::SortOrder::SORT_DIRECTION_ASCENDING);
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr from_one, ResolveWindow(number));
    return function::BindCall("-", {std::move(from_one), Literal::Long(1)}, context_.eval);
  }
  if (arguments.empty() && lower.starts_with("input_file_")) {
    ARROW_ASSIGN_OR_RAISE(auto place, ResolveInputFile(lower, below_, context_));
    if (place) return *place;
  }
  if (lower == "count" && arguments.size() == 1 && arguments[0].has_unresolved_star() &&
      arguments[0].unresolved_star().unparsed_target().ends_with(".*")) {
    std::string target = arguments[0].unresolved_star().unparsed_target();
    ARROW_ASSIGN_OR_RAISE(auto parts, ParseNameParts(target.substr(0, target.size() - 2)));
    return UserError("INVALID_USAGE_OF_STAR_WITH_TABLE_IDENTIFIER_IN_COUNT", {{"tableName", QuoteNameParts(parts)}});
  }
  const function::FunctionDef* def = function::FindFunction(lower);
  bool wants_group = lower == "percentile_cont" || lower == "percentile_disc" || (lower == "mode" && arguments.empty());
  if (wants_group) {
    return UserError("INVALID_WITHIN_GROUP_EXPRESSION.WITHIN_GROUP_MISSING", {{"funcName", QuoteIdentifier(lower)}});
  }
  if (lower == "mode" && distinct) {
    return UserError("INVALID_WITHIN_GROUP_EXPRESSION.DISTINCT_UNSUPPORTED", {{"funcName", QuoteIdentifier(lower)}});
  }
  // Functions of the session come after the built-in ones.
  if (def == nullptr) {
    if (auto registered = context_.registered_function ? context_.registered_function(lower) : nullptr) {
      return ResolvePythonCall(registered->function, registered->return_type, arguments);
    }
    if (auto own = FindSqlFunction(context_, {name})) return ResolveSqlFunction(*own, arguments);
  }
  if (def != nullptr && def->kind != function::FunctionKind::kAggregate) {
    const char* syntax = distinct                      ? "DISTINCT"
                         : modifiers.filter != nullptr ? "FILTER CLAUSE"
                         : modifiers.ignore_nulls      ? "IGNORE NULLS"
                                                       : nullptr;
    if (syntax != nullptr) {
      return UserError("INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX",
                       {{"prettyName", QuoteIdentifier(lower)}, {"syntax", syntax}});
    }
  }
  if ((lower == "current_schema" || lower == "current_database") && arguments.empty() && context_.catalog != nullptr) {
    return function::CurrentSchema(context_.catalog->current_database(), context_.eval);
  }
  // The unit of these is a word of the syntax; with another word Spark finds no such function.
  if ((lower == "timestampadd" || lower == "timestampdiff") && arguments.size() == 3 &&
      arguments[0].has_unresolved_attribute()) {
    return UserError("UNRESOLVED_ROUTINE",
                     {{"routineName", QuoteIdentifier(lower)},
                      {"searchPath", "[`system`.`builtin`, `system`.`session`, `spark_catalog`.`default`]"}});
  }
  bool takes_lambda = false;
  for (const connect::Expression& argument : arguments) takes_lambda = takes_lambda || argument.has_lambda_function();
  if (!takes_lambda) {
    // Names matter to struct(), map keys and the like; elsewhere an argument is only its value.
    bool keeps_names = lower == "struct" || lower == "named_struct" || lower == "arrays_zip" || lower == "to_json";
    ExpressionVector values;
    for (const connect::Expression& argument : arguments) {
      ARROW_RETURN_NOT_OK(ResolveInto(argument, !keeps_names, &values));
    }
    ARROW_RETURN_NOT_OK(CheckNoGenerators(lower, values));
    if (below_ != nullptr && TimeWindows::IsWindowFunction(lower)) {
      return below_->time_windows.Add(lower, std::move(values), context_.eval);
    }
    if (def == nullptr && WindowFunctions::IsWindowOnly(lower)) {
      return UserError("WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE", {{"funcName", QuoteSqlExpression(lower + "()")}});
    }
    ARROW_RETURN_NOT_OK(function::PadComparedChars(lower, context_.eval, &values));
    return function::BindCall(lower, std::move(values), context_.eval, distinct, modifiers.filter,
                              modifiers.ignore_nulls);
  }
  if (def == nullptr || def->lambda_parameters == nullptr) {
    if (def == nullptr) return function::BindCall(lower, {}, context_.eval);
    return UserError("INVALID_LAMBDA_FUNCTION_CALL.NON_HIGHER_ORDER_FUNCTION", {{"class", SparkClassName(lower)}});
  }
  ExpressionVector values(static_cast<size_t>(arguments.size()));
  for (int i = 0; i < arguments.size(); ++i) {
    if (arguments[i].has_lambda_function()) continue;
    ARROW_ASSIGN_OR_RAISE(values[static_cast<size_t>(i)], Resolve(arguments[i]));
  }
  for (int i = 0; i < arguments.size(); ++i) {
    if (!arguments[i].has_lambda_function()) continue;
    ARROW_ASSIGN_OR_RAISE(auto parameters,
                          def->lambda_parameters(values, i, arguments[i].lambda_function().arguments_size()));
    ARROW_ASSIGN_OR_RAISE(values[static_cast<size_t>(i)], ResolveLambda(arguments[i], parameters));
  }
  return function::BindCall(lower, std::move(values), context_.eval, distinct, modifiers.filter,
                            modifiers.ignore_nulls);
}

arrow::Result<ExpressionPtr> ExpressionResolver::ResolveAggregateFilter(const connect::Expression& message) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr filter, Resolve(message));
  std::string text = QuoteSqlExpression(filter->Sql(true));
  if (!filter->deterministic()) return UserError("INVALID_AGGREGATE_FILTER.NON_DETERMINISTIC", {{"filterExpr", text}});
  if (filter->type()->id() != types::TypeId::kBoolean) {
    return UserError("INVALID_AGGREGATE_FILTER.NOT_BOOLEAN", {{"filterExpr", text}});
  }
  if (expression::Contains(*filter, ExpressionKind::kAggregateCall)) {
    return UserError("INVALID_AGGREGATE_FILTER.CONTAINS_AGGREGATE", {{"filterExpr", text}, {"aggExpr", text}});
  }
  if (below_ != nullptr && below_->window_functions.ReadsAny(*filter)) {
    std::string window;
    expression::Visit(*filter, [&](const expression::Expression& node) {
      if (node.kind() == ExpressionKind::kAttribute && below_->window_functions.ReadsAny(node)) window = node.Sql(true);
      return true;
    });
    return UserError("INVALID_AGGREGATE_FILTER.CONTAINS_WINDOW_FUNCTION",
                     {{"filterExpr", text}, {"windowExpr", QuoteSqlExpression(window)}});
  }
  return filter;
}

}  // namespace millrace::analyzer
