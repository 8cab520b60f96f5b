#include "expression/python/python_udf.h"

namespace millrace::expression {

PythonUdf::PythonUdf(python::UserFunctionPtr function, python::EnvironmentPtr environment, DataTypePtr type,
                     ExpressionVector arguments, std::vector<std::string> argument_names)
    : Expression(ExpressionKind::kPythonUdf, std::move(type), true, std::move(arguments)),
      function_(std::move(function)),
      environment_(std::move(environment)),
      argument_names_(std::move(argument_names)) {}

ExpressionPtr PythonUdf::WithChildren(ExpressionVector children) const {
  return std::make_shared<PythonUdf>(function_, environment_, type(), std::move(children), argument_names_);
}

std::string PythonUdf::Sql(bool pretty) const {
  std::string sql = function_->name + "(";
  for (size_t i = 0; i < children().size(); ++i) {
    if (i > 0) sql += ", ";
    if (!argument_names_[i].empty()) sql += argument_names_[i] + " => ";
    sql += children()[i]->Sql(pretty);
  }
  return sql + ")";
}

bool PythonUdf::deterministic() const { return function_->deterministic && Expression::deterministic(); }

bool SamePythonCall(const PythonUdf& a, const PythonUdf& b) {
  return python::SameFunction(*a.function(), *b.function()) && a.argument_names() == b.argument_names();
}

}  // namespace millrace::expression
