#pragma once

#include "analyzer/analyzer.h"
#include "analyzer/expression_resolver.h"
#include "expression/python/python_table.h"
#include "types/data_type.h"

namespace spark::connect {
class Relation;
}  // namespace spark::connect

/// Table functions in Python: calls in FROM and as generators, analyze(), TABLE arguments.

namespace millrace::analyzer {

class RelationResolver;

bool IsTableFunction(python::EvalType type);

/// What the static method analyze() of a table function answered (pyspark.sql.udtf.AnalyzeResult).
struct TableAnalysis {
  types::DataTypePtr schema;
  /// For the function's constructor.
  std::string pickled;
  bool single_partition = false;
  /// SQL expressions over the TABLE argument.
  std::vector<std::string> partition_by;
  struct Order {
    std::string sql;
    bool ascending = true;
    std::optional<bool> nulls_first;
  };
  std::vector<Order> order_by;
  struct Selected {
    std::string sql;
    /// Empty for none.
    std::string alias;
  };
  std::vector<Selected> select;
};

/// Asks analyze(). `names` has one for each argument, empty for a positional one; `table` is the argument that is a
/// TABLE (null for none). Errors: UserError TABLE_VALUED_FUNCTION_FAILED_TO_ANALYZE_IN_PYTHON with the traceback.
arrow::Result<TableAnalysis> AnalyzeTableFunction(const python::UserFunction& function,
                                                  const python::EnvironmentPtr& environment,
                                                  const ExpressionVector& arguments,
                                                  const std::vector<std::string>& names, const ExpressionPtr& table,
                                                  const expression::EvalContext& eval);

/// The generator whose rows the function makes. Errors: UserError for arguments that are not built.
arrow::Result<ExpressionPtr> MakePythonTableCall(expression::PythonTableKernel table, const types::DataType& type,
                                                 ExpressionVector arguments);

/// A call that stands in FROM.
arrow::Result<PlanPtr> ResolvePythonTable(
    RelationResolver& resolver, const RegisteredFunction& function,
    const google::protobuf::RepeatedPtrField<spark::connect::Expression>& arguments);
/// The same with the function's code: MyFunction(lit(1)).
arrow::Result<PlanPtr> ResolvePythonTableFunction(RelationResolver&, const spark::connect::Relation&);

}  // namespace millrace::analyzer
