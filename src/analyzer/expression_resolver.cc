#include "analyzer/expression_resolver.h"

#include <algorithm>
#include <optional>

#include "analyzer/partition_transform.h"
#include "analyzer/relation_resolver.h"
#include "analyzer/sql_functions.h"
#include "analyzer/variable.h"
#include "base/ascii.h"
#include "base/error.h"
#include "base/query_context.h"
#include "base/stack_room.h"
#include "expression/aggregate.h"
#include "expression/call.h"
#include "expression/cast.h"
#include "expression/query_settings.h"
#include "expression/type_coercion.h"
#include "function/extract_value.h"
#include "function/function_def.h"
#include "function/scalar/variant/variant_get.h"
#include "spark/connect/expressions.pb.h"
#include "spark/connect/relations.pb.h"
#include "sql/expression_tree.h"
#include "sql/parser.h"
#include "sql/plan_conventions.h"
#include "types/data_type.h"
#include "variant/path.h"

namespace millrace::analyzer {

namespace {

namespace connect = spark::connect;
using expression::Alias;
using expression::AttributePtr;
using expression::Cast;
using expression::CastMode;
using expression::ExpressionKind;
using expression::Literal;

// Deeper ones where the thread's stack has room.
constexpr int kAlwaysServedDepth = 500;

bool IsNamed(const ExpressionPtr& value) {
  return value->kind() == ExpressionKind::kAlias || value->kind() == ExpressionKind::kAttribute;
}

// What Spark proposes for a cast it refuses; empty for none. Source: Spark, Cast.typeCheckFailureMessage.
std::string FunctionsInsteadOfCast(const types::DataType& from, const types::DataType& to) {
  if (from.is_numeric() && to.id() == types::TypeId::kDate) return "`DATE_FROM_UNIX_DATE`";
  if (from.id() == types::TypeId::kDate && to.is_numeric()) return "`UNIX_DATE`";
  return "";
}

bool IsOrderable(const types::DataType& type) {
  if (type.id() == types::TypeId::kMap || type.id() == types::TypeId::kCalendarInterval ||
      type.id() == types::TypeId::kVariant) {
    return false;
  }
  return !type.is_nested() || std::all_of(type.fields().begin(), type.fields().end(),
                                          [](const types::StructField& field) { return IsOrderable(*field.type); });
}

// spark.sql.parser.quotedRegexColumnNames: a name in back-ticks is a pattern.
std::optional<connect::Expression> QuotedRegex(const connect::Expression& message, const AnalyzerContext& context) {
  if (!message.has_unresolved_attribute() || message.unresolved_attribute().has_plan_id()) return std::nullopt;
  const std::string& name = message.unresolved_attribute().unparsed_identifier();
  if (!name.ends_with('`') || !context.ConfIs("spark.sql.parser.quotedRegexColumnNames", "true")) return std::nullopt;
  connect::Expression regex;
  regex.mutable_unresolved_regex()->set_col_name(name);
  return regex;
}

std::string NamedName(const ExpressionPtr& value) {
  if (value->kind() == ExpressionKind::kAlias) return static_cast<const Alias&>(*value).name();
  return static_cast<const expression::AttributeReference&>(*value).name();
}

}  // namespace

sql::ParserOptions ParserOptionsOf(const AnalyzerContext& context) {
  sql::ParserOptions options;
  options.is_aggregate = [](std::string_view name) { return function::IsAggregateFunction(name); };
  options.time_zone = context.eval.time_zone;
  const expression::QuerySettings& settings = expression::CurrentQuerySettings();
  options.time_type = settings.time_type;
  options.timestamp_ntz = settings.timestamp_ntz;
  options.double_quoted_identifiers = settings.double_quoted_identifiers;
  options.now_us = context.eval.current_timestamp_us;
  options.setting = context.setting_in_text;
  if (context.catalog != nullptr) {
    options.variable_text = [&context](const std::vector<std::string>& parts) {
      return VariableText(*context.catalog, parts);
    };
  }
  options.constant =
      [&context](const connect::Expression& message) -> arrow::Result<std::optional<sql::ConstantValue>> {
    AttributeVector none;
    RelationResolver relations(context);
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, relations.Expressions(none).Resolve(message));
    if (value->kind() == ExpressionKind::kAlias) value = value->children()[0];
    if (!value->foldable()) return std::nullopt;
    sql::ConstantValue constant;
    constant.type = value->type()->Sql();
    constant.catalog_type = value->type()->CatalogString();
    constant.is_string = value->type()->id() == types::TypeId::kString;
    ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(*value, context.eval));
    if (!scalar->is_valid) return constant;
    if (constant.is_string) constant.text = std::string(static_cast<const arrow::BaseBinaryScalar&>(*scalar).view());
    if (value->type()->id() == types::TypeId::kInteger) {
      constant.integer = static_cast<const arrow::Int32Scalar&>(*scalar).value;
    }
    return constant;
  };
  return options;
}

