#include "base/error.h"
#include "connect/command/command.h"
#include "session/row_changes.h"
#include "sql/parser.h"

/// DataFrame.mergeInto.

namespace millrace::connect {

namespace {

namespace proto = spark::connect;
using ClauseKind = sql::RowClause::Kind;

arrow::Result<ClauseKind> KindOf(const proto::MergeAction& action) {
  switch (action.action_type()) {
    case proto::MergeAction::ACTION_TYPE_DELETE:
      return ClauseKind::kDelete;
    case proto::MergeAction::ACTION_TYPE_INSERT:
      return ClauseKind::kInsert;
    case proto::MergeAction::ACTION_TYPE_INSERT_STAR:
      return ClauseKind::kInsertAll;
    case proto::MergeAction::ACTION_TYPE_UPDATE:
      return ClauseKind::kUpdate;
    case proto::MergeAction::ACTION_TYPE_UPDATE_STAR:
      return ClauseKind::kUpdateAll;
    default:
      return UserError("CONNECT_INVALID_PLAN.CANNOT_PARSE", {{"errorMsg", "a merge action without a kind"}});
  }
}

arrow::Result<std::vector<sql::RowClause>> Clauses(
    const google::protobuf::RepeatedPtrField<proto::Expression>& messages) {
  std::vector<sql::RowClause> clauses;
  for (const proto::Expression& message : messages) {
    const proto::MergeAction& action = message.merge_action();
    sql::RowClause& clause = clauses.emplace_back();
    ARROW_ASSIGN_OR_RAISE(clause.kind, KindOf(action));
    if (action.has_condition()) clause.condition = action.condition();
    for (const auto& assignment : action.assignments()) {
      clause.assignments.push_back({assignment.key(), assignment.value()});
    }
  }
  return clauses;
}

}  // namespace

arrow::Status RunMergeIntoTable(const CommandContext& context, const proto::Command& command) {
  const proto::MergeIntoTableCommand& message = command.merge_into_table_command();
  sql::ChangeRows change;
  change.kind = sql::ChangeRows::Kind::kMerge;
  change.target.mutable_read()->mutable_named_table()->set_unparsed_identifier(message.target_table_name());
  ARROW_ASSIGN_OR_RAISE(change.table, sql::ParseMultipartIdentifier(message.target_table_name()));
  change.source = message.source_table_plan();
  change.condition = message.merge_condition();
  ARROW_ASSIGN_OR_RAISE(change.matched, Clauses(message.match_actions()));
  ARROW_ASSIGN_OR_RAISE(change.not_matched, Clauses(message.not_matched_actions()));
  ARROW_ASSIGN_OR_RAISE(change.not_matched_by_source, Clauses(message.not_matched_by_source_actions()));
  change.evolves_schema = message.with_schema_evolution();
  return session::RunChangeRows(context.session(), change).status();
}

}  // namespace millrace::connect
