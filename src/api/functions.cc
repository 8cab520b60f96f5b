#include "millrace/functions.h"

#include "api/message.h"

namespace millrace::functions {

using spark::connect::Expression;

Column Col(std::string_view name) { return Column(name); }

Column Expr(std::string_view sql) {
  auto message = std::make_shared<Expression>();
  message->mutable_expression_string()->set_expression(std::string(sql));
  return Column(std::move(message));
}

Column Call(std::string_view name, const std::vector<Column>& arguments) {
  auto message = std::make_shared<Expression>();
  message->mutable_unresolved_function()->set_function_name(std::string(name));
  api::AddMessages(arguments, message->mutable_unresolved_function()->mutable_arguments());
  return Column(std::move(message));
}

}  // namespace millrace::functions