arrow::Status NotSupported(std::string what) {
  return UserError("UNSUPPORTED_CALL.WITHOUT_SUGGESTION", {{"methodName", what}, {"className", "Millrace"}});
}

ExpressionPtr ExpressionResolver::Name(const ExpressionPtr& value) {
  if (IsNamed(value)) return value;
  if (value->kind() == ExpressionKind::kCast) {
    // CAST(a AS t) keeps the name of a plain column.
    const ExpressionPtr& child = value->children()[0];
    if (IsNamed(child)) return std::make_shared<Alias>(value, NamedName(child));
  }
  return std::make_shared<Alias>(value, value->Sql(true));
}

arrow::Result<ExpressionVector> ExpressionResolver::ResolveAll(
    const google::protobuf::RepeatedPtrField<connect::Expression>& messages) {
  ExpressionVector values;
  for (const connect::Expression& message : messages) {
    ARROW_RETURN_NOT_OK(ResolveInto(message, /*drops_names=*/false, &values));
  }
  return values;
}

arrow::Status ExpressionResolver::ResolveInto(const connect::Expression& message, bool drops_names,
                                              ExpressionVector* out) {
  ExpressionVector values;
  if (message.has_expression_string()) {
    connect::Expression parsed;
    ARROW_RETURN_NOT_OK(
        sql::ParseExpression(message.expression_string().expression(), ParserOptionsOf(context_), &parsed));
    return ResolveInto(parsed, drops_names, out);
  }
  if (message.has_unresolved_star()) {
    ARROW_ASSIGN_OR_RAISE(values, ExpandStar(message));
  } else if (sql::IsInternalFunction(message, sql::kStarExcept)) {
    ARROW_ASSIGN_OR_RAISE(values, ExpandStarExcept(message));
  } else if (message.has_unresolved_regex()) {
    ARROW_ASSIGN_OR_RAISE(values, ExpandRegex(message));
  } else if (std::optional<connect::Expression> regex = QuotedRegex(message, context_)) {
    ARROW_ASSIGN_OR_RAISE(values, ExpandRegex(*regex));
  } else if (message.has_unresolved_attribute() && message.unresolved_attribute().unparsed_identifier() == "*") {
    values.assign(input_.begin(), input_.end());
  } else {
    if (depth_ == 0) read_alias_.clear();
    ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, Resolve(message));
    bool generates = value->kind() == ExpressionKind::kGeneratorCall;
    if (depth_ == 0 && lateral_aliases_allowed_ && !read_alias_.empty() && !generates) {
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr named, ResolveOverAliasNames(message));
      if (!IsNamed(named)) value = std::make_shared<Alias>(std::move(value), named->Sql(true));
      items_over_aliases_.push_back(std::move(named));
    }
    // A nested field is called by its last part: visit.page → page.
    if (message.has_unresolved_attribute() && !IsNamed(value)) {
      ARROW_ASSIGN_OR_RAISE(auto parts, ParseNameParts(message.unresolved_attribute().unparsed_identifier()));
      value = std::make_shared<Alias>(std::move(value), parts.back());
    }
    // Of names without AS those of fields are known to what follows; a variable's is not.
    bool is_field = message.has_unresolved_attribute() && !expression::References(*value).empty();
    bool is_named_item = message.has_alias() || is_field;
    if (lateral_aliases_allowed_ && depth_ == 0 && is_named_item && value->kind() == ExpressionKind::kAlias) {
      lateral_aliases_.push_back(value);
    }
    values.push_back(std::move(value));
  }
  // v:path is shown under its name wherever it stands.
  bool drops = drops_names && !sql::IsInternalFunction(message, sql::kVariantPath);
  for (ExpressionPtr& value : values) {
    out->push_back(drops && value->kind() == ExpressionKind::kAlias ? static_cast<const Alias&>(*value).child()
                                                                    : value);
  }
  return arrow::Status::OK();
}

