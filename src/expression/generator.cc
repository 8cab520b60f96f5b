#include "expression/generator.h"

namespace millrace::expression {

GeneratorCall::GeneratorCall(std::string name, std::vector<types::StructField> output, GeneratorKernel kernel,
                             ExpressionVector arguments)
    : Expression(ExpressionKind::kGeneratorCall, types::Struct(std::move(output)), false, std::move(arguments)),
      name_(std::move(name)),
      kernel_(std::move(kernel)) {}

ExpressionPtr GeneratorCall::WithChildren(ExpressionVector children) const {
  return std::make_shared<GeneratorCall>(name_, output(), kernel_, std::move(children));
}

std::string GeneratorCall::Sql(bool pretty) const {
  std::string sql = name_ + "(";
  for (size_t i = 0; i < children().size(); ++i) sql += (i > 0 ? ", " : "") + children()[i]->Sql(pretty);
  return sql + ")";
}

}  // namespace millrace::expression
