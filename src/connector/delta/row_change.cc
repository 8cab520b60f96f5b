#include "connector/delta/row_change.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>

#include <map>
#include <unordered_map>

#include "base/error.h"
#include "base/json_value.h"
#include "connector/delta/auto_compact.h"
#include "connector/delta/change_files.h"
#include "connector/delta/data_file_scan.h"
#include "connector/delta/delta_write.h"
#include "connector/delta/moved_rows.h"
#include "connector/delta/symlink_manifest.h"
#include "delta/deletion_vector/deletion_vector.h"
#include "delta/log/log_paths.h"
#include "delta/transaction/schema_merge.h"
#include "types/arrow_type.h"

namespace millrace::connector::delta_table {

namespace delta = millrace::delta;

namespace {

using Positions = std::map<std::string, std::vector<uint64_t>>;

/// What a task hands to the commit.
struct TaskChanges {
  WriterCommitMessage copies;
  WriterCommitMessage inserts;
  WriterCommitMessage changes;
  Positions gone;
  /// Of rows that stay though the source meets them.
  Positions met;
  RowChangeTotals totals;
};

bool IsInsert(RowChange change) { return change == RowChange::kInsert; }
bool IsDelete(RowChange change) { return change == RowChange::kDelete || change == RowChange::kDeleteUnmatched; }
bool IsUpdate(RowChange change) { return change == RowChange::kUpdate || change == RowChange::kUpdateUnmatched; }

std::shared_ptr<arrow::RecordBatch> Columns(const arrow::RecordBatch& rows, int first, const types::DataType& schema) {
  arrow::ArrayVector columns;
  for (size_t i = 0; i < schema.fields().size(); ++i) columns.push_back(rows.column(first + static_cast<int>(i)));
  return arrow::RecordBatch::Make(types::ToArrowSchema(schema), rows.num_rows(), std::move(columns));
}

class ChangeTaskWriter final : public DataWriter {
 public:
  /// `moved`: how rows that were in the table before become files; `recorded`: how changed ones become files of
  /// changes, null where the table does not record them.
  ChangeTaskWriter(const RowChangeRequest* request, const std::shared_ptr<const DataFilePlan>& moved,
                   const std::shared_ptr<const DataFilePlan>& recorded, const std::shared_ptr<PendingBudget>& budget,
                   int task_index)
      : request_(request), copies_(moved, budget, task_index), inserts_(request->inserts, budget, task_index) {
    if (recorded != nullptr) changes_.emplace(request->copies, recorded, budget, task_index);
  }

  arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& rows) override {
    const auto& changes = static_cast<const arrow::Int32Array&>(*rows->column(kChangeColumn));
    for (int64_t row = 0; row < rows->num_rows(); ++row) Count(*rows, static_cast<RowChange>(changes.Value(row)), row);
    ARROW_RETURN_NOT_OK(WriteNew(*rows, changes));
    return changes_ ? WriteOld(*rows, changes) : arrow::Status::OK();
  }

  arrow::Result<WriterCommitMessage> Commit() override {
    auto done = std::make_shared<TaskChanges>();
    ARROW_ASSIGN_OR_RAISE(done->copies, copies_.Commit());
    ARROW_ASSIGN_OR_RAISE(done->inserts, inserts_.Commit());
    if (changes_) {
      ARROW_ASSIGN_OR_RAISE(done->changes, changes_->Commit());
    }
    done->gone = std::move(gone_);
    done->met = std::move(met_);
    done->totals = totals_;
    return WriterCommitMessage(std::move(done));
  }

  void Abort() override {
    copies_.Abort();
    inserts_.Abort();
    if (changes_) changes_->Abort();
  }