arrow::Result<ExpressionVector> ExpressionResolver::ResolveItems(
    const google::protobuf::RepeatedPtrField<connect::Expression>& messages) {
  ARROW_ASSIGN_OR_RAISE(ExpressionVector items, ResolveAll(messages));
  for (ExpressionPtr& item : items) {
    if (item->kind() != ExpressionKind::kGeneratorCall) item = Name(item);
  }
  return items;
}

arrow::Result<ExpressionPtr> ExpressionResolver::ResolveCondition(const connect::Expression& message) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr condition, Resolve(message));
  if (condition->type()->id() != types::TypeId::kBoolean) {
    return UserError("DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", {{"sqlExpr", QuoteSqlExpression(condition->Sql(true))},
                                                              {"filter", QuoteSqlExpression(condition->Sql(true))},
                                                              {"type", QuoteSqlType(condition->type()->Sql())}});
  }
  return condition;
}

arrow::Result<expression::SortOrder> ExpressionResolver::ResolveSortOrder(const connect::Expression& message) {
  expression::SortOrder order;
  if (!message.has_sort_order()) {
    ARROW_ASSIGN_OR_RAISE(order.child, Resolve(message));
    return order;
  }
  const auto& sort = message.sort_order();
  ARROW_ASSIGN_OR_RAISE(order.child, Resolve(sort.child()));
  if (!IsOrderable(*order.child->type())) {
    bool down = sort.direction() == connect::Expression::SortOrder::SORT_DIRECTION_DESCENDING;
    return UserError(
        "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE",
        {{"sqlExpr", QuoteSqlExpression(order.child->Sql(true) + (down ? " DESC NULLS LAST" : " ASC NULLS FIRST"))},
         {"functionName", "`sortorder`"},
         {"dataType", QuoteSqlType(order.child->type()->Sql())}});
  }
  order.ascending = sort.direction() != connect::Expression::SortOrder::SORT_DIRECTION_DESCENDING;
  switch (sort.null_ordering()) {
    case connect::Expression::SortOrder::SORT_NULLS_FIRST:
      order.nulls_first = true;
      break;
    case connect::Expression::SortOrder::SORT_NULLS_LAST:
      order.nulls_first = false;
      break;
    default:
      order.nulls_first = order.ascending;
  }
  return order;
}

arrow::Result<ExpressionPtr> ExpressionResolver::ResolveCast(const connect::Expression& message) {
  const auto& cast = message.cast();
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr child, Resolve(cast.expr()));
  types::DataTypePtr type;
  if (cast.has_type()) {
    ARROW_ASSIGN_OR_RAISE(type, ResolveDataType(cast.type()));
  } else {
    ARROW_ASSIGN_OR_RAISE(type, types::ParseTypeDdl(cast.type_str()));
  }
  CastMode mode = context_.eval.ansi ? CastMode::kAnsi : CastMode::kLegacy;
  if (cast.eval_mode() == connect::Expression::Cast::EVAL_MODE_TRY) mode = CastMode::kTry;
  if (cast.eval_mode() == connect::Expression::Cast::EVAL_MODE_LEGACY) mode = CastMode::kLegacy;
  if (cast.eval_mode() == connect::Expression::Cast::EVAL_MODE_ANSI) mode = CastMode::kAnsi;
  if (!expression::CanCast(*child->type(), *type, mode)) {
    // A cast to a nested type shows as what it casts.
    std::string sql = type->is_nested() ? child->Sql(true)
                                        : (mode == CastMode::kTry ? "TRY_CAST(" : "CAST(") + child->Sql(true) + " AS " +
                                              type->Sql() + ")";
    std::string functions = FunctionsInsteadOfCast(*child->type(), *type);
    if (!functions.empty()) {
      return UserError("DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION", {{"sqlExpr", QuoteSqlExpression(sql)},
                                                                       {"srcType", QuoteSqlType(child->type()->Sql())},
                                                                       {"targetType", QuoteSqlType(type->Sql())},
                                                                       {"functionNames", functions}});
    }
    bool legacy_would_do = mode == CastMode::kAnsi && expression::CanCast(*child->type(), *type, CastMode::kLegacy);
    return UserError(
        legacy_would_do ? "DATATYPE_MISMATCH.CAST_WITH_CONF_SUGGESTION" : "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION",
        {{"sqlExpr", QuoteSqlExpression(sql)},
         {"srcType", QuoteSqlType(child->type()->Sql())},
         {"targetType", QuoteSqlType(type->Sql())},
         {"config", QuoteConf("spark.sql.ansi.enabled")},
         {"configVal", "'false'"}});
  }
  return std::make_shared<Cast>(std::move(child), std::move(type), mode, true);
}

