#include "session/row_changes.h"

#include <algorithm>

#include "base/error.h"
#include "base/json_value.h"
#include "connector/delta/change_files.h"
#include "connector/delta/data_file_scan.h"
#include "connector/delta/row_change.h"
#include "connector/delta/symlink_manifest.h"
#include "connector/delta/write_plan.h"
#include "delta/feature/table_feature.h"
#include "delta/schema/computed_column.h"
#include "delta/transaction/schema_merge.h"
#include "delta/transaction/table_metadata.h"
#include "session/predicate_text.h"
#include "session/result_rows.h"
#include "session/row_change_plan.h"
#include "session/row_expressions.h"

namespace millrace::session {

namespace {

using connector::delta_table::RowChange;
using connector::delta_table::RowChangeTotals;
using Kind = sql::ChangeRows::Kind;

std::string ListText(const expression::ExpressionPtr& condition, const expression::EvalContext& context) {
  JsonValue list = JsonValue::Array();
  if (condition != nullptr) list.elements().push_back(JsonValue::String(PredicateText(condition, context)));
  return list.ToString();
}

std::string ClausesText(const std::vector<ChangeClause>& clauses, const expression::EvalContext& context) {
  JsonValue list = JsonValue::Array();
  for (const ChangeClause& clause : clauses) {
    bool ours = clause.change == RowChange::kKeep || clause.change == RowChange::kKeepUnmatched;
    if (ours) continue;  // not the statement's
    JsonValue one = JsonValue::Object();
    if (clause.condition != nullptr) {
      one.Set("predicate", JsonValue::String(PredicateText(clause.condition, context)));
    }
    const char* action = clause.change == RowChange::kInsert ? "insert"
                         : clause.change == RowChange::kDelete || clause.change == RowChange::kDeleteUnmatched
                             ? "delete"
                             : "update";
    one.Set("actionType", JsonValue::String(action));
    list.elements().push_back(std::move(one));
  }
  return list.ToString();
}

/// One change of a table's rows from its plan to its result.
class ChangeRun {
 public:
  ChangeRun(Session& session, const sql::ChangeRows& change, RowChangePlan plan)
      : session_(session),
        change_(change),
        context_(*session.CurrentConnectorContext()),
        plan_(std::move(plan)),
        snapshot_(*plan_.pinned->snapshot()),
        start_ms_(context_.clock->NowMillis()) {}

  arrow::Result<QueryResult> Run() {
    ARROW_RETURN_NOT_OK(Begin());
    if (is_done_) return Result();
    bool whole_files = change_.kind == Kind::kDelete && plan_.partitions_only;
    ARROW_RETURN_NOT_OK(whole_files ? DeleteFiles() : ChangeFiles());
    return Result();
  }

 private:
  arrow::Status Begin() {
    bool only_inserts = change_.kind == Kind::kMerge && plan_.matched.empty() && plan_.not_matched_by_source.empty();
    if (!only_inserts && delta::BooleanProperty(snapshot_.metadata(), "delta.appendOnly", false)) {
      return UserError("DELTA_CANNOT_MODIFY_APPEND_ONLY",
                       {{"table_name", snapshot_.metadata().name.value_or("null")}, {"config", "delta.appendOnly"}});
    }
    delta::TransactionSettings settings = connector::delta_table::SettingsOf(context_);
    ARROW_ASSIGN_OR_RAISE(transaction_,
                          delta::Transaction::BeginAt(plan_.table, plan_.pinned->snapshot(), std::move(settings)));
    // spark.databricks.delta.write.txnAppId and txnVersion: a change that was made before is not made again.
    connector::SinkRequest sink;
    sink.context = &context_;
    ARROW_ASSIGN_OR_RAISE(auto options, connector::delta_table::WriteOptions::Parse(sink));
    user_metadata_ = options.user_metadata;
    if (options.txn_app_id) {
      auto version = transaction_->TxnVersion(*options.txn_app_id);
      is_done_ = version && *version >= options.txn_version;
      if (!is_done_) transaction_->SetTxn(*options.txn_app_id, options.txn_version);
    }
    return ReadPartitions();
  }