 private:
  void Count(const arrow::RecordBatch& rows, RowChange change, int64_t row) {
    switch (change) {
      case RowChange::kUpdate:
        ++totals_.num_updated;
        break;
      case RowChange::kDelete:
        ++totals_.num_deleted;
        break;
      case RowChange::kInsert:
        ++totals_.num_inserted;
        return;
      case RowChange::kUpdateUnmatched:
        ++totals_.num_updated_unmatched;
        break;
      case RowChange::kDeleteUnmatched:
        ++totals_.num_deleted_unmatched;
        break;
      case RowChange::kKeepUnmatched: {
        met_[std::string(static_cast<const arrow::StringArray&>(*rows.column(kFileColumn)).GetView(row))];
        return;
      }
      case RowChange::kKeep: {
        std::string path(static_cast<const arrow::StringArray&>(*rows.column(kFileColumn)).GetView(row));
        int64_t at = static_cast<const arrow::Int64Array&>(*rows.column(kRowColumn)).Value(row);
        met_[path].push_back(static_cast<uint64_t>(at));
        return;
      }
    }
    auto file = static_cast<const arrow::StringArray&>(*rows.column(kFileColumn)).GetView(row);
    if (last_gone_ == nullptr || file != last_file_) {
      last_file_ = std::string(file);
      last_gone_ = &gone_[last_file_];
    }
    int64_t place = static_cast<const arrow::Int64Array&>(*rows.column(kRowColumn)).Value(row);
    last_gone_->push_back(static_cast<uint64_t>(place));
  }

  template <typename Wanted>
  static arrow::Result<std::shared_ptr<arrow::RecordBatch>> Select(const std::shared_ptr<arrow::RecordBatch>& rows,
                                                                   const arrow::Int32Array& changes, Wanted wanted) {
    arrow::BooleanBuilder mask;
    ARROW_RETURN_NOT_OK(mask.Reserve(changes.length()));
    int64_t count = 0;
    for (int64_t row = 0; row < changes.length(); ++row) {
      bool is_wanted = wanted(static_cast<RowChange>(changes.Value(row)));
      count += is_wanted;
      mask.UnsafeAppend(is_wanted);
    }
    if (count == changes.length()) return rows;
    if (count == 0) return nullptr;
    ARROW_ASSIGN_OR_RAISE(auto chosen, mask.Finish());
    ARROW_ASSIGN_OR_RAISE(arrow::Datum kept, arrow::compute::Filter(arrow::Datum(rows), arrow::Datum(chosen)));
    return kept.record_batch();
  }

  arrow::Status WriteNew(const arrow::RecordBatch& rows, const arrow::Int32Array& changes) {
    if (request_->new_values == nullptr) return arrow::Status::OK();
    auto values = Columns(rows, kNumPlaceColumns, *request_->new_values);
    const delta::Snapshot& snapshot = *request_->table->snapshot();
    ARROW_ASSIGN_OR_RAISE(auto with_ids, values->AddColumn(values->num_columns(), "id", rows.column(kIdColumn)));
    ARROW_ASSIGN_OR_RAISE(auto updated, Select(with_ids, changes, IsUpdate));
    if (updated != nullptr) {
      // Its last change is this one: no version of its own.
      RowMarks marks{updated->column(updated->num_columns() - 1), nullptr};
      ARROW_ASSIGN_OR_RAISE(auto shaped, request_->copies->shaper->Shape(updated));
      ARROW_ASSIGN_OR_RAISE(auto marked, PutRowMarks(snapshot, shaped, marks));
      ARROW_RETURN_NOT_OK(copies_.WriteShaped(marked));
      if (changes_) ARROW_RETURN_NOT_OK(changes_->WriteShaped(shaped, "update_postimage"));
    }
    ARROW_ASSIGN_OR_RAISE(auto inserted, Select(values, changes, IsInsert));
    if (inserted == nullptr) return arrow::Status::OK();
    bool same_plan = request_->inserts == request_->copies;
    ARROW_ASSIGN_OR_RAISE(auto named, same_plan ? inserted : WithoutNumbered(inserted));
    ARROW_ASSIGN_OR_RAISE(auto shaped, request_->inserts->shaper->Shape(named));
    if (same_plan) {
      ARROW_ASSIGN_OR_RAISE(auto marked, PutRowMarks(snapshot, shaped, {}));
      ARROW_RETURN_NOT_OK(copies_.WriteShaped(marked));
    } else {
      ARROW_RETURN_NOT_OK(inserts_.WriteShaped(shaped));
    }
    if (!changes_) return arrow::Status::OK();
    // The plan of the copies names the columns of change files: in its order.
    return changes_->WriteShaped(same_plan ? shaped : InOrderOf(*request_->copies->shaper->schema(), *shaped),
                                 "insert");
  }

