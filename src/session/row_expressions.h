#pragma once

#include "connector/row_expressions.h"
#include "expression/eval_context.h"

namespace spark::connect {
class Expression;
}

namespace millrace::session {

class Session;

/// Resolves and binds expressions over rows of `schema`. Errors: those of parsing and resolving.
arrow::Result<connector::RowExpressionsPtr> CompileRowExpressions(Session& session, const types::DataTypePtr& schema,
                                                                  const std::vector<std::string>& sql);
/// The same for expressions of a plan.
arrow::Result<connector::RowExpressionsPtr> CompileRowExpressions(
    Session& session, const types::DataTypePtr& schema, const std::vector<spark::connect::Expression>& expressions);

}  // namespace millrace::session
