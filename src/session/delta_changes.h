#pragma once

#include <optional>

#include "session/session.h"
#include "sql/statement.h"

namespace millrace::session {

/// Runs what a relation message of Delta's DeltaTable class changes (delete, update, merge, optimize, restore) and
/// gives its rows; nullopt for one that only reads.
arrow::Result<std::optional<QueryResult>> RunDeltaRelation(Session& session, const spark::connect::Relation& relation);

}  // namespace millrace::session