  // The inserts' plan numbers its identity columns itself: it gets the columns it asks for.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> WithoutNumbered(const std::shared_ptr<arrow::RecordBatch>& rows) {
    std::vector<int> kept;
    for (int i = 0; i < rows->num_columns(); ++i) {
      bool numbered = false;
      for (const auto& identity : request_->inserts->shaper->identities()) {
        numbered = numbered || identity->name() == rows->schema()->field(i)->name();
      }
      if (!numbered) kept.push_back(i);
    }
    return rows->SelectColumns(kept);
  }

  static std::shared_ptr<arrow::RecordBatch> InOrderOf(const types::DataType& schema, const arrow::RecordBatch& rows) {
    arrow::ArrayVector columns;
    arrow::FieldVector fields;
    for (const types::StructField& field : schema.fields()) {
      int at = rows.schema()->GetFieldIndex(field.name);
      columns.push_back(rows.column(at));
      fields.push_back(rows.schema()->field(at));
    }
    return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows.num_rows(), std::move(columns));
  }

  arrow::Status WriteOld(const arrow::RecordBatch& rows, const arrow::Int32Array& changes) {
    int first = kNumPlaceColumns +
                (request_->new_values == nullptr ? 0 : static_cast<int>(request_->new_values->fields().size()));
    auto values = Columns(rows, first, *request_->old_values);
    ARROW_ASSIGN_OR_RAISE(auto updated, Select(values, changes, IsUpdate));
    if (updated != nullptr) ARROW_RETURN_NOT_OK(changes_->Write({updated}, "update_preimage"));
    ARROW_ASSIGN_OR_RAISE(auto deleted, Select(values, changes, IsDelete));
    return deleted == nullptr ? arrow::Status::OK() : changes_->Write({deleted}, "delete");
  }

  const RowChangeRequest* request_;
  DeltaTaskWriter copies_;
  DeltaTaskWriter inserts_;
  std::optional<ChangeFiles> changes_;
  Positions gone_;
  Positions met_;
  std::string last_file_;
  std::vector<uint64_t>* last_gone_ = nullptr;
  RowChangeTotals totals_;
};

/// Statistics of a file some of whose rows are marked as deleted: its bounds may be wider than what is left.
std::optional<std::string> LooseStatistics(const std::optional<std::string>& stats) {
  if (!stats) return std::nullopt;
  auto parsed = ParseJson(*stats);
  if (!parsed.ok() || parsed->Find("numRecords") == nullptr) return std::nullopt;
  return parsed->Set("tightBounds", JsonValue::Bool(false)).ToString();
}

class RowChangeWrite final : public Write {
 public:
  explicit RowChangeWrite(RowChangeRequest request)
      : request_(std::move(request)),
        moved_(WithRowMarks(request_.copies, *request_.table->snapshot())),
        recorded_(request_.old_values == nullptr ? nullptr : ChangeFiles::PlanOf(*request_.copies)) {}

  arrow::Result<std::unique_ptr<DataWriter>> OpenWriter(int task_index) override {
    return std::make_unique<ChangeTaskWriter>(&request_, moved_, recorded_, budget_, task_index);
  }

  arrow::Status Flush(std::vector<WriterCommitMessage>* messages) override {
    std::vector<WriterCommitMessage> copies, inserts, changes;
    for (WriterCommitMessage& message : *messages) {
      auto task = std::any_cast<std::shared_ptr<TaskChanges>>(message);
      Add(task->totals);
      for (auto& [file, rows] : task->gone) {
        auto& all = gone_[file];
        all.insert(all.end(), rows.begin(), rows.end());
      }
      for (auto& [file, rows] : task->met) {
        auto& all = met_[file];
        all.insert(all.end(), rows.begin(), rows.end());
      }
      if (recorded_ != nullptr) changes.push_back(std::move(task->changes));
      copies.push_back(std::move(task->copies));
      inserts.push_back(std::move(task->inserts));
    }
    flushed_ = true;
    ARROW_RETURN_NOT_OK(CheckMet());
    // Where only new rows come the files they are in tell the changes.
    if (gone_.empty() && met_.empty()) {
      Discard(changes);
    } else if (recorded_ != nullptr) {
      ARROW_ASSIGN_OR_RAISE(totals_.num_change_files,
                            ChangeFiles::Stage(recorded_, std::move(changes), request_.transaction.get()));
    }
    DeltaTaskWriter kept(moved_, budget_, static_cast<int>(messages->size()));
    arrow::Status status = TouchFiles(&kept);
    if (!status.ok()) {
      kept.Abort();
      return status;
    }
    ARROW_ASSIGN_OR_RAISE(WriterCommitMessage of_kept, kept.Commit());
    copies.push_back(std::move(of_kept));
    ARROW_ASSIGN_OR_RAISE(files_, WriteHeldRows(moved_, &copies));
    if (request_.inserts == request_.copies) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(std::vector<AddedFile> inserted, WriteHeldRows(request_.inserts, &inserts));
    for (AddedFile& file : inserted) files_.push_back(std::move(file));
    return arrow::Status::OK();
  }