arrow::Result<ExpressionPtr> ExpressionResolver::ResolveAlias(const connect::Expression& message) {
  const auto& alias = message.alias();
  if (alias.expr().has_unresolved_star()) {
    return UserError("INVALID_USAGE_OF_STAR_OR_REGEX", {{"elem", "'*'"}, {"prettyName", "expression `alias`"}});
  }
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr child, Resolve(alias.expr()));
  if (alias.name_size() > 1) {
    if (child->kind() != ExpressionKind::kGeneratorCall) {
      std::string names;
      for (const std::string& name : alias.name()) names += (names.empty() ? "" : ", ") + name;
      return UserError("MULTI_ALIAS_WITHOUT_GENERATOR",
                       {{"names", names}, {"expr", QuoteSqlExpression(child->Sql(true))}});
    }
    generator_names_.push_back({child, {alias.name().begin(), alias.name().end()}});
    return child;
  }
  if (child->kind() == ExpressionKind::kGeneratorCall) {
    generator_names_.push_back({child, {alias.name(0)}});
    return child;
  }
  if (child->kind() == ExpressionKind::kAlias) child = static_cast<const Alias&>(*child).child();
  return std::make_shared<Alias>(std::move(child), alias.name(0), expression::NextAttributeId(), alias.metadata());
}

namespace {

// The aggregate in `value` over the rows for which `filter` holds.
ExpressionPtr WithFilter(const ExpressionPtr& value, const ExpressionPtr& filter) {
  return expression::Transform(value, [&](const ExpressionPtr& node) -> ExpressionPtr {
    if (node->kind() != ExpressionKind::kAggregateCall) return nullptr;
    const auto& call = static_cast<const expression::AggregateCall&>(*node);
    ExpressionVector arguments(call.children().begin(), call.children().begin() + call.num_arguments());
    return std::make_shared<expression::AggregateCall>(call.function(), std::move(arguments), call.distinct(), filter);
  });
}

}  // namespace

