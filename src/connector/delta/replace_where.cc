#include "connector/delta/replace_where.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/datum.h>
#include <arrow/scalar.h>

#include <algorithm>

#include "base/error.h"
#include "base/json_value.h"
#include "connector/delta/change_files.h"
#include "connector/delta/data_file_scan.h"
#include "connector/delta/key_set.h"
#include "connector/delta/moved_rows.h"
#include "delta/log/log_paths.h"
#include "delta/partition_value.h"
#include "delta/transaction/table_metadata.h"
#include "types/arrow_type.h"

namespace millrace::connector::delta_table {

namespace delta = millrace::delta;

namespace {

arrow::Status Remove(const delta::FileRef& file, delta::RemovedStats stats, delta::Transaction* transaction,
                     ReplacedRows* replaced) {
  ++replaced->num_removed_files;
  replaced->num_removed_bytes += file.columns->size_bytes(file.row);
  return transaction->StageRemove(file, stats);
}

/// The rows of one file that stay, and how many go.
struct Split {
  std::vector<std::shared_ptr<arrow::RecordBatch>> kept;
  /// Where changes are recorded.
  std::vector<std::shared_ptr<arrow::RecordBatch>> gone;
  int64_t num_kept = 0;
  int64_t num_gone = 0;
};

arrow::Status UnresolvedKey(const std::string& name, const char* relation, const types::DataType& schema) {
  std::string columns;
  for (const types::StructField& field : schema.fields()) {
    columns += (columns.empty() ? "" : ", ") + QuoteIdentifier(field.name);
  }
  return UserError("UNRESOLVED_INSERT_REPLACE_USING_COLUMN",
                   {{"colName", QuoteIdentifier(name)}, {"relationType", relation}, {"suggestion", columns}});
}

arrow::Result<Split> SplitFile(const std::shared_ptr<const DataReadPlan>& plan, const delta::Snapshot& snapshot,
                               const delta::FileRef& file, const ReplaceWhere::RowsThatGo& rows_that_go,
                               bool keeps_gone, const ConnectorContext& context) {
  Split split;
  for (const auto& partition : PackDataFiles(plan, {ToDataFile(snapshot, file)}, context)) {
    ARROW_ASSIGN_OR_RAISE(auto reader, partition->Open(arrow::default_memory_pool()));
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto rows, reader->Next());
      if (rows == nullptr) break;
      ARROW_ASSIGN_OR_RAISE(auto answer, rows_that_go(rows));
      const auto& met = static_cast<const arrow::BooleanArray&>(*answer);
      arrow::BooleanBuilder stays;
      ARROW_RETURN_NOT_OK(stays.Reserve(met.length()));
      int64_t num_gone = 0;
      for (int64_t i = 0; i < met.length(); ++i) {
        bool goes = met.IsValid(i) && met.Value(i);
        num_gone += goes;
        stays.UnsafeAppend(!goes);
      }
      split.num_gone += num_gone;
      split.num_kept += met.length() - num_gone;
      ARROW_ASSIGN_OR_RAISE(auto mask, stays.Finish());
      if (keeps_gone && num_gone > 0) {
        ARROW_ASSIGN_OR_RAISE(arrow::Datum goes, arrow::compute::CallFunction("invert", {arrow::Datum(mask)}));
        ARROW_ASSIGN_OR_RAISE(arrow::Datum gone, arrow::compute::Filter(arrow::Datum(rows), goes));
        split.gone.push_back(gone.record_batch());
      }
      if (num_gone == met.length()) continue;
      if (num_gone > 0) {
        ARROW_ASSIGN_OR_RAISE(arrow::Datum kept, arrow::compute::Filter(arrow::Datum(rows), arrow::Datum(mask)));
        rows = kept.record_batch();
      }
      split.kept.push_back(std::move(rows));
    }
  }
  return split;
}

// The rows of files that this write has made.
arrow::Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> ReadAdded(
    const std::shared_ptr<const DataReadPlan>& plan, const delta::Snapshot& snapshot,
    const std::vector<AddedFile>& added, const ConnectorContext& context) {
  std::vector<DataFile> files;
  for (const AddedFile& file : added) {
    DataFile data;
    data.path = delta::DataFilePath(snapshot.table_path(), file.add.path);
    data.size_bytes = file.add.size_bytes;
    data.partition_values = PartitionTexts(snapshot, file.add.partition_values);
    files.push_back(std::move(data));
  }
  std::vector<std::shared_ptr<arrow::RecordBatch>> rows;
  for (const auto& partition : PackDataFiles(plan, std::move(files), context)) {
    ARROW_ASSIGN_OR_RAISE(auto reader, partition->Open(arrow::default_memory_pool()));
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto batch, reader->Next());
      if (batch == nullptr) break;
      rows.push_back(std::move(batch));
    }
  }
  return rows;
}

}  // namespace