  arrow::Status Commit(std::vector<WriterCommitMessage> messages) override {
    if (!flushed_) ARROW_RETURN_NOT_OK(Flush(&messages));
    delta::Transaction& transaction = *request_.transaction;
    for (AddedFile& file : files_) {
      ++totals_.num_added_files;
      totals_.num_added_bytes += file.add.size_bytes;
      transaction.Stage(file.add);
    }
    ARROW_RETURN_NOT_OK(NoteIdentities(*request_.inserts->shaper, &transaction));
    for (const std::string& path : request_.table->read_files()) transaction.ReadFile(path);
    ARROW_ASSIGN_OR_RAISE(delta::Operation operation, request_.finish(totals_));
    files_.clear();
    *request_.totals = totals_;
    if (transaction.IsEmpty()) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(delta::CommitOutcome outcome, transaction.Commit(operation));
    if (const auto* conflict = std::get_if<delta::Conflict>(&outcome)) {
      return delta::ToStatus(*conflict, transaction.table()->path());
    }
    const auto& committed = std::get<delta::Committed>(outcome);
    FollowCommit(*transaction.table(), committed, *request_.context);
    if (totals_.num_added_files > 0) JoinSmallFiles(transaction.table(), committed, *request_.context);
    return arrow::Status::OK();
  }

  void Abort() override {
    for (const AddedFile& file : files_) {
      (void)request_.copies->file_system->Remove(delta::DataFilePath(request_.copies->table_path, file.add.path));
    }
    files_.clear();
  }

 private:
  void Add(const RowChangeTotals& more) {
    totals_.num_updated += more.num_updated;
    totals_.num_deleted += more.num_deleted;
    totals_.num_inserted += more.num_inserted;
    totals_.num_updated_unmatched += more.num_updated_unmatched;
    totals_.num_deleted_unmatched += more.num_deleted_unmatched;
  }

  void Discard(const std::vector<WriterCommitMessage>& changes) const {
    for (const WriterCommitMessage& task : changes) {
      const auto* result = std::any_cast<std::shared_ptr<TaskResult>>(&task);
      if (result == nullptr) continue;
      for (const AddedFile& file : (*result)->files) {
        (void)recorded_->file_system->Remove(delta::DataFilePath(recorded_->table_path, file.add.path));
      }
    }
  }

  static arrow::Status RepeatedRow() {
    return UserError(
        "DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE",
        {{"usageReference", "https://docs.delta.io/latest/delta-update.html#upsert-into-a-table-using-merge"}});
  }

  arrow::Status CheckMet() const {
    if (!request_.rejects_repeats) return arrow::Status::OK();
    for (const auto& [file, rows] : met_) {
      std::vector<uint64_t> all = rows;
      if (auto gone = gone_.find(file); gone != gone_.end()) {
        all.insert(all.end(), gone->second.begin(), gone->second.end());
      }
      size_t num_rows = all.size();
      if (delta::RoaringBitmap::Of(std::move(all)).cardinality() < num_rows) return RepeatedRow();
    }
    return arrow::Status::OK();
  }

  arrow::Result<delta::RoaringBitmap> GoneFrom(std::vector<uint64_t> rows) {
    size_t num_rows = rows.size();
    delta::RoaringBitmap gone = delta::RoaringBitmap::Of(std::move(rows));
    auto num_repeats = static_cast<int64_t>(num_rows - gone.cardinality());
    if (num_repeats > 0 && request_.rejects_repeats) return RepeatedRow();
    totals_.num_deleted -= num_repeats;
    return gone;
  }

