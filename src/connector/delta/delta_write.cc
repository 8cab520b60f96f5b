#include "connector/delta/delta_write.h"

#include "base/error.h"
#include "base/json_value.h"
#include "connector/delta/row_shaper.h"
#include "delta/log/log_paths.h"

namespace millrace::connector::delta_table {

namespace delta = millrace::delta;

// The table remembers the last number it gave.
arrow::Status NoteIdentities(const RowShaper& shaper, delta::Transaction* transaction) {
  bool any = false;
  types::DataTypePtr schema;
  for (const auto& identity : shaper.identities()) {
    std::optional<int64_t> mark = identity->high_water_mark();
    if (!mark) continue;
    if (!any) {
      ARROW_ASSIGN_OR_RAISE(schema, transaction->metadata().ParseSchema());
    }
    any = true;
    std::vector<types::StructField> fields = schema->fields();
    for (types::StructField& field : fields) {
      if (field.name != identity->name()) continue;
      ARROW_ASSIGN_OR_RAISE(JsonValue metadata, ParseJson(field.metadata_json));
      field.metadata_json = metadata.Set("delta.identity.highWaterMark", JsonValue::Number(*mark)).ToString();
    }
    schema = types::Struct(std::move(fields));
  }
  if (!any) return arrow::Status::OK();
  delta::Metadata metadata = transaction->metadata();
  metadata.schema_string = schema->ToJson();
  transaction->SetMetadata(std::move(metadata));
  return arrow::Status::OK();
}

DeltaWrite::DeltaWrite(std::unique_ptr<delta::Transaction> transaction, std::shared_ptr<const DataFilePlan> files,
                       bool data_change, Finish finish, Done done, HeldRows held)
    : transaction_(std::move(transaction)),
      plan_(std::move(files)),
      data_change_(data_change),
      finish_(std::move(finish)),
      done_(std::move(done)),
      held_(held) {}

arrow::Result<std::unique_ptr<DataWriter>> DeltaWrite::OpenWriter(int task_index) {
  return std::make_unique<DeltaTaskWriter>(plan_, budget_, task_index);
}

arrow::Status DeltaWrite::Flush(std::vector<WriterCommitMessage>* messages) {
  ARROW_ASSIGN_OR_RAISE(files_, WriteHeldRows(plan_, messages, held_));
  flushed_ = true;
  return arrow::Status::OK();
}

arrow::Status DeltaWrite::Commit(std::vector<WriterCommitMessage> messages) {
  if (!flushed_) ARROW_RETURN_NOT_OK(Flush(&messages));
  WrittenTotals totals;
  for (const AddedFile& file : files_) {
    ++totals.num_files;
    totals.num_rows += file.num_rows;
    totals.num_bytes += file.add.size_bytes;
  }
  for (AddedFile& file : files_) {
    file.add.data_change = data_change_;
    transaction_->Stage(file.add);
  }
  ARROW_RETURN_NOT_OK(NoteIdentities(*plan_->shaper, transaction_.get()));
  ARROW_ASSIGN_OR_RAISE(delta::Operation operation, finish_(transaction_.get(), files_, totals));
  files_.clear();
  if (transaction_->IsEmpty()) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(delta::CommitOutcome outcome, transaction_->Commit(operation));
  if (const auto* conflict = std::get_if<delta::Conflict>(&outcome)) {
    return delta::ToStatus(*conflict, transaction_->table()->path());
  }
  return done_ ? done_(std::get<delta::Committed>(outcome)) : arrow::Status::OK();
}

void DeltaWrite::Abort() {
  // Once the commit was tried its files may be the table's, whatever the error said: files_ is empty then.
  for (const AddedFile& file : files_) {
    (void)plan_->file_system->Remove(delta::DataFilePath(plan_->table_path, file.add.path));
  }
  files_.clear();
}

}  // namespace millrace::connector::delta_table