arrow::Status ReplaceWhere::Check(const std::string& condition, const delta::Snapshot& snapshot,
                                  const ConnectorContext& context) {
  auto compiled = context.compile(snapshot.schema(), {condition});
  if (IsErrorCondition(compiled.status(), "PARSE_SYNTAX_ERROR")) {
    return UserError("DELTA_FAILED_RECOGNIZE_PREDICATE", {{"predicate", condition}});
  }
  ARROW_RETURN_NOT_OK(compiled);
  const types::DataType& type = *(*compiled)->fields()[0].type;
  if (type.id() == types::TypeId::kBoolean) return arrow::Status::OK();
  std::string sql = QuoteSqlExpression((*compiled)->Sql(0));
  return UserError("DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN",
                   {{"sqlExpr", sql}, {"filter", sql}, {"type", QuoteSqlType(type.Sql())}});
}

arrow::Result<std::shared_ptr<const ReplaceWhere>> ReplaceWhere::Make(const std::string& condition,
                                                                      const delta::SnapshotPtr& snapshot,
                                                                      std::shared_ptr<const DataFilePlan> copies,
                                                                      const ConnectorContext& context) {
  std::shared_ptr<ReplaceWhere> replace(new ReplaceWhere(snapshot, std::move(copies), context));
  ARROW_ASSIGN_OR_RAISE(replace->condition_, context.compile(snapshot->schema(), {condition}));
  const auto& partitions = snapshot->partition_columns();
  for (int column : replace->condition_->InputColumns(0)) {
    if (std::find(partitions.begin(), partitions.end(), column) == partitions.end()) replace->partitions_only_ = false;
  }
  return std::shared_ptr<const ReplaceWhere>(std::move(replace));
}

arrow::Result<std::shared_ptr<const ReplaceWhere>> ReplaceWhere::Using(const std::vector<std::string>& columns,
                                                                       const delta::SnapshotPtr& snapshot,
                                                                       std::shared_ptr<const DataFilePlan> copies,
                                                                       const ConnectorContext& context) {
  std::shared_ptr<ReplaceWhere> replace(new ReplaceWhere(snapshot, std::move(copies), context));
  replace->partitions_only_ = false;
  bool case_sensitive = context.conf("spark.sql.caseSensitive") == "true";
  for (const std::string& name : columns) {
    int index = snapshot->schema()->FieldIndex(name, case_sensitive);
    if (index < 0) return UnresolvedKey(name, "table", *snapshot->schema());
    replace->key_columns_.push_back(index);
  }
  return std::shared_ptr<const ReplaceWhere>(std::move(replace));
}

arrow::Result<ReplaceWhere::RowsThatGo> ReplaceWhere::TellRows(const std::shared_ptr<const DataReadPlan>& plan,
                                                               const std::vector<AddedFile>& added) const {
  if (condition_ != nullptr) {
    return RowsThatGo(
        [this](const std::shared_ptr<arrow::RecordBatch>& rows) -> arrow::Result<std::shared_ptr<arrow::Array>> {
          ARROW_ASSIGN_OR_RAISE(auto results, condition_->Evaluate(rows));
          return results[0];
        });
  }
  ARROW_ASSIGN_OR_RAISE(auto batches, ReadAdded(plan, *snapshot_, added, *context_));
  auto keys = std::make_shared<std::optional<KeySet>>();
  for (const auto& rows : batches) {
    if (!*keys) {
      ARROW_ASSIGN_OR_RAISE(*keys, KeySet::Make(key_columns_, *rows->schema()));
    }
    ARROW_RETURN_NOT_OK((*keys)->Add(*rows));
  }
  return RowsThatGo(
      [keys](const std::shared_ptr<arrow::RecordBatch>& rows) -> arrow::Result<std::shared_ptr<arrow::Array>> {
        if (*keys) return (*keys)->Contains(*rows);
        return arrow::MakeArrayFromScalar(arrow::BooleanScalar(false), rows->num_rows());
      });
}

arrow::Status ReplaceWhere::ReplaceFiles(delta::Transaction* transaction, ReplacedRows* replaced) const {
  std::vector<delta::FileRef> files;
  std::vector<delta::PartitionValues> values;
  snapshot_->files().ForEach([&](const delta::FileRef& file) {
    files.push_back(file);
    values.push_back(file.columns->ToAdd(file.row).partition_values);
  });
  const types::TimeZone* zone = context_->time_zone;
  ARROW_ASSIGN_OR_RAISE(std::vector<bool> matched, MatchPartitions(*snapshot_, *condition_, values, *zone));
  for (size_t i = 0; i < files.size(); ++i) {
    if (!matched[i]) continue;
    std::optional<int64_t> num_records = NumLiveRows(files[i]);
    if (num_records && replaced->num_deleted_rows) {
      *replaced->num_deleted_rows += *num_records;
    } else {
      replaced->num_deleted_rows.reset();
    }
    ARROW_RETURN_NOT_OK(Remove(files[i], delta::RemovedStats::kNumRecords, transaction, replaced));
  }
  transaction->ReadPartitions(
      [snapshot = snapshot_, condition = condition_, zone](const delta::PartitionValues& of_file) {
        auto met = MatchPartitions(*snapshot, *condition, {of_file}, *zone);
        return !met.ok() || (*met)[0];  // what cannot be judged is taken for a conflict
      });
  return arrow::Status::OK();
}

