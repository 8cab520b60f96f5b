#pragma once

#include "session/session.h"
#include "sql/script.h"

namespace millrace::session {

/// Runs BEGIN … END; the rows of its last query. Errors: as its statements, where no handler takes them.
arrow::Result<QueryResult> RunScript(Session& session, const sql::Script& script);

}  // namespace millrace::session
