#pragma once

#include "session/session.h"
#include "sql/statement.h"

/// CREATE FUNCTION … RETURN, DROP FUNCTION, and DESCRIBE FUNCTION of these.

namespace millrace::session {

arrow::Status CreateFunction(Session& session, const sql::CreateFunction& create);
arrow::Status DropFunction(Session& session, const sql::DropFunction& drop);
/// The lines of DESCRIBE FUNCTION.
std::vector<std::string> DescribeSqlFunction(const catalog::SqlFunction& function, bool extended);

}  // namespace millrace::session
