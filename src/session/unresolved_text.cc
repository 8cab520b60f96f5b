#include "session/unresolved_text.h"

#include <optional>

#include "base/ascii.h"

namespace millrace::session {

namespace {

using spark::connect::Expression;

std::optional<std::string> TextOf(const Expression& expression);

std::optional<std::string> LiteralText(const Expression::Literal& literal) {
  switch (literal.literal_type_case()) {
    case Expression::Literal::kNull:
      return "null";
    case Expression::Literal::kBoolean:
      return literal.boolean() ? "true" : "false";
    case Expression::Literal::kByte:
      return std::to_string(literal.byte());
    case Expression::Literal::kShort:
      return std::to_string(literal.short_());
    case Expression::Literal::kInteger:
      return std::to_string(literal.integer());
    case Expression::Literal::kLong:
      return std::to_string(literal.long_());
    case Expression::Literal::kString:
      return literal.string();
    default:
      return std::nullopt;
  }
}

std::optional<std::string> CallText(const Expression::UnresolvedFunction& call) {
  static constexpr std::pair<std::string_view, std::string_view> kOperators[] = {
      {"==", "="},    {"=", "="},   {"<=>", "<=>"}, {"<", "<"}, {"<=", "<="}, {">", ">"}, {">=", ">="},
      {"and", "AND"}, {"or", "OR"}, {"+", "+"},     {"-", "-"}, {"*", "*"},   {"/", "/"}, {"%", "%"}};
  std::vector<std::string> arguments;
  for (const Expression& argument : call.arguments()) {
    std::optional<std::string> text = TextOf(argument);
    if (!text) return std::nullopt;
    arguments.push_back(*std::move(text));
  }
  std::string name = ToLowerAscii(call.function_name());
  for (const auto& [function, shown] : kOperators) {
    if (name == function && arguments.size() == 2) {
      return "(" + arguments[0] + " " + std::string(shown) + " " + arguments[1] + ")";
    }
  }
  if ((name == "not" || name == "!") && arguments.size() == 1) return "NOT " + arguments[0];
  bool of_null = name == "isnull" || name == "isnotnull";
  if (of_null && arguments.size() == 1) return name + "(" + arguments[0] + ")";
  if (name != "in" || arguments.empty()) return std::nullopt;
  std::string list;
  for (size_t i = 1; i < arguments.size(); ++i) list += (i > 1 ? "," : "") + arguments[i];
  return arguments[0] + " IN (" + list + ")";
}

std::optional<std::string> TextOf(const Expression& expression) {
  switch (expression.expr_type_case()) {
    case Expression::kUnresolvedAttribute:
      return "'" + expression.unresolved_attribute().unparsed_identifier();
    case Expression::kLiteral:
      return LiteralText(expression.literal());
    case Expression::kUnresolvedFunction:
      return CallText(expression.unresolved_function());
    default:
      return std::nullopt;
  }
}

bool Collect(const Expression& condition, std::vector<std::string>* conjuncts) {
  const Expression::UnresolvedFunction& call = condition.unresolved_function();
  if (condition.has_unresolved_function() && EqualsIgnoreCase(call.function_name(), "and")) {
    for (const Expression& part : call.arguments()) {
      if (!Collect(part, conjuncts)) return false;
    }
    return true;
  }
  std::optional<std::string> text = TextOf(condition);
  if (text) conjuncts->push_back(*std::move(text));
  return text.has_value();
}

}  // namespace

std::vector<std::string> UnresolvedConjuncts(const Expression& condition) {
  std::vector<std::string> conjuncts;
  if (!Collect(condition, &conjuncts)) conjuncts.clear();
  return conjuncts;
}

}  // namespace millrace::session
