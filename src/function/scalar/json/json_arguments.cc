#include "function/scalar/json/json_arguments.h"

#include "base/ascii.h"
#include "base/error.h"
#include "expression/type_coercion.h"

namespace millrace::function {

using types::TypeId;

namespace {

constexpr std::string_view kWordCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

/// Whether a DDL text holds CHAR(n) or VARCHAR(n), which a schema of values must not.
bool NamesCharType(std::string_view ddl) {
  for (size_t i = 0; i < ddl.size(); ++i) {
    if (ddl[i] != '(') continue;
    std::string_view before = TrimAscii(ddl.substr(0, i));
    size_t start = before.find_last_not_of(kWordCharacters);
    std::string_view word = before.substr(start == std::string_view::npos ? 0 : start + 1);
    for (std::string_view name : {"char", "varchar", "character"}) {
      if (EqualsIgnoreCase(word, name)) return true;
    }
  }
  return false;
}

}  // namespace

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
  const auto& entries = static_cast<const arrow::StructArray&>(*static_cast<const arrow::MapScalar&>(*scalar).value);
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
    return UserError("INVALID_SCHEMA.NON_STRING_LITERAL",
                     {{"inputSchema", QuoteSqlExpression(argument->Sql(/*pretty=*/true))}});
  };
  if (!argument->foldable() || argument->type()->id() != TypeId::kString) return no_literal();
  ARROW_ASSIGN_OR_RAISE(auto scalar, expression::EvaluateFoldable(*argument, input.context));
  if (!scalar->is_valid) return no_literal();
  std::string text(static_cast<const arrow::BaseBinaryScalar&>(*scalar).view());
  std::string_view start = TrimAscii(text);
  if (start.empty()) return UserError("PARSE_EMPTY_STATEMENT");
  if (start[0] == '{' || start[0] == '"') return types::ParseTypeJson(text);
  if (NamesCharType(start)) return UserError("UNSUPPORTED_CHAR_OR_VARCHAR_AS_STRING");
  auto schema = types::ParseSchemaDdl(text);
  // Of the two readings, one type and a list of columns, Spark reports what is wrong with the first.
  size_t end = start.find_first_not_of(kWordCharacters);
  std::string_view rest = end == std::string_view::npos ? std::string_view() : TrimAscii(start.substr(end));
  std::string_view second = rest.substr(0, rest.find_first_not_of(kWordCharacters));
  if (schema.ok() || end == 0 || (!rest.empty() && second.empty())) return schema;
  if (rest.empty()) return types::ParseTypeDdl(start);
  return UserError("PARSE_SYNTAX_ERROR", {{"error", "'" + std::string(second) + "'"},
                                          {"hint", ": extra input '" + std::string(second) + "'"}});
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
  return
      [name = std::move(name)](const std::vector<std::string>& arguments) { return name + "(" + arguments[0] + ")"; };
}

}  // namespace millrace::function
