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
/// Its type is null when analyze() says at each call what its rows are.
arrow::Result<RegisteredFunction> ToTableFunction(const spark::connect::CommonInlineUserDefinedTableFunction& message);

/// The call of a Python function that stands in an expression: one value a row, or an aggregate.
/// Errors: UserError INVALID_UDF_EVAL_TYPE, UNEXPECTED_INPUT_TYPE and the like as Spark raises.
arrow::Result<ExpressionPtr> MakePythonCall(const AnalyzerContext& context, python::UserFunctionPtr function,
                                            types::DataTypePtr type, ExpressionVector arguments,
                                            std::vector<std::string> argument_names);

}  // namespace millrace::analyzer