arrow::Result<ExpressionPtr> ExpressionResolver::ResolveInternal(const connect::Expression& message) {
  const auto& call = message.unresolved_function();
  const std::string& name = call.function_name();
  bool filtered = name == sql::kAggregateFilter && call.arguments_size() == 2;
  if (filtered || (name == sql::kIgnoreNulls && call.arguments_size() == 1)) {
    const connect::Expression& inner = call.arguments(0);
    bool within = filtered && inner.has_unresolved_function() && inner.unresolved_function().is_internal() &&
                  inner.unresolved_function().function_name() == sql::kWithinGroup;
    if (within) {
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr filter, ResolveAggregateFilter(call.arguments(1)));
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, ResolveWithinGroup(inner));
      std::string text = value->Sql(true);
      if (value->kind() == ExpressionKind::kAlias) {
        text = static_cast<const expression::Alias&>(*value).name();
        value = value->children()[0];
      }
      return std::make_shared<expression::Alias>(WithFilter(value, filter),
                                                 text + " FILTER (WHERE " + filter->Sql(true) + ")");
    }
    if (!inner.has_unresolved_function() || inner.unresolved_function().is_internal()) {
      return NotSupported(name + " over another modifier");
    }
    CallModifiers modifiers;
    modifiers.distinct = inner.unresolved_function().is_distinct();
    modifiers.ignore_nulls = !filtered;
    if (filtered) {
      ARROW_ASSIGN_OR_RAISE(modifiers.filter, ResolveAggregateFilter(call.arguments(1)));
    }
    return ResolveFunction(inner.unresolved_function().function_name(), inner.unresolved_function().arguments(),
                           modifiers);
  }
  if (name == sql::kReplaceExisting && call.arguments_size() == 2) {
    ARROW_RETURN_NOT_OK(Resolve(call.arguments(0)));
    return Resolve(call.arguments(1));
  }
  if (name == sql::kWithinGroup) return ResolveWithinGroup(message);
  if (name == sql::kVariantPath && call.arguments_size() == 2) return ResolveVariantPath(call.arguments());
  if (name == sql::kInputOrdinal && call.arguments_size() == 1) {
    int32_t ordinal = call.arguments(0).literal().integer();
    if (ordinal >= 1 && static_cast<size_t>(ordinal) <= input_.size()) return input_[static_cast<size_t>(ordinal) - 1];
    return UserError("GROUP_BY_POS_OUT_OF_RANGE",
                     {{"index", std::to_string(ordinal)}, {"size", std::to_string(input_.size())}});
  }
  return NotSupported("the internal function " + name);
}

// v:path is variant_get under the name of the last field in the path.
arrow::Result<ExpressionPtr> ExpressionResolver::ResolveVariantPath(
    const google::protobuf::RepeatedPtrField<connect::Expression>& arguments) {
  ARROW_ASSIGN_OR_RAISE(ExpressionPtr value, Resolve(arguments[0]));
  if (value->kind() == ExpressionKind::kAlias) value = static_cast<const Alias&>(*value).child();
  if (value->type()->id() != types::TypeId::kVariant) return UserError("COLUMN_IS_NOT_VARIANT_TYPE");
  const std::string& text = arguments[1].literal().string();
  auto path = variant::ParsePath(text);
  std::string name;
  for (const variant::PathStep& step : path ? *path : variant::Path()) {
    if (!step.is_element) name = step.name;
  }
  ExpressionPtr found = function::MakeVariantGet({std::move(value), Literal::String(text)}, types::Variant(),
                                                 "variant_get", /*raises=*/true);
  if (name.empty()) return found;
  return std::make_shared<Alias>(std::move(found), name);
}

namespace {

// Casts that a call has put around its arguments fail where the call stands.
ExpressionVector FailingArguments(const expression::Call& call, const std::shared_ptr<const QueryContext>& context) {
  ExpressionVector arguments = call.children();
  for (ExpressionPtr& argument : arguments) {
    if (argument->kind() != ExpressionKind::kCast) continue;
    const auto& cast = static_cast<const Cast&>(*argument);
    if (!cast.user_specified() && cast.can_fail()) argument = cast.WithContext(context);
  }
  return arguments;
}

// The same call, whose failures say where the user wrote it.
ExpressionPtr FailingWith(const ExpressionPtr& value, QueryContext place) {
  if (!value->can_fail()) return value;
  auto context = std::make_shared<const QueryContext>(std::move(place));
  if (value->kind() == ExpressionKind::kCast) return static_cast<const Cast&>(*value).WithContext(context);
  if (value->kind() != ExpressionKind::kCall) return value;
  const auto& call = static_cast<const expression::Call&>(*value);
  // Optimizer rules read more than CallInfo from these.
  if (call.name() == "from_json" || function::StructFieldOrdinal(call)) return value;
  ExpressionVector arguments = FailingArguments(call, context);
  // Spark tells of these without a place.
  bool placeless = call.name() == "raise_error" || call.name() == "assert_true" || call.name() == "make_interval";
  if (!call.info().can_fail || placeless) return call.WithChildren(std::move(arguments));
  auto info = std::make_shared<expression::CallInfo>(call.info());
  info->kernel = [kernel = call.info().kernel, context](const expression::EvalContext& eval,
                                                        const std::vector<arrow::Datum>& values,
                                                        int64_t num_rows) -> arrow::Result<arrow::Datum> {
    arrow::Result<arrow::Datum> result = kernel(eval, values, num_rows);
    if (result.ok() || IsErrorCondition(result.status(), "INVALID_PARAMETER_VALUE")) return result;
    return WithQueryContext(result.status(), *context);
  };
  return std::make_shared<expression::Call>(std::move(info), call.type(), call.nullable(), std::move(arguments));
}

// SQL's texts do not know these functions: writeTo(…).partitionedBy reads them.
// The argument is told as Spark tells it, bound to its row.
arrow::Status CheckNoPartitionTransform(const connect::Expression& message) {
  const std::string& name = message.unresolved_function().function_name();
  if (message.common().origin().has_jvm_origin()) return arrow::Status::OK();  // of a text
  if (!IsPartitionTransform(name)) return arrow::Status::OK();
  return UserError("PARTITION_TRANSFORM_EXPRESSION_NOT_IN_PARTITIONED_BY",
                   {{"expression", QuoteSqlExpression(name + "(boundreference())")}});
}

}  // namespace

