#include "function/bind.h"

#include "base/error.h"
#include "expression/type_coercion.h"

namespace millrace::function {

namespace {

constexpr const char* kOrdinals[] = {"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"};

std::string Ordinal(size_t index) {
  return index < std::size(kOrdinals) ? kOrdinals[index] : std::to_string(index + 1) + "th";
}

}  // namespace

std::string CallSql(const BindInput& input) {
  // Under the name the user wrote, unless it is an operator's symbol.
  bool word = !input.name.empty() && ((input.name[0] >= 'a' && input.name[0] <= 'z') || input.name[0] == '_');
  std::string sql = std::string(word ? input.name : input.def.name) + "(";
  for (size_t i = 0; i < input.arguments.size(); ++i) {
    if (i > 0) sql += ", ";
    sql += input.arguments[i]->Sql(/*pretty=*/true);
  }
  return sql + ")";
}

arrow::Status UnexpectedInputType(const BindInput& input, size_t index, std::string required) {
  const ExpressionPtr& argument = input.arguments[index];
  return UserError("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                                                               {"paramIndex", Ordinal(index)},
                                                               {"requiredType", std::move(required)},
                                                               {"inputSql", QuoteSqlExpression(argument->Sql(true))},
                                                               {"inputType", QuoteSqlType(argument->type()->Sql())}});
}

arrow::Status WrongNumArgs(std::string_view name, std::string expected, size_t actual) {
  return UserError("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", {{"functionName", QuoteIdentifier(name)},
                                                         {"expectedNum", std::move(expected)},
                                                         {"actualNum", std::to_string(actual)},
                                                         {"docroot", "https://spark.apache.org/docs/latest"}});
}

arrow::Status NonFoldableInput(const BindInput& input, size_t index, std::string_view parameter_name,
                               const DataTypePtr& type) {
  return UserError("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
                   {{"sqlExpr", QuoteSqlExpression(CallSql(input))},
                    {"inputName", QuoteIdentifier(parameter_name)},
                    {"inputType", QuoteSqlType(type->Sql())},
                    {"inputExpr", QuoteSqlExpression(input.arguments[index]->Sql(true))}});
}

arrow::Result<std::optional<std::string>> FoldableString(const BindInput& input, size_t index,
                                                         std::string_view parameter_name) {
  const ExpressionPtr& argument = input.arguments[index];
  if (!argument->foldable()) return NonFoldableInput(input, index, parameter_name, types::String());
  if (!expression::CanImplicitCast(argument->type(), types::String())) {
    return UnexpectedInputType(input, index, QuoteSqlType("STRING"));
  }
  ExpressionPtr text = expression::ImplicitCast(argument, types::String());
  ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(*text, input.context));
  if (!scalar->is_valid) return std::nullopt;
  return std::string(static_cast<const arrow::BaseBinaryScalar&>(*scalar).view());
}

ExpressionPtr MakeCall(const BindInput& input, ExpressionVector arguments, DataTypePtr result, bool nullable,
                       ScalarKernel kernel, CallOptions options) {
  auto info = std::make_shared<CallInfo>();
  info->name = options.shown_name.empty() ? std::string(input.def.name) : std::move(options.shown_name);
  info->kernel = std::move(kernel);
  info->style = options.style;
  info->deterministic = options.deterministic;
  info->foldable = options.foldable;
  info->can_fail = options.can_fail;
  return std::make_shared<Call>(std::move(info), std::move(result), nullable, std::move(arguments));
}

arrow::Result<ExpressionPtr> BindSimple(const BindInput& input, const std::vector<DataTypePtr>& parameter_types,
                                        DataTypePtr result, ScalarKernel kernel, CallOptions options) {
  ExpressionVector arguments;
  bool nullable = options.may_null;
  for (size_t i = 0; i < input.arguments.size(); ++i) {
    const DataTypePtr& expected = parameter_types[std::min(i, parameter_types.size() - 1)];
    const ExpressionPtr& argument = input.arguments[i];
    if (!expression::CanImplicitCast(argument->type(), expected)) {
      return UnexpectedInputType(input, i, QuoteSqlType(expected->Sql()));
    }
    arguments.push_back(expression::ImplicitCast(argument, expected));
    nullable = nullable || arguments.back()->nullable();
  }
  bool result_nullable = nullable && !options.never_null;
  return MakeCall(input, std::move(arguments), std::move(result), result_nullable, std::move(kernel),
                  std::move(options));
}

}  // namespace millrace::function
