#pragma once

#include <string>
#include <vector>

#include "expression/generator.h"
#include "python/environment.h"
#include "python/user_function.h"

namespace millrace::expression {

/// The kernel of a generator whose rows a user's Python class makes: it says what to run, and an operator of its own
/// runs it (physical/operator/eval_python_table.h), because the class sees all rows of a partition.
struct PythonTableKernel {
  python::UserFunctionPtr function;
  python::EnvironmentPtr environment;
  /// One for each argument, empty for a positional one.
  std::vector<std::string> argument_names;
  /// What analyze() gave, pickled; empty without one.
  std::string analyze_result;
  /// Which argument is the row of a TABLE argument; -1 without one.
  int table_argument = -1;
  /// Where in that row the values stand that the table is partitioned by.
  std::vector<int32_t> partition_columns;

  /// Never called. Errors: InternalError.
  arrow::Result<Generated> operator()(const EvalContext&, const std::vector<arrow::Datum>&, int64_t num_rows) const;
};

/// Null when the generator is not one of Python.
inline const PythonTableKernel* PythonTableOf(const GeneratorCall& call) {
  return call.kernel().target<PythonTableKernel>();
}

}  // namespace millrace::expression
