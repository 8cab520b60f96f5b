#pragma once

#include "analyzer/expression_resolver.h"
#include "python/user_function.h"

namespace spark::connect {
class CommonInlineUserDefinedFunction;
class CommonInlineUserDefinedTableFunction;
}  // namespace spark::connect

namespace millrace::analyzer {

/// The Python function of a message. Errors: UserError for functions of other languages.
arrow::Result<python::UserFunctionPtr> ToUserFunction(const spark::connect::CommonInlineUserDefinedFunction& message);

/// What Python functions run with. Errors: UserError when there is no Python here.
arrow::Result<python::EnvironmentPtr> PythonOf(const AnalyzerContext& context);

/// The Python table function of a message, as a session registers it.
/// Errors: UserError for functions whose rows' type is not given, or whose rows are pickled.
arrow::Result<RegisteredFunction> ToTableFunction(const spark::connect::CommonInlineUserDefinedTableFunction& message);

/// The call of a Python function that stands in an expression: one value a row, or an aggregate.
/// Errors: UserError INVALID_UDF_EVAL_TYPE, UNEXPECTED_INPUT_TYPE and the like as Spark raises.
arrow::Result<ExpressionPtr> MakePythonCall(const AnalyzerContext& context, python::UserFunctionPtr function,
                                            types::DataTypePtr type, ExpressionVector arguments,
                                            std::vector<std::string> argument_names);

class RelationResolver;
/// A table function that stands in FROM with its code: MyFunction(lit(1)).
arrow::Result<PlanPtr> ResolvePythonTableFunction(RelationResolver&, const spark::connect::Relation&);

}  // namespace millrace::analyzer
