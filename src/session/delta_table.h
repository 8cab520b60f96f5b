#pragma once

#include <memory>
#include <optional>
#include <string>

#include "catalog/metastore.h"
#include "delta/transaction/transaction.h"
#include "session/session.h"
#include "sql/statement.h"

/// Delta tables as statements name them: opened, at a point in time, and changed by one commit.

namespace millrace::session {

struct OpenedTable {
  std::shared_ptr<delta::Table> table;
  /// The newest state, or the one asked for.
  delta::SnapshotPtr snapshot;
};

/// `operation`: the statement, for messages. Errors: UserError TABLE_OR_VIEW_NOT_FOUND, DELTA_TABLE_ONLY_OPERATION,
/// DELTA_MISSING_DELTA_TABLE.
arrow::Result<OpenedTable> OpenDeltaTable(Session& session, const sql::NameParts& name, const std::string& operation);

/// The table in a directory, which `name` names in messages. Errors: UserError DELTA_MISSING_DELTA_TABLE.
arrow::Result<OpenedTable> OpenDeltaLocation(Session& session, const std::string& location, const sql::NameParts& name);

/// What is or may become a table in a directory.
arrow::Result<std::shared_ptr<delta::Table>> DeltaTableAt(Session& session, const std::string& location);

/// The state of VERSION AS OF or TIMESTAMP AS OF; the one that is opened where neither is given.
/// Errors: UserError DELTA_VERSION_NOT_FOUND, DELTA_TIMESTAMP_INVALID, DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION,
/// ….
arrow::Result<delta::SnapshotPtr> StateAt(Session& session, const OpenedTable& opened, std::optional<int64_t> version,
                                          const std::optional<std::string>& timestamp);

/// A transaction on the state that was opened.
arrow::Result<std::unique_ptr<delta::Transaction>> BeginChange(Session& session, const OpenedTable& opened);

/// Commits, and makes the checkpoint that may be due. Errors: those of conflicts.
arrow::Result<delta::Committed> CommitChange(Session& session, delta::Transaction& transaction,
                                             const delta::Operation& operation);

/// TRUNCATE TABLE. Errors: those of opening and of conflicts; DELTA_CANNOT_MODIFY_APPEND_ONLY.
arrow::Status TruncateDeltaTable(Session& session, const catalog::Table& table);

}  // namespace millrace::session