  arrow::Status TouchFiles(DeltaTaskWriter* kept) {
    if (request_.rewrites_kept) {
      for (const auto& [file, rows] : met_) gone_[file];
    }
    if (gone_.empty()) return arrow::Status::OK();
    const delta::Snapshot& snapshot = *request_.table->snapshot();
    std::vector<std::pair<delta::FileRef, delta::RoaringBitmap>> touched;
    ARROW_RETURN_NOT_OK(snapshot.files().TryForEach([&](const delta::FileRef& file) -> arrow::Status {
      if (touched.size() == gone_.size()) return arrow::Status::OK();
      auto found = gone_.find(delta::DataFilePath(snapshot.table_path(), file.columns->path(file.row)));
      if (found == gone_.end()) return arrow::Status::OK();
      ARROW_ASSIGN_OR_RAISE(delta::RoaringBitmap gone, GoneFrom(std::move(found->second)));
      touched.emplace_back(file, std::move(gone));
      return arrow::Status::OK();
    }));
    if (touched.size() != gone_.size()) return InternalError("A file whose rows change is not in the table");
    if (request_.marks_deleted) {
      ARROW_RETURN_NOT_OK(MarkDeleted(&touched));
    }
    ARROW_ASSIGN_OR_RAISE(auto plan, PlanReading());
    for (auto& [file, gone] : touched) ARROW_RETURN_NOT_OK(CopyRest(plan, file, std::move(gone), kept));
    return arrow::Status::OK();
  }

  // Rows as they will be: with new fields of structs; new columns are put behind.
  arrow::Result<std::shared_ptr<const DataReadPlan>> PlanReading() {
    const delta::Snapshot& snapshot = *request_.table->snapshot();
    std::vector<types::StructField> fields = delta::WithoutVoidFields(*snapshot.schema())->fields();
    if (request_.new_values != nullptr) {
      for (size_t i = 0; i < fields.size(); ++i) fields[i].type = request_.new_values->fields()[i].type;
      new_columns_ = {request_.new_values->fields().begin() + static_cast<int64_t>(fields.size()),
                      request_.new_values->fields().end()};
    }
    ReadColumns all;
    for (size_t i = 0; i < fields.size(); ++i) all.indices.push_back(static_cast<int>(i));
    types::DataTypePtr schema = types::Struct(std::move(fields));
    ReadRowMarks(snapshot, *schema, &all);
    return MakeDataReadPlan(snapshot, *schema, all, *request_.context);
  }

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> WithNewColumns(std::shared_ptr<arrow::RecordBatch> rows) const {
    for (const types::StructField& field : new_columns_) {
      ARROW_ASSIGN_OR_RAISE(auto nulls, arrow::MakeArrayOfNull(types::ToArrow(*field.type), rows->num_rows()));
      ARROW_ASSIGN_OR_RAISE(rows, rows->AddColumn(rows->num_columns(), field.name, nulls));
    }
    return rows;
  }

  // Takes out of `touched` the files that get a deletion vector, and those that are empty then.
  arrow::Status MarkDeleted(std::vector<std::pair<delta::FileRef, delta::RoaringBitmap>>* touched) {
    const delta::Snapshot& snapshot = *request_.table->snapshot();
    const DataFilePlan& files = *request_.copies;
    std::vector<std::pair<delta::FileRef, delta::RoaringBitmap>> others;
    std::vector<delta::FileRef> marked;
    std::vector<delta::RoaringBitmap> vectors;
    std::vector<std::string> statistics;
    for (auto& [file, gone] : *touched) {
      auto text = file.columns->stats(file.row);
      auto stats = LooseStatistics(text ? std::optional<std::string>(*text) : std::nullopt);
      if (!stats) {  // the protocol wants the number of rows beside a vector
        others.emplace_back(file, std::move(gone));
        continue;
      }
      auto before = file.columns->deletion_vector(file.row);
      delta::RoaringBitmap all = std::move(gone);
      if (before) {
        ARROW_ASSIGN_OR_RAISE(auto read, delta::ReadDeletionVector(*files.file_system, snapshot.table_path(), *before));
        all = all.Union(read);
      }
      ARROW_RETURN_NOT_OK(request_.transaction->StageRemove(file, delta::RemovedStats::kNumRecords));
      int64_t num_records = ParseJson(*stats)->Find("numRecords")->AsInt64();
      if (static_cast<int64_t>(all.cardinality()) >= num_records) {
        ++totals_.num_removed_files;
        totals_.num_removed_bytes += file.columns->size_bytes(file.row);
        totals_.num_vectors_removed += before.has_value();
        continue;
      }
      totals_.num_vectors_added += 1;
      totals_.num_vectors_removed += before.has_value();
      totals_.num_vectors_updated += before.has_value();
      marked.push_back(file);
      vectors.push_back(std::move(all));
      statistics.push_back(std::move(*stats));
    }
    *touched = std::move(others);
    if (marked.empty()) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(auto descriptors, delta::WriteDeletionVectors(files.file_system, snapshot.table_path(),
                                                                        vectors, files.durability));
    for (size_t i = 0; i < marked.size(); ++i) {
      delta::Add add = marked[i].columns->ToAdd(marked[i].row);
      add.data_change = true;
      add.deletion_vector = std::move(descriptors[i]);
      add.stats = std::move(statistics[i]);
      request_.transaction->Stage(std::move(add));
    }
    return arrow::Status::OK();
  }