  // What others may not add meanwhile.
  arrow::Status ReadPartitions() {
    partition_condition_ = nullptr;
    if (plan_.partition_condition == nullptr) {
      transaction_->ReadPartitions([](const delta::PartitionValues&) { return true; });
      return arrow::Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(partition_condition_,
                          BindRowExpressions(session_, {plan_.partition_condition}, plan_.columns));
    transaction_->ReadPartitions([snapshot = plan_.pinned->snapshot(), condition = partition_condition_,
                                  zone = context_.time_zone](const delta::PartitionValues& values) {
      auto met = connector::delta_table::MatchPartitions(*snapshot, *condition, {values}, *zone);
      return !met.ok() || (*met)[0];  // what cannot be judged is taken for a conflict
    });
    return arrow::Status::OK();
  }

  // DELETE of whole partitions, or of all: no file is read.
  arrow::Status DeleteFiles() {
    std::vector<delta::FileRef> files;
    std::vector<delta::PartitionValues> values;
    snapshot_.files().ForEach([&](const delta::FileRef& file) {
      files.push_back(file);
      if (partition_condition_ != nullptr) values.push_back(file.columns->ToAdd(file.row).partition_values);
    });
    std::vector<bool> goes(files.size(), true);
    if (partition_condition_ != nullptr) {
      ARROW_ASSIGN_OR_RAISE(
          goes, connector::delta_table::MatchPartitions(snapshot_, *partition_condition_, values, *context_.time_zone));
    }
    for (size_t i = 0; i < files.size(); ++i) {
      if (!goes[i]) continue;
      ++totals_->num_removed_files;
      totals_->num_removed_bytes += files[i].columns->size_bytes(files[i].row);
      totals_->num_vectors_removed += files[i].columns->has_deletion_vector(files[i].row);
      std::optional<int64_t> num_rows = connector::delta_table::NumLiveRows(files[i]);
      if (num_rows) {
        totals_->num_deleted += *num_rows;
      } else {
        knows_rows_ = false;
      }
      ARROW_RETURN_NOT_OK(transaction_->StageRemove(files[i], delta::RemovedStats::kNumRecords));
    }
    if (transaction_->IsEmpty()) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(delta::Operation operation, MakeOperation(*totals_));
    ARROW_ASSIGN_OR_RAISE(delta::CommitOutcome outcome, transaction_->Commit(operation));
    if (const auto* conflict = std::get_if<delta::Conflict>(&outcome)) {
      return delta::ToStatus(*conflict, plan_.table->path());
    }
    connector::delta_table::FollowCommit(*plan_.table, std::get<delta::Committed>(outcome), context_);
    session_.cache().Invalidate(plan_.table->path());
    return arrow::Status::OK();
  }

  /// `definition`: of a plan that has settled the table's definition.
  arrow::Result<std::shared_ptr<const connector::delta_table::WritePlan>> PlanWrite(
      types::DataTypePtr rows, bool copies, const connector::delta_table::WritePlan* definition = nullptr) {
    connector::SinkRequest sink;
    sink.path = plan_.table->path();
    sink.schema = std::move(rows);
    sink.context = &context_;
    sink.save_mode = connector::SaveMode::kAppend;
    ARROW_ASSIGN_OR_RAISE(auto options, connector::delta_table::WriteOptions::Parse(sink));
    options.merge_schema = plan_.evolves_schema;
    connector::delta_table::WritePlanRequest planning;
    planning.sink = &sink;
    planning.options = &options;
    planning.copies = copies;
    planning.definition = definition;
    return connector::delta_table::MakeWritePlan(plan_.pinned->snapshot(), plan_.table->path(), planning);
  }

  arrow::Status ChangeFiles() {
    types::DataTypePtr rows = plan_.new_values;
    if (rows == nullptr) rows = delta::WithoutVoidFields(*snapshot_.schema());
    ARROW_ASSIGN_OR_RAISE(auto copies, PlanWrite(rows, /*copies=*/true));
    auto inserts = copies;
    bool has_identity = std::any_of(rows->fields().begin(), rows->fields().end(), [&](const auto& field) {
      int at = snapshot_.schema()->FieldIndex(field.name, /*case_sensitive=*/false);
      return at >= 0 && delta::IsIdentityColumn(snapshot_.schema()->fields()[static_cast<size_t>(at)]);
    });
    if (plan_.has_inserts && has_identity) {
      std::vector<types::StructField> given;
      for (const types::StructField& field : rows->fields()) {
        bool numbered = std::find(plan_.numbered.begin(), plan_.numbered.end(), field.name) != plan_.numbered.end();
        if (!numbered) given.push_back(field);
      }
      ARROW_ASSIGN_OR_RAISE(inserts, PlanWrite(types::Struct(std::move(given)), /*copies=*/false, copies.get()));
    }
    if (copies->metadata) transaction_->SetMetadata(*copies->metadata);
    if (copies->protocol) transaction_->SetProtocol(*copies->protocol);
    connector::delta_table::RowChangeRequest request;
    request.transaction = std::move(transaction_);
    request.table = plan_.pinned;
    request.copies = copies->files;
    request.inserts = inserts->files;
    request.new_values = plan_.new_values;
    request.old_values = plan_.old_values;
    request.rejects_repeats = plan_.rejects_repeats;
    request.rewrites_kept = plan_.rewrites_kept;
    request.tells_removed_rows = change_.kind == Kind::kMerge;
    request.marks_deleted = delta::Supports(snapshot_.protocol(), "deletionVectors") &&
                            delta::BooleanProperty(snapshot_.metadata(), "delta.enableDeletionVectors", false);
    request.context = &context_;
    request.totals = totals_;
    request.finish = [this](const RowChangeTotals& totals) { return MakeOperation(totals); };
    connector::SinkRequest sink;
    sink.path = plan_.table->path();
    sink.extension = connector::delta_table::MakeRowChangeExtension(std::move(request));
    return session_.WriteRows(plan_.plan, connector::delta_table::kRowChangeSink, std::move(sink));
  }

  arrow::Result<delta::Operation> MakeOperation(const RowChangeTotals& totals) {
    delta::Operation operation;
    operation.user_metadata = user_metadata_;
    operation.keeps_row_ids = true;
    const expression::EvalContext eval = session_.MakeEvalContext();
    auto& metrics = operation.metrics;
    int64_t elapsed_ms = context_.clock->NowMillis() - start_ms_;
    if (change_.kind == Kind::kMerge) {
      operation.name = "MERGE";
      operation.parameters = {
          {"predicate", JsonValue::String(ListText(plan_.condition, eval))},
          {"matchedPredicates", JsonValue::String(ClausesText(plan_.matched, eval))},
          {"notMatchedPredicates", JsonValue::String(ClausesText(plan_.not_matched, eval))},
          {"notMatchedBySourcePredicates", JsonValue::String(ClausesText(plan_.not_matched_by_source, eval))}};
      int64_t updated = totals.num_updated + totals.num_updated_unmatched;
      int64_t deleted = totals.num_deleted + totals.num_deleted_unmatched;
      metrics = {{"numTargetRowsCopied", totals.num_copied},
                 {"numTargetRowsDeleted", deleted},
                 {"numTargetFilesAdded", totals.num_added_files},
                 {"numTargetBytesAdded", totals.num_added_bytes},
                 {"numTargetBytesRemoved", totals.num_removed_bytes},
                 {"numTargetDeletionVectorsAdded", totals.num_vectors_added},
                 {"numTargetRowsMatchedUpdated", totals.num_updated},
                 {"executionTimeMs", elapsed_ms},
                 {"materializeSourceTimeMs", 0},
                 {"numTargetRowsInserted", totals.num_inserted},
                 {"numTargetRowsMatchedDeleted", totals.num_deleted},
                 {"numTargetDeletionVectorsUpdated", totals.num_vectors_updated},
                 {"scanTimeMs", 0},
                 {"numTargetRowsUpdated", updated},
                 {"numOutputRows", totals.num_copied + updated + totals.num_inserted},
                 {"numTargetDeletionVectorsRemoved", totals.num_vectors_removed},
                 {"numTargetRowsNotMatchedBySourceUpdated", totals.num_updated_unmatched},
                 {"numTargetChangeFilesAdded", totals.num_change_files},
                 {"numSourceRows", plan_.num_source_rows->load()},
                 {"numTargetFilesRemoved", totals.num_removed_files},
                 {"numTargetRowsNotMatchedBySourceDeleted", totals.num_deleted_unmatched},
                 {"rewriteTimeMs", elapsed_ms}};
      return operation;
    }
    bool deletes = change_.kind == Kind::kDelete;
    operation.name = deletes ? "DELETE" : "UPDATE";
    std::string predicate = change_.is_where_true ? "[\"true\"]" : ListText(plan_.condition, eval);
    operation.parameters = {{"predicate", JsonValue::String(std::move(predicate))}};
    metrics = {{"numRemovedFiles", totals.num_removed_files},
               {"numRemovedBytes", totals.num_removed_bytes},
               {"numCopiedRows", totals.num_copied},
               {"numDeletionVectorsAdded", totals.num_vectors_added},
               {"numDeletionVectorsRemoved", totals.num_vectors_removed},
               {"numAddedChangeFiles", totals.num_change_files},
               {"executionTimeMs", elapsed_ms},
               {"numDeletionVectorsUpdated", totals.num_vectors_updated},
               {"scanTimeMs", 0},
               {"numAddedFiles", totals.num_added_files},
               {"numAddedBytes", totals.num_added_bytes},
               {"rewriteTimeMs", elapsed_ms}};
    if (!deletes) metrics.emplace_back("numUpdatedRows", totals.num_updated);
    if (deletes && knows_rows_) metrics.emplace_back("numDeletedRows", totals.num_deleted);
    return operation;
  }

  arrow::Result<QueryResult> Result() const {
    const RowChangeTotals& totals = *totals_;
    JsonValue row = JsonValue::Object();
    if (change_.kind != Kind::kMerge) {
      int64_t affected = change_.kind == Kind::kDelete ? totals.num_deleted : totals.num_updated;
      row.Set("num_affected_rows", JsonValue::Number(knows_rows_ ? affected : -1));
      return ResultOfJson("num_affected_rows BIGINT", {row});
    }
    int64_t updated = totals.num_updated + totals.num_updated_unmatched;
    int64_t deleted = totals.num_deleted + totals.num_deleted_unmatched;
    row.Set("num_affected_rows", JsonValue::Number(updated + deleted + totals.num_inserted));
    row.Set("num_updated_rows", JsonValue::Number(updated));
    row.Set("num_deleted_rows", JsonValue::Number(deleted));
    row.Set("num_inserted_rows", JsonValue::Number(totals.num_inserted));
    return ResultOfJson(
        "num_affected_rows BIGINT, num_updated_rows BIGINT, num_deleted_rows BIGINT, num_inserted_rows BIGINT", {row});
  }

  Session& session_;
  const sql::ChangeRows& change_;
  const connector::ConnectorContext& context_;
  RowChangePlan plan_;
  const delta::Snapshot& snapshot_;
  int64_t start_ms_;
  std::unique_ptr<delta::Transaction> transaction_;
  connector::RowExpressionsPtr partition_condition_;
  std::shared_ptr<RowChangeTotals> totals_ = std::make_shared<RowChangeTotals>();
  std::optional<std::string> user_metadata_;
  bool is_done_ = false;
  /// Files say how many rows they have.
  bool knows_rows_ = true;
};

}  // namespace

arrow::Result<QueryResult> RunChangeRows(Session& session, const sql::ChangeRows& change) {
  if (change.kind == Kind::kMerge) {
    // The grammar sees it in SQL, and says it in Spark's own words.
    static constexpr const char* kConditions[] = {"DELTA_NON_LAST_MATCHED_CLAUSE_OMIT_CONDITION",
                                                  "DELTA_NON_LAST_NOT_MATCHED_CLAUSE_OMIT_CONDITION",
                                                  "DELTA_NON_LAST_NOT_MATCHED_BY_SOURCE_CLAUSE_OMIT_CONDITION"};
    const char* const* condition = kConditions;
    for (const auto* clauses : {&change.matched, &change.not_matched, &change.not_matched_by_source}) {
      for (size_t i = 0; i + 1 < clauses->size(); ++i) {
        if (!(*clauses)[i].condition) return UserError(*condition);
      }
      ++condition;
    }
  }
  ARROW_ASSIGN_OR_RAISE(RowChangePlan plan, PlanRowChanges(session, change));
  return ChangeRun(session, change, std::move(plan)).Run();
}

}  // namespace millrace::session