arrow::Result<ExpressionPtr> ExpressionResolver::Resolve(const connect::Expression& message) {
  const auto& origin = message.common().origin();
  if (relations_ == nullptr || !origin.jvm_origin().has_sql_text()) return ResolvePlaced(message);
  std::shared_ptr<const std::string> outside = relations_->sql_text();
  relations_->set_sql_text(std::make_shared<const std::string>(origin.jvm_origin().sql_text()));
  arrow::Result<ExpressionPtr> value = ResolvePlaced(message);
  relations_->set_sql_text(std::move(outside));
  return value;
}

arrow::Result<ExpressionPtr> ExpressionResolver::ResolvePlaced(const connect::Expression& message) {
  arrow::Result<ExpressionPtr> value = ResolveKind(message);
  const auto& origin = message.common().origin();
  QueryContext context;
  if (origin.has_python_origin()) {
    context.fragment = origin.python_origin().fragment();
    context.call_site = origin.python_origin().call_site();
  } else {
    const auto& place = origin.jvm_origin();
    bool in_text = place.has_stop_index() && relations_ != nullptr && relations_->sql_text() != nullptr;
    if (!in_text) return value;
    context.sql_text = relations_->sql_text();
    context.start = place.start_index();
    context.stop = place.stop_index();
    if (context.start < 0 || context.stop >= static_cast<int32_t>(context.sql_text->size())) return value;
  }
  if (!value.ok()) return WithAnalysisContext(value.status(), std::move(context));
  return FailingWith(*value, std::move(context));
}

