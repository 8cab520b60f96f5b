#include "sql/expression_tree.h"

#include <functional>

#include "types/data_type.h"

namespace millrace::sql {

Expression::UnresolvedFunction* SetFunction(std::string_view name, Expression* out) {
  Expression::UnresolvedFunction* function = out->mutable_unresolved_function();
  function->Clear();
  function->set_function_name(std::string(name));
  return function;
}

Expression::UnresolvedFunction* WrapInFunction(std::string_view name, Expression* expression) {
  Expression argument;
  argument.Swap(expression);
  Expression::UnresolvedFunction* function = SetFunction(name, expression);
  function->add_arguments()->Swap(&argument);
  return function;
}

Expression::UnresolvedFunction* SetInternalFunction(std::string_view name, Expression* out) {
  Expression::UnresolvedFunction* function = SetFunction(name, out);
  function->set_is_internal(true);
  return function;
}

Expression::UnresolvedFunction* WrapInInternalFunction(std::string_view name, Expression* expression) {
  Expression::UnresolvedFunction* function = WrapInFunction(name, expression);
  function->set_is_internal(true);
  return function;
}

void SetString(std::string_view value, Expression* out) { out->mutable_literal()->set_string(std::string(value)); }
void SetInteger(int32_t value, Expression* out) { out->mutable_literal()->set_integer(value); }
void SetBoolean(bool value, Expression* out) { out->mutable_literal()->set_boolean(value); }

void SetAttribute(const std::vector<std::string>& parts, Expression* out) {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += '.';
    text += types::QuoteIfNeeded(part);
  }
  out->mutable_unresolved_attribute()->set_unparsed_identifier(std::move(text));
}

std::vector<std::string> AttributeParts(const Expression& attribute) {
  const std::string& text = attribute.unresolved_attribute().unparsed_identifier();
  std::vector<std::string> parts(1);
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '`') {
      if (quoted && i + 1 < text.size() && text[i + 1] == '`') {
        parts.back() += text[++i];
      } else {
        quoted = !quoted;
      }
    } else if (text[i] == '.' && !quoted) {
      parts.emplace_back();
    } else {
      parts.back() += text[i];
    }
  }
  return parts;
}

bool IsInternalFunction(const Expression& expression, std::string_view name) {
  return expression.has_unresolved_function() && expression.unresolved_function().is_internal() &&
         expression.unresolved_function().function_name() == name;
}

namespace {

void CombineRange(std::string_view name, std::vector<Expression>* operands, size_t low, size_t high, Expression* out) {
  if (low == high) {
    out->Swap(&(*operands)[low]);
    return;
  }
  size_t middle = low + (high - low) / 2;
  Expression::UnresolvedFunction* function = SetFunction(name, out);
  CombineRange(name, operands, low, middle, function->add_arguments());
  CombineRange(name, operands, middle + 1, high, function->add_arguments());
}

}  // namespace

void CombineBalanced(std::string_view name, std::vector<Expression>* operands, Expression* out) {
  CombineRange(name, operands, 0, operands->size() - 1, out);
}

void ForEachChild(Expression* expression, const std::function<void(Expression*)>& visit) {
  auto each = [&](auto* list) {
    for (Expression& item : *list) visit(&item);
  };
  auto each_order = [&](auto* list) {
    for (Expression::SortOrder& order : *list) visit(order.mutable_child());
  };
  switch (expression->expr_type_case()) {
    case Expression::kUnresolvedFunction:
      return each(expression->mutable_unresolved_function()->mutable_arguments());
    case Expression::kCallFunction:
      return each(expression->mutable_call_function()->mutable_arguments());
    case Expression::kAlias:
      return visit(expression->mutable_alias()->mutable_expr());
    case Expression::kCast:
      return visit(expression->mutable_cast()->mutable_expr());
    case Expression::kSortOrder:
      return visit(expression->mutable_sort_order()->mutable_child());
    case Expression::kLambdaFunction:
      return visit(expression->mutable_lambda_function()->mutable_function());
    case Expression::kNamedArgumentExpression:
      return visit(expression->mutable_named_argument_expression()->mutable_value());
    case Expression::kUnresolvedExtractValue:
      visit(expression->mutable_unresolved_extract_value()->mutable_child());
      return visit(expression->mutable_unresolved_extract_value()->mutable_extraction());
    case Expression::kSubqueryExpression:
      return each(expression->mutable_subquery_expression()->mutable_in_subquery_values());
    case Expression::kWindow: {
      Expression::Window* window = expression->mutable_window();
      visit(window->mutable_window_function());
      each(window->mutable_partition_spec());
      return each_order(window->mutable_order_spec());
    }
    default:
      return;
  }
}

void ForEachChild(const Expression& expression, const std::function<void(const Expression&)>& visit) {
  // The mutable traversal only reaches into what is there: every branch it takes is of the case that is set.
  ForEachChild(const_cast<Expression*>(&expression), [&](Expression* child) { visit(*child); });
}

namespace {

// Without the places in the text.
std::string Meaning(const Expression& expression) {
  Expression copy = expression;
  std::function<void(Expression*)> strip = [&](Expression* each) {
    each->clear_common();
    ForEachChild(each, strip);
  };
  strip(&copy);
  return copy.SerializeAsString();
}

}  // namespace

bool SameExpression(const Expression& a, const Expression& b) {
  return a.expr_type_case() == b.expr_type_case() && Meaning(a) == Meaning(b);
}

}  // namespace millrace::sql
