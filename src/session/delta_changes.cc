#include "session/delta_changes.h"

#include "analyzer/delta_message.h"
#include "base/ascii.h"
#include "base/error.h"
#include "session/result_rows.h"
#include "session/row_changes.h"
#include "spark/connect/relations.pb.h"
#include "sql/data_type_proto.h"
#include "sql/parser.h"

namespace millrace::session {

namespace {

using analyzer::DeltaMessage;
using ClauseKind = sql::RowClause::Kind;
using DeltaField = analyzer::DeltaRelationField;

template <typename Message>
arrow::Status Parse(const std::string& bytes, Message* out) {
  if (out->ParseFromString(bytes)) return arrow::Status::OK();
  return UserError("CONNECT_INVALID_PLAN.CANNOT_PARSE", {{"errorMsg", "a message of Delta's"}});
}

// delta.connect.Assignment
arrow::Result<std::vector<sql::Assignment>> Assignments(const std::vector<std::string>& messages) {
  std::vector<sql::Assignment> assignments;
  for (const std::string& bytes : messages) {
    ARROW_ASSIGN_OR_RAISE(DeltaMessage message, DeltaMessage::Parse(bytes));
    sql::Assignment& assignment = assignments.emplace_back();
    ARROW_RETURN_NOT_OK(Parse(message.Bytes(1), &assignment.column));
    ARROW_RETURN_NOT_OK(Parse(message.Bytes(2), &assignment.value));
  }
  return assignments;
}

arrow::Status Condition(const DeltaMessage& message, int field, std::optional<spark::connect::Expression>* out) {
  return message.Has(field) ? Parse(message.Bytes(field), &out->emplace()) : arrow::Status::OK();
}

// delta.connect.MergeIntoTable.Action
arrow::Result<std::vector<sql::RowClause>> Clauses(const std::vector<std::string>& messages) {
  static constexpr struct {
    int field;
    ClauseKind kind;
  } kKinds[] = {{2, ClauseKind::kDelete},
                {3, ClauseKind::kUpdate},
                {4, ClauseKind::kUpdateAll},
                {5, ClauseKind::kInsert},
                {6, ClauseKind::kInsertAll}};
  std::vector<sql::RowClause> clauses;
  for (const std::string& bytes : messages) {
    ARROW_ASSIGN_OR_RAISE(DeltaMessage message, DeltaMessage::Parse(bytes));
    sql::RowClause& clause = clauses.emplace_back();
    ARROW_RETURN_NOT_OK(Condition(message, 1, &clause.condition));
    for (const auto& known : kKinds) {
      if (!message.Has(known.field)) continue;
      clause.kind = known.kind;
      ARROW_ASSIGN_OR_RAISE(DeltaMessage action, DeltaMessage::Parse(message.Bytes(known.field)));
      ARROW_ASSIGN_OR_RAISE(clause.assignments, Assignments(action.AllBytes(1)));
    }
  }
  // Source: delta-spark's DeltaMergeBuilder.
  std::erase_if(clauses, [](const sql::RowClause& clause) {
    return clause.kind == ClauseKind::kUpdate && clause.assignments.empty() && !clause.condition;
  });
  return clauses;
}

arrow::Result<QueryResult> RunMerge(Session& session, const DeltaMessage& message) {
  sql::ChangeRows change;
  change.kind = sql::ChangeRows::Kind::kMerge;
  ARROW_RETURN_NOT_OK(Parse(message.Bytes(1), &change.target));
  ARROW_RETURN_NOT_OK(Parse(message.Bytes(2), &change.source.emplace()));
  ARROW_RETURN_NOT_OK(Condition(message, 3, &change.condition));
  ARROW_ASSIGN_OR_RAISE(change.matched, Clauses(message.AllBytes(4)));
  ARROW_ASSIGN_OR_RAISE(change.not_matched, Clauses(message.AllBytes(5)));
  ARROW_ASSIGN_OR_RAISE(change.not_matched_by_source, Clauses(message.AllBytes(6)));
  change.evolves_schema = message.Varint(7) != 0;
  if (change.matched.empty() && change.not_matched.empty() && change.not_matched_by_source.empty()) {
    return UserError("DELTA_MERGE_MISSING_WHEN");
  }
  return RunChangeRows(session, change);
}

// delta.connect.ConvertToDelta; answers with the name that the table has from then on.
arrow::Result<QueryResult> Convert(Session& session, const DeltaMessage& message) {
  sql::ConvertToDelta convert;
  ARROW_ASSIGN_OR_RAISE(convert.table, sql::ParseMultipartIdentifier(message.Bytes(1)));
  types::DataTypePtr partitions;
  if (message.Has(2)) {
    ARROW_ASSIGN_OR_RAISE(partitions, types::ParseSchemaDdl(message.Bytes(2)));
  } else if (message.Has(3)) {
    spark::connect::DataType type;
    ARROW_RETURN_NOT_OK(Parse(message.Bytes(3), &type));
    ARROW_ASSIGN_OR_RAISE(partitions, sql::DataTypeFromProto(type));
  }
  for (size_t i = 0; partitions != nullptr && i < partitions->fields().size(); ++i) {
    convert.partition_columns.emplace_back().field = partitions->fields()[i];
  }
  ARROW_RETURN_NOT_OK(RunConvert(session, convert).status());
  bool by_path = convert.table.size() == 2 && EqualsIgnoreCase(convert.table[0], "parquet");
  std::string name = by_path ? "delta." + QuoteIdentifier(convert.table[1]) : message.Bytes(1);
  return ResultOf(types::Struct({{"value", types::String(), true, ""}}), {{name}});
}

}  // namespace

arrow::Result<std::optional<QueryResult>> RunDeltaRelation(Session& session, const spark::connect::Relation& relation) {
  ARROW_ASSIGN_OR_RAISE(auto envelope, analyzer::OpenDeltaRelation(relation.extension()));
  const DeltaMessage& message = envelope.message;
  switch (envelope.kind) {
    case DeltaField::kDeleteFromTable: {
      sql::ChangeRows change;
      ARROW_RETURN_NOT_OK(Parse(message.Bytes(1), &change.target));
      ARROW_RETURN_NOT_OK(Condition(message, 2, &change.condition));
      return RunChangeRows(session, change);
    }
    case DeltaField::kUpdateTable: {
      sql::ChangeRows change;
      change.kind = sql::ChangeRows::Kind::kUpdate;
      ARROW_RETURN_NOT_OK(Parse(message.Bytes(1), &change.target));
      ARROW_RETURN_NOT_OK(Condition(message, 2, &change.condition));
      sql::RowClause update;
      update.kind = ClauseKind::kUpdate;
      ARROW_ASSIGN_OR_RAISE(update.assignments, Assignments(message.AllBytes(3)));
      change.matched.push_back(std::move(update));
      return RunChangeRows(session, change);
    }
    case DeltaField::kMergeIntoTable:
      return RunMerge(session, message);
    case DeltaField::kOptimizeTable: {
      sql::OptimizeTable optimize;
      ARROW_ASSIGN_OR_RAISE(optimize.table, analyzer::DeltaTableParts(message));
      optimize.where = message.AllBytes(2);
      for (const std::string& column : message.AllBytes(3)) {
        ARROW_ASSIGN_OR_RAISE(optimize.zorder_by.emplace_back(), sql::ParseMultipartIdentifier(column));
      }
      return RunOptimize(session, optimize);
    }
    case DeltaField::kRestoreTable: {
      sql::RestoreTable restore;
      ARROW_ASSIGN_OR_RAISE(restore.table, analyzer::DeltaTableParts(message));
      if (message.Has(3)) {
        restore.timestamp = message.Bytes(3);
      } else {
        restore.version = message.Varint(2);
      }
      return RunRestore(session, restore);
    }
    case DeltaField::kConvertToDelta:
      return Convert(session, message);
    default:
      return std::nullopt;
  }
}

}  // namespace millrace::session
