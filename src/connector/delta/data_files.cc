#include "connector/delta/data_files.h"

#include <arrow/array.h>
#include <arrow/util/byte_size.h>
#include <fmt/format.h>

#include <random>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/ids.h"
#include "connector/file/file_write_error.h"
#include "delta/log/log_paths.h"

namespace millrace::connector::delta_table {

namespace {

/// Files of one task that are open at once; more are finished and continued in others.
constexpr size_t kOpenFilesMax = 128;

std::string ParentOf(const std::string& path) {
  size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return "";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string RandomPrefix(int length) {
  static constexpr std::string_view kCharacters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string uuid = RandomUuid();
  std::seed_seq seed(uuid.begin(), uuid.end());
  std::mt19937 random(seed);
  std::string prefix;
  for (int i = 0; i < length; ++i) prefix += kCharacters[random() % kCharacters.size()];
  return prefix;
}

}  // namespace

arrow::Status DeltaTaskWriter::Write(const std::shared_ptr<arrow::RecordBatch>& rows) {
  ARROW_ASSIGN_OR_RAISE(auto shaped, plan_->shaper->Shape(rows));
  return WriteShaped(shaped);
}

arrow::Status DeltaTaskWriter::WriteShaped(const std::shared_ptr<arrow::RecordBatch>& shaped) {
  ARROW_ASSIGN_OR_RAISE(auto parts, plan_->router->Split(shaped));
  for (PartitionRows& part : parts) {
    if (files_.is_open(part.directory)) {
      ARROW_RETURN_NOT_OK(files_.Write(part.directory, part.values, part.rows));
    } else {
      ARROW_RETURN_NOT_OK(Hold(std::move(part)));
    }
  }
  return arrow::Status::OK();
}

arrow::Result<WriterCommitMessage> DeltaTaskWriter::Commit() {
  ARROW_ASSIGN_OR_RAISE(std::vector<AddedFile> files, files_.Finish());
  auto result = std::make_shared<TaskResult>();
  result->files = std::move(files);
  result->pending = std::move(pending_);
  return WriterCommitMessage(std::move(result));
}

void DeltaTaskWriter::Abort() {
  pending_.clear();
  files_.Abort();
}

arrow::Status DeltaTaskWriter::Hold(PartitionRows part) {
  int64_t bytes = arrow::util::TotalBufferSize(*part.rows);
  PendingRows& pending = pending_[part.directory];
  pending.values = std::move(part.values);
  pending.batches.push_back(std::move(part.rows));
  pending.num_bytes += bytes;
  held_bytes_ += bytes;
  int64_t all = budget_->num_bytes += bytes;
  if (held_bytes_ > PendingBudget::kTaskBytesMax || all > PendingBudget::kAllBytesMax) return Release();
  return arrow::Status::OK();
}

// Too much to hold back: this task writes files of its own from now on.
arrow::Status DeltaTaskWriter::Release() {
  for (auto& [directory, pending] : pending_) {
    for (const auto& batch : pending.batches) ARROW_RETURN_NOT_OK(files_.Write(directory, pending.values, batch));
  }
  pending_.clear();
  budget_->num_bytes -= held_bytes_;
  held_bytes_ = 0;
  return arrow::Status::OK();
}

arrow::Status DataFileWriter::PrepareDirectory(const std::string& relative) {
  std::string whole = relative.empty() ? plan_->table_path : JoinPath(plan_->table_path, relative);
  if (!directories_.insert(whole).second) return arrow::Status::OK();
  return plan_->file_system->CreateDirectories(whole);
}

arrow::Result<DataFileWriter::OpenFile*> DataFileWriter::Open(const std::string& directory,
                                                              const millrace::delta::PartitionValues& values) {
  auto it = open_.find(directory);
  if (it != open_.end()) return &it->second;
  if (open_.size() >= kOpenFilesMax) {
    for (auto& [name, file] : open_) ARROW_RETURN_NOT_OK(FinishFile(&file));
    open_.clear();
  }
  std::string place = plan_->random_prefix_length > 0 ? RandomPrefix(plan_->random_prefix_length) : directory;
  ARROW_RETURN_NOT_OK(PrepareDirectory(place));
  OpenFile file;
  std::string name = fmt::format("{}-{:05}-{}{}c{:03}{}", plan_->name_prefix, task_index_, RandomUuid(),
                                 directory.empty() ? '-' : '.', next_file_++, plan_->extension);
  file.relative_path = place.empty() ? name : JoinPath(place, name);
  file.values = values;
  format::FileWriteRequest request;
  request.path = JoinPath(plan_->table_path, file.relative_path);
  request.schema = plan_->file_schema;
  request.options = plan_->options;
  request.session = plan_->session;
  request.file_system = plan_->file_system;
  request.durability = plan_->durability;
  auto opened = format::FindFileFormat("parquet")->open_writer(request);
  ARROW_RETURN_NOT_OK(file::FileOpenError(*plan_->file_system, request.path, plan_->table_path, opened.status()));
  file.writer = std::move(*opened);
  file.statistics = std::make_unique<millrace::delta::FileStatistics>(&plan_->statistics);
  return &open_.emplace(directory, std::move(file)).first->second;
}

arrow::Status DataFileWriter::Write(const std::string& directory, const millrace::delta::PartitionValues& values,
                                    const std::shared_ptr<arrow::RecordBatch>& rows) {
  for (int64_t at = 0; at < rows->num_rows();) {
    ARROW_ASSIGN_OR_RAISE(OpenFile * file, Open(directory, values));
    int64_t taken = rows->num_rows() - at;
    if (plan_->max_rows_per_file > 0) taken = std::min(taken, plan_->max_rows_per_file - file->num_rows);
    auto slice = taken == rows->num_rows() ? rows : rows->Slice(at, taken);
    ARROW_RETURN_NOT_OK(file::FileWriteError(plan_->table_path, file->writer->Write(*slice)));
    ARROW_RETURN_NOT_OK(file->statistics->Add(*slice));
    file->num_rows += taken;
    at += taken;
    if (plan_->max_rows_per_file > 0 && file->num_rows == plan_->max_rows_per_file) {
      ARROW_RETURN_NOT_OK(FinishFile(file));
      open_.erase(directory);
    }
  }
  return arrow::Status::OK();
}

arrow::Status DataFileWriter::FinishFile(OpenFile* file) {
  auto written = file->writer->Finish();
  ARROW_RETURN_NOT_OK(file::FileWriteError(plan_->table_path, written.status()));
  file->writer.reset();
  ARROW_ASSIGN_OR_RAISE(auto info, plan_->file_system->Stat(JoinPath(plan_->table_path, file->relative_path)));
  if (!info) return arrow::Status::IOError("The data file ", file->relative_path, " has disappeared");
  AddedFile done;
  done.add.path = millrace::delta::EncodeDataPath(file->relative_path);
  done.add.partition_values = std::move(file->values);
  done.add.size_bytes = written->size_bytes;
  done.add.modification_time_ms = info->modified_ms;
  done.add.data_change = true;
  done.add.stats = file->statistics->ToJson();
  done.num_rows = written->num_rows;
  finished_.push_back(std::move(done));
  return arrow::Status::OK();
}

arrow::Result<std::vector<AddedFile>> DataFileWriter::Finish() {
  for (auto& [directory, file] : open_) ARROW_RETURN_NOT_OK(FinishFile(&file));
  open_.clear();
  if (plan_->durability == Durability::kMachine) {
    // A file's name is durable when its directory is synced, and a directory's when the one above is: those above may
    // be new, or left unsynced by somebody who died.
    for (const std::string& directory : directories_) {
      ARROW_RETURN_NOT_OK(plan_->file_system->SyncDirectory(directory));
      std::string at = directory;
      while (at.size() > plan_->table_path.size() && !plan_->durable_directories->Contains(at)) {
        std::string above = ParentOf(at);
        ARROW_RETURN_NOT_OK(plan_->file_system->SyncDirectory(above));
        plan_->durable_directories->Insert(at);
        at = above;
      }
    }
  }
  return std::move(finished_);
}

void DataFileWriter::Abort() {
  for (auto& [directory, file] : open_) {
    file.writer.reset();
    (void)plan_->file_system->Remove(JoinPath(plan_->table_path, file.relative_path));
  }
  for (const AddedFile& file : finished_) {
    (void)plan_->file_system->Remove(millrace::delta::DataFilePath(plan_->table_path, file.add.path));
  }
  open_.clear();
  finished_.clear();
}

arrow::Result<std::vector<AddedFile>> WriteHeldRows(const std::shared_ptr<const DataFilePlan>& plan,
                                                    std::vector<WriterCommitMessage>* messages, HeldRows held) {
  std::vector<AddedFile> files;
  DataFileWriter writer(plan, 0);
  auto finish = [&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(std::vector<AddedFile> written, writer.Finish());
    for (AddedFile& file : written) files.push_back(std::move(file));
    return arrow::Status::OK();
  };
  auto write_all = [&]() -> arrow::Status {
    int task_index = 0;
    for (WriterCommitMessage& message : *messages) {
      auto* result = std::any_cast<std::shared_ptr<TaskResult>>(&message);
      if (held == HeldRows::kByTask) writer = DataFileWriter(plan, task_index++);
      if (result == nullptr) continue;
      for (AddedFile& file : (*result)->files) files.push_back(std::move(file));
      for (auto& [directory, pending] : (*result)->pending) {
        for (const auto& batch : pending.batches) {
          ARROW_RETURN_NOT_OK(writer.Write(directory, pending.values, batch));
        }
      }
      (*result)->pending.clear();
      if (held == HeldRows::kByTask) ARROW_RETURN_NOT_OK(finish());
    }
    return finish();
  };
  arrow::Status status = write_all();
  if (!status.ok()) {
    writer.Abort();
    return status;
  }
  ARROW_RETURN_NOT_OK(HitFailpoint("delta.after_data_files"));
  return files;
}

}  // namespace millrace::connector::delta_table
