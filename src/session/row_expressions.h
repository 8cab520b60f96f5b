#pragma once

#include "connector/row_expressions.h"
#include "expression/eval_context.h"
#include "expression/node.h"

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

/// The same for expressions that are resolved over `columns`, one a column of the rows.
arrow::Result<connector::RowExpressionsPtr> BindRowExpressions(Session& session,
                                                               const expression::ExpressionVector& expressions,
                                                               const expression::AttributeVector& columns);

/// What an expression over rows of `schema` says once it is simplified. Errors: those of parsing and resolving.
arrow::Result<std::string> SimplifiedSql(Session& session, const types::DataTypePtr& schema, const std::string& sql);

}  // namespace millrace::session
