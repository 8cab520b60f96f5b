#include "session/delta_table.h"

#include "analyzer/named_table.h"
#include "base/error.h"
#include "connector/delta/symlink_manifest.h"
#include "connector/delta/table_request.h"
#include "connector/delta/write_plan.h"
#include "delta/history/commit_times.h"
#include "session/table_commands.h"
#include "types/datetime_text.h"

namespace millrace::session {

arrow::Result<std::shared_ptr<delta::Table>> DeltaTableAt(Session& session, const std::string& location) {
  connector::SinkRequest request;
  request.path = location;
  request.context = session.CurrentConnectorContext();
  return connector::delta_table::OpenTable(request);
}

arrow::Result<OpenedTable> OpenDeltaLocation(Session& session, const std::string& location,
                                             const sql::NameParts& name) {
  OpenedTable opened;
  ARROW_ASSIGN_OR_RAISE(opened.table, DeltaTableAt(session, location));
  ARROW_ASSIGN_OR_RAISE(bool exists, opened.table->Exists());
  if (!exists) return UserError("DELTA_MISSING_DELTA_TABLE", {{"tableName", QuoteNameParts(name)}});
  ARROW_ASSIGN_OR_RAISE(opened.snapshot, opened.table->Update());
  return opened;
}

arrow::Result<OpenedTable> OpenDeltaTable(Session& session, const sql::NameParts& name, const std::string& operation) {
  TableCommands tables(session);
  ARROW_ASSIGN_OR_RAISE(catalog::TablePtr table, tables.Find(name));
  if (table->kind == catalog::TableKind::kView || !KeepsOwnSchema(table->provider)) {
    return UserError("DELTA_TABLE_ONLY_OPERATION",
                     {{"tableName", QuoteNameParts(table->FullName())}, {"operation", operation}});
  }
  return OpenDeltaLocation(session, table->location, name);
}

arrow::Result<delta::SnapshotPtr> StateAt(Session& session, const OpenedTable& opened, std::optional<int64_t> version,
                                          const std::optional<std::string>& timestamp) {
  const types::TimeZone& zone = *session.CurrentConnectorContext()->time_zone;
  if (version) {
    ARROW_RETURN_NOT_OK(delta::CheckVersionExists(*opened.table, *opened.snapshot, *version,
                                                  /*must_be_recreatable=*/true, /*allow_beyond_newest=*/false));
  } else if (timestamp) {
    ARROW_ASSIGN_OR_RAISE(int64_t wanted_us, connector::delta_table::ParseTimestampOption(*timestamp, zone));
    ARROW_ASSIGN_OR_RAISE(delta::CommitTime commit,
                          delta::CommitAtTime(*opened.table, *opened.snapshot, types::FloorDiv(wanted_us, 1000),
                                              delta::CommitSearch{}, zone));
    version = commit.version.value;
  } else {
    return opened.snapshot;
  }
  ARROW_ASSIGN_OR_RAISE(delta::SnapshotPtr state, opened.table->SnapshotAt(delta::TableVersion(*version)));
  ARROW_RETURN_NOT_OK(
      connector::delta_table::CheckRetention(*state, *opened.snapshot, *session.CurrentConnectorContext()));
  return state;
}

arrow::Result<std::unique_ptr<delta::Transaction>> BeginChange(Session& session, const OpenedTable& opened) {
  return delta::Transaction::BeginAt(opened.table, opened.snapshot,
                                     connector::delta_table::SettingsOf(*session.CurrentConnectorContext()));
}

arrow::Result<delta::Committed> CommitChange(Session& session, delta::Transaction& transaction,
                                             const delta::Operation& operation) {
  delta::Table& table = *transaction.table();
  ARROW_ASSIGN_OR_RAISE(delta::CommitOutcome outcome, transaction.Commit(operation));
  if (const auto* conflict = std::get_if<delta::Conflict>(&outcome)) return delta::ToStatus(*conflict, table.path());
  const connector::ConnectorContext& context = *session.CurrentConnectorContext();
  auto& committed = std::get<delta::Committed>(outcome);
  connector::delta_table::FollowCommit(table, committed, context);
  session.cache().Invalidate(table.path());
  return std::move(committed);
}

}  // namespace millrace::session