  arrow::Status CopyRest(const std::shared_ptr<const DataReadPlan>& plan, const delta::FileRef& file,
                         delta::RoaringBitmap gone, DeltaTaskWriter* kept) {
    ++totals_.num_removed_files;
    totals_.num_removed_bytes += file.columns->size_bytes(file.row);
    totals_.num_vectors_removed += file.columns->has_deletion_vector(file.row);
    ARROW_RETURN_NOT_OK(request_.transaction->StageRemove(
        file, request_.tells_removed_rows ? delta::RemovedStats::kNumRecords : delta::RemovedStats::kNone));
    const delta::Snapshot& snapshot = *request_.table->snapshot();
    DataFile data = ToDataFile(snapshot, file);
    data.left_out = std::make_shared<const delta::RoaringBitmap>(std::move(gone));
    for (const auto& partition : PackDataFiles(plan, {std::move(data)}, *request_.context)) {
      ARROW_ASSIGN_OR_RAISE(auto reader, partition->Open(arrow::default_memory_pool()));
      while (true) {
        ARROW_ASSIGN_OR_RAISE(auto rows, reader->Next());
        if (rows == nullptr) break;
        totals_.num_copied += rows->num_rows();
        ARROW_ASSIGN_OR_RAISE(RowMarks marks, TakeRowMarks(snapshot, &rows));
        ARROW_ASSIGN_OR_RAISE(rows, WithNewColumns(std::move(rows)));
        ARROW_ASSIGN_OR_RAISE(auto shaped, request_.copies->shaper->Shape(rows));
        ARROW_ASSIGN_OR_RAISE(shaped, PutRowMarks(snapshot, std::move(shaped), marks));
        ARROW_RETURN_NOT_OK(kept->WriteShaped(shaped));
      }
    }
    return arrow::Status::OK();
  }

  RowChangeRequest request_;
  std::shared_ptr<const DataFilePlan> moved_;
  std::shared_ptr<const DataFilePlan> recorded_;
  std::shared_ptr<PendingBudget> budget_ = std::make_shared<PendingBudget>();
  bool flushed_ = false;
  Positions gone_;
  Positions met_;
  RowChangeTotals totals_;
  std::vector<AddedFile> files_;
  /// Columns the table does not have yet.
  std::vector<types::StructField> new_columns_;
};

}  // namespace

std::unique_ptr<Write> MakeRowChangeWrite(RowChangeRequest request) {
  return std::make_unique<RowChangeWrite>(std::move(request));
}

namespace {

class RowChangeExtension final : public Extension {
 public:
  explicit RowChangeExtension(std::unique_ptr<Write> write) : write_(std::move(write)) {}
  std::unique_ptr<Write> Take() const { return std::move(write_); }

 private:
  mutable std::unique_ptr<Write> write_;
};

arrow::Result<std::unique_ptr<Write>> OpenRowChange(const SinkRequest& request) {
  const auto* extension = dynamic_cast<const RowChangeExtension*>(request.extension.get());
  if (extension == nullptr) return InternalError("a change of rows that says nothing");
  return extension->Take();
}

}  // namespace

const SinkDef kRowChangeSink = {
    .name = "delta",
    .description = "Changes rows of Delta Lake tables.",
    .options = {},
    .open_batch = &OpenRowChange,
};

std::shared_ptr<const Extension> MakeRowChangeExtension(RowChangeRequest request) {
  return std::make_shared<RowChangeExtension>(MakeRowChangeWrite(std::move(request)));
}

}  // namespace millrace::connector::delta_table