arrow::Status ReplaceWhere::ReplaceRows(delta::Transaction* transaction, const std::vector<AddedFile>& added,
                                        ReplacedRows* replaced) const {
  transaction->ReadWholeTable();
  ReadColumns all;
  for (size_t i = 0; i < snapshot_->schema()->fields().size(); ++i) all.indices.push_back(static_cast<int>(i));
  ReadRowMarks(*snapshot_, *snapshot_->schema(), &all);
  ARROW_ASSIGN_OR_RAISE(auto plan, MakeDataReadPlan(*snapshot_, *snapshot_->schema(), all, *context_));
  bool records = delta::BooleanProperty(snapshot_->metadata(), "delta.enableChangeDataFeed", false);
  std::shared_ptr<const DataFilePlan> moved = WithRowMarks(copies_, *snapshot_);
  DataFileWriter writer(moved, 0);
  std::shared_ptr<const DataFilePlan> recorded = ChangeFiles::PlanOf(*copies_);
  auto budget = std::make_shared<PendingBudget>();
  ChangeFiles deletes(copies_, recorded, budget), inserts(copies_, recorded, budget);
  ARROW_ASSIGN_OR_RAISE(RowsThatGo rows_that_go, TellRows(plan, added));
  auto replace = [&](const delta::FileRef& file) -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(Split split, SplitFile(plan, *snapshot_, file, rows_that_go, records, *context_));
    if (split.num_gone == 0) return arrow::Status::OK();
    *replaced->num_deleted_rows += split.num_gone;
    replaced->num_copied_rows += split.num_kept;
    ARROW_RETURN_NOT_OK(Remove(file, delta::RemovedStats::kNone, transaction, replaced));
    ARROW_RETURN_NOT_OK(deletes.Write(split.gone, "delete"));
    for (auto& rows : split.kept) {
      ARROW_ASSIGN_OR_RAISE(RowMarks marks, TakeRowMarks(*snapshot_, &rows));
      ARROW_ASSIGN_OR_RAISE(auto shaped, copies_->shaper->Shape(rows));
      ARROW_ASSIGN_OR_RAISE(shaped, PutRowMarks(*snapshot_, std::move(shaped), marks));
      ARROW_ASSIGN_OR_RAISE(auto parts, moved->router->Split(shaped));
      for (const PartitionRows& part : parts) {
        ARROW_RETURN_NOT_OK(writer.Write(part.directory, part.values, part.rows));
      }
    }
    return arrow::Status::OK();
  };
  auto replace_all = [&]() -> arrow::Result<std::vector<AddedFile>> {
    ARROW_RETURN_NOT_OK(snapshot_->files().TryForEach(replace));
    if (records && *replaced->num_deleted_rows > 0) {
      ARROW_ASSIGN_OR_RAISE(auto rows, ReadAdded(plan, *snapshot_, added, *context_));
      ARROW_RETURN_NOT_OK(inserts.Write(rows, "insert"));
    }
    for (ChangeFiles* changes : {&deletes, &inserts}) {
      ARROW_ASSIGN_OR_RAISE(WriterCommitMessage rows, changes->Commit());
      ARROW_ASSIGN_OR_RAISE(int64_t num_files, ChangeFiles::Stage(recorded, {std::move(rows)}, transaction));
      replaced->num_change_files += num_files;
    }
    return writer.Finish();
  };
  auto files = replace_all();
  if (!files.ok()) {
    writer.Abort();
    deletes.Abort();
    inserts.Abort();
    return files.status();
  }
  for (AddedFile& file : *files) {
    ++replaced->num_added_files;
    replaced->num_added_bytes += file.add.size_bytes;
    transaction->Stage(std::move(file.add));
  }
  return arrow::Status::OK();
}

arrow::Result<ReplacedRows> ReplaceWhere::Replace(delta::Transaction* transaction,
                                                  const std::vector<AddedFile>& added) const {
  ReplacedRows replaced;
  ARROW_RETURN_NOT_OK(partitions_only_ ? ReplaceFiles(transaction, &replaced)
                                       : ReplaceRows(transaction, added, &replaced));
  return replaced;
}

}  // namespace millrace::connector::delta_table