arrow::Result<ExpressionPtr> ExpressionResolver::ResolveKind(const connect::Expression& message) {
  struct DepthGuard {
    int& depth;
    explicit DepthGuard(int& d) : depth(d) { ++depth; }
    ~DepthGuard() { --depth; }
  } guard(depth_);
  if (depth_ > kAlwaysServedDepth && !HasStackRoom()) {
    return NotSupported("an expression nested deeper than " + std::to_string(depth_ - 1));
  }
  switch (message.expr_type_case()) {
    case connect::Expression::kLiteral:
      return ResolveLiteral(message);
    case connect::Expression::kUnresolvedAttribute:
      return ResolveAttribute(message);
    case connect::Expression::kUnresolvedFunction: {
      const auto& call = message.unresolved_function();
      if (call.is_internal()) return ResolveInternal(message);
      ARROW_RETURN_NOT_OK(CheckNoPartitionTransform(message));
      CallModifiers modifiers;
      modifiers.distinct = call.is_distinct();
      return ResolveFunction(call.function_name(), call.arguments(), modifiers);
    }
    case connect::Expression::kCallFunction: {
      ARROW_ASSIGN_OR_RAISE(auto parts, ParseNameParts(message.call_function().function_name()));
      if (parts.size() > 1) {
        if (auto function = FindSqlFunction(context_, parts)) {
          return ResolveSqlFunction(*function, message.call_function().arguments());
        }
      }
      if (function::FindFunction(parts.back()) == nullptr && parts.size() > 1) {
        return UserError("UNRESOLVED_ROUTINE",
                         {{"routineName", QuoteNameParts(parts)},
                          {"searchPath", "[`system`.`builtin`, `system`.`session`, `spark_catalog`.`default`]"}});
      }
      return ResolveFunction(parts.back(), message.call_function().arguments(), {});
    }
    case connect::Expression::kExpressionString: {
      connect::Expression parsed;
      std::vector<connect::Relation> subqueries;
      ARROW_RETURN_NOT_OK(sql::ParseExpression(message.expression_string().expression(), ParserOptionsOf(context_),
                                               &parsed, &subqueries));
      RelationResolver::Scope outside = relations_->EnterScope();
      for (const connect::Relation& subquery : subqueries) {
        relations_->DefineSubquery(subquery.common().plan_id(), &subquery);
      }
      arrow::Result<ExpressionPtr> value = Resolve(parsed);
      relations_->LeaveScope(std::move(outside));
      return value;
    }
    case connect::Expression::kAlias:
      return ResolveAlias(message);
    case connect::Expression::kCast:
      return ResolveCast(message);
    case connect::Expression::kUnresolvedExtractValue: {
      const auto& extract = message.unresolved_extract_value();
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr child, Resolve(extract.child()));
      ARROW_ASSIGN_OR_RAISE(ExpressionPtr key, Resolve(extract.extraction()));
      return function::ExtractValue(child, key, context_.eval.case_sensitive);
    }
    case connect::Expression::kUnresolvedNamedLambdaVariable: {
      const auto& names = message.unresolved_named_lambda_variable().name_parts();
      std::vector<std::string> parts(names.begin(), names.end());
      for (size_t i = lambda_parameters_.size(); i-- > 0;) {
        ARROW_ASSIGN_OR_RAISE(auto value, ResolveName(parts, {lambda_parameters_[i]}, true));
        if (value) return *value;
      }
      ARROW_ASSIGN_OR_RAISE(auto value, ResolveName(parts, input_, context_.eval.case_sensitive));
      if (value) return *value;
      return UnresolvedColumn(parts, input_);
    }
    case connect::Expression::kUpdateFields:
      return ResolveUpdateFields(message);
    case connect::Expression::kUnresolvedStar:
      return UserError("INVALID_USAGE_OF_STAR_OR_REGEX", {{"elem", "'*'"}, {"prettyName", "expression"}});
    case connect::Expression::kSortOrder: {
      ARROW_ASSIGN_OR_RAISE(expression::SortOrder order, ResolveSortOrder(message));
      return order.child;
    }
    case connect::Expression::kLambdaFunction:
      return UserError("INVALID_LAMBDA_FUNCTION_CALL.NON_HIGHER_ORDER_FUNCTION", {{"class", "lambda"}});
    case connect::Expression::kWindow:
      return ResolveWindow(message);
    case connect::Expression::kSubqueryExpression:
      return ResolveSubquery(message);
    case connect::Expression::kCommonInlineUserDefinedFunction:
      return ResolvePythonFunction(message);
    case connect::Expression::kNamedArgumentExpression:
      return NotSupported("the named argument " + message.named_argument_expression().key());
    default:
      return NotSupported("an expression of kind " + std::to_string(message.expr_type_case()));
  }
}

bool ServesExpression(int field_number) {
  using connect::Expression;
  // The others end in NotSupported above.
  static constexpr Expression::ExprTypeCase kServed[] = {
      Expression::kLiteral,
      Expression::kUnresolvedAttribute,
      Expression::kUnresolvedFunction,
      Expression::kExpressionString,
      Expression::kUnresolvedStar,
      Expression::kAlias,
      Expression::kCast,
      Expression::kUnresolvedRegex,
      Expression::kSortOrder,
      Expression::kLambdaFunction,
      Expression::kWindow,
      Expression::kUnresolvedExtractValue,
      Expression::kUpdateFields,
      Expression::kUnresolvedNamedLambdaVariable,
      Expression::kCallFunction,
      Expression::kSubqueryExpression,
      Expression::kCommonInlineUserDefinedFunction,
      Expression::kDirectShufflePartitionId,
  };
  return std::any_of(std::begin(kServed), std::end(kServed),
                     [&](Expression::ExprTypeCase kind) { return kind == field_number; });
}

}  // namespace millrace::analyzer
