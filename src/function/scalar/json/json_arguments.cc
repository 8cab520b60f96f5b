#include "function/scalar/json/json_arguments.h"

#include "base/ascii.h"
#include "base/error.h"
#include "expression/type_coercion.h"

namespace millrace::function {

using types::TypeId;

arrow::Result<format::OptionMap> BindOptions(const BindInput& input, size_t index) {
  format::OptionMap options;
  if (index >= input.arguments.size()) return options;
  const ExpressionPtr& argument = input.arguments[index];
  const types::DataType& type = *argument->type();
  if (type.id() != TypeId::kMap || !argument->foldable()) return UserError("INVALID_OPTIONS.NON_MAP_FUNCTION");
  if (type.key()->id() != TypeId::kString || type.value()->id() != TypeId::kString) {
    return UserError("INVALID_OPTIONS.NON_STRING_TYPE", {{"mapType", QuoteSqlType(type.Sql())}});
  }
  ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(*argument, input.context));
  if (!scalar->is_valid) return options;
  const auto& entries =
      static_cast<const arrow::StructArray&>(*static_cast<const arrow::MapScalar&>(*scalar).value);
  const auto& keys = static_cast<const arrow::StringArray&>(*entries.field(0));
  const auto& values = static_cast<const arrow::StringArray&>(*entries.field(1));
  for (int64_t i = 0; i < entries.length(); ++i) {
    if (!values.IsNull(i)) options[keys.GetString(i)] = values.GetString(i);
  }
  return options;
}

arrow::Result<DataTypePtr> BindSchema(const BindInput& input, size_t index) {
  const ExpressionPtr& argument = input.arguments[index];
  auto no_literal = [&] {
    return UserError("INVALID_SCHEMA.NON_STRING_LITERAL", {{"inputSchema", QuoteSqlExpression(argument->Sql())}});
  };
  if (!argument->foldable() || argument->type()->id() != TypeId::kString) return no_literal();
  ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(*argument, input.context));
  if (!scalar->is_valid) return no_literal();
  std::string text(static_cast<const arrow::BaseBinaryScalar&>(*scalar).view());
  std::string_view start = TrimAscii(text);
  if (start.empty()) return UserError("PARSE_EMPTY_STATEMENT");
  if (start[0] == '{' || start[0] == '"') return types::ParseTypeJson(text);
  return types::ParseSchemaDdl(text);
}

BindInput WithFirstArgumentOnly(const BindInput& input) {
  BindInput shown = input;
  shown.arguments.resize(1);
  return shown;
}

arrow::Result<ExpressionPtr> BindText(const BindInput& input, size_t index) {
  const ExpressionPtr& argument = input.arguments[index];
  if (argument->type()->id() != TypeId::kString && argument->type()->id() != TypeId::kNull) {
    return UnexpectedInputType(input, index, QuoteSqlType("STRING"));
  }
  return expression::ImplicitCast(argument, types::String());
}

ExpressionPtr OptionsLiteral(const format::OptionMap& options) {
  std::string text;
  for (const auto& [key, value] : options) text += ToLowerAscii(key) + "=" + value + "\n";
  return expression::Literal::String(std::move(text));
}

std::function<std::string(const std::vector<std::string>&)> RenderFirstArgument(std::string name) {
  return [name = std::move(name)](const std::vector<std::string>& arguments) { return name + "(" + arguments[0] + ")"; };
}

}  // namespace millrace::function
