#pragma once

#include "session/session.h"
#include "sql/statement.h"

namespace millrace::session {

/// DELETE, UPDATE and MERGE of a Delta table, in one commit; gives how many rows were affected.
/// Errors: UserError as delta-spark raises; UNSUPPORTED_FEATURE.TABLE_OPERATION for other tables and views.
arrow::Result<QueryResult> RunChangeRows(Session& session, const sql::ChangeRows& change);

/// OPTIMIZE, REORG, VACUUM, RESTORE and GENERATE of a Delta table.
arrow::Result<QueryResult> RunOptimize(Session& session, const sql::OptimizeTable& optimize);
arrow::Result<QueryResult> RunReorg(Session& session, const sql::ReorgTable& reorg);
arrow::Result<QueryResult> RunVacuum(Session& session, const sql::VacuumTable& vacuum);
arrow::Result<QueryResult> RunRestore(Session& session, const sql::RestoreTable& restore);
arrow::Result<QueryResult> RunGenerate(Session& session, const sql::GenerateManifest& generate);
/// convert_delta.cc
arrow::Result<QueryResult> RunConvert(Session& session, const sql::ConvertToDelta& convert);

}  // namespace millrace::session
