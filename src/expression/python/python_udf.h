#pragma once

#include <string>
#include <vector>

#include "expression/expression.h"
#include "python/environment.h"
#include "python/user_function.h"

namespace millrace::expression {

/// A call of a user's Python function with one value a row. The optimiser's last rule makes a column below the operator
/// of it (ExtractPythonUdfs); it is never evaluated here.
class PythonUdf final : public Expression {
 public:
  /// `argument_names`: one for each argument, empty for a positional one.
  PythonUdf(python::UserFunctionPtr function, python::EnvironmentPtr environment, DataTypePtr type,
            ExpressionVector arguments, std::vector<std::string> argument_names);

  const python::UserFunctionPtr& function() const { return function_; }
  const python::EnvironmentPtr& environment() const { return environment_; }
  const std::vector<std::string>& argument_names() const { return argument_names_; }

  ExpressionPtr WithChildren(ExpressionVector children) const override;
  std::string Sql(bool pretty) const override;
  bool deterministic() const override;
  bool foldable() const override { return false; }
  bool can_fail() const override { return true; }

 private:
  python::UserFunctionPtr function_;
  python::EnvironmentPtr environment_;
  std::vector<std::string> argument_names_;
};

/// The same function, whatever its arguments.
bool SamePythonCall(const PythonUdf& a, const PythonUdf& b);

}  // namespace millrace::expression
