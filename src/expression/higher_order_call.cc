#include "expression/call.h"

namespace millrace::expression {

HigherOrderCall::HigherOrderCall(std::string name, HigherOrderKernel kernel, DataTypePtr type, bool nullable,
                                 ExpressionVector arguments)
    : Expression(ExpressionKind::kHigherOrderCall, std::move(type), nullable, std::move(arguments)),
      name_(std::move(name)),
      kernel_(std::move(kernel)) {}

ExpressionPtr HigherOrderCall::WithChildren(ExpressionVector children) const {
  return std::make_shared<HigherOrderCall>(name_, kernel_, type(), nullable(), std::move(children));
}

std::string HigherOrderCall::Sql(bool pretty) const {
  std::string sql = name_ + "(";
  for (size_t i = 0; i < children().size(); ++i) sql += (i > 0 ? ", " : "") + children()[i]->Sql(pretty);
  return sql + ")";
}

arrow::Result<arrow::Datum> HigherOrderCall::Evaluate(const EvalContext& context,
                                                      const arrow::RecordBatch& input) const {
  std::vector<arrow::Datum> arguments;
  std::vector<const LambdaFunction*> lambdas;
  for (const ExpressionPtr& child : children()) {
    arrow::Datum argument;
    if (child->kind() == ExpressionKind::kLambdaFunction) {
      lambdas.push_back(static_cast<const LambdaFunction*>(child.get()));
    } else {
      ARROW_ASSIGN_OR_RAISE(argument, child->Evaluate(context, input));
    }
    arguments.push_back(std::move(argument));
  }
  return kernel_(context, input, arguments, lambdas);
}

}  // namespace millrace::expression
