#pragma once

#include "session/session.h"
#include "sql/parser.h"
#include "sql/statement.h"

/// DECLARE, SET VARIABLE and DROP TEMPORARY VARIABLE.

namespace millrace::session {

arrow::Status DeclareVariables(Session& session, const sql::DeclareVariable& declare);
arrow::Status SetVariables(Session& session, const sql::SetVariable& set);
/// Gives each variable one of the literals `values`, cast to its type.
arrow::Status AssignVariables(Session& session, const std::vector<sql::NameParts>& names,
                              const std::vector<expression::ExpressionPtr>& values);
arrow::Status DropVariable(Session& session, const sql::DropVariable& drop);

/// Refuses SET of what is a variable. Errors: UserError UNSUPPORTED_FEATURE.SET_VARIABLE_USING_SET.
arrow::Status CheckNoVariable(Session& session, const std::string& conf_key);

/// The value of an expression that needs no rows; nullopt when it is no constant. Errors: as resolving it.
arrow::Result<std::optional<sql::ConstantValue>> ConstantOf(Session& session,
                                                            const spark::connect::Expression& expression);

}  // namespace millrace::session
