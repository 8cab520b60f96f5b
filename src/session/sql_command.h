#pragma once

#include "session/session.h"
#include "sql/statement.h"

namespace millrace::session {

/// Runs a command and gives its rows. Errors: UserError as Spark raises.
arrow::Result<QueryResult> RunSqlCommand(Session& session, const sql::Command& command);

/// SHOW and DESCRIBE.
arrow::Result<QueryResult> RunShow(Session& session, const sql::Show& show);
arrow::Result<QueryResult> RunDescribe(Session& session, const sql::Describe& describe);

/// Whether `name` is of a SHOW pattern: `*` stands for any text, `|` separates alternatives, case is ignored.
bool MatchesPattern(const std::string& name, const std::string& pattern);

}  // namespace millrace::session
