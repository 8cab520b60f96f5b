#include <filesystem>
#include <set>

#include "base/ascii.h"
#include "base/error.h"
#include "base/ids.h"
#include "connector/file/file_listing.h"
#include "connector/file/file_sink.h"
#include "connector/file/file_writer.h"

namespace millrace::connector::file {

namespace {

class FileBatchWrite final : public Write {
 public:
  FileBatchWrite(std::shared_ptr<const FileWritePlan> plan, std::string path, bool overwrite, bool dynamic)
      : plan_(std::move(plan)),
        path_(std::move(path)),
        temporary_(JoinPath(path_, "_temporary")),
        overwrite_(overwrite),
        dynamic_(dynamic),
        uuid_(RandomUuid()) {}

  arrow::Result<std::unique_ptr<DataWriter>> OpenWriter(int task_index) override {
    return MakeFileWriter(plan_, JoinPath(temporary_, uuid_), {.task_index = task_index, .uuid = uuid_});
  }

  arrow::Status Commit(std::vector<WriterCommitMessage> messages) override {
    if (messages.empty()) {
      ARROW_ASSIGN_OR_RAISE(auto writer, OpenWriter(0));
      ARROW_ASSIGN_OR_RAISE(auto message, writer->Commit());
      messages.push_back(std::move(message));
    }
    FileSystem& files = *plan_->file_system;
    ARROW_RETURN_NOT_OK(files.CreateDirectories(path_));
    if (overwrite_ && !dynamic_) ARROW_RETURN_NOT_OK(RemoveOld(path_));
    std::set<std::string> directories = {path_};
    std::set<std::string> replaced;
    for (const WriterCommitMessage& message : messages) {
      const auto* written = std::any_cast<std::vector<FileWritten>>(&message);
      if (written == nullptr) continue;
      for (const FileWritten& file : *written) {
        std::string target = JoinPath(path_, file.relative_path);
        std::string directory = std::filesystem::path(target).parent_path().string();
        if (overwrite_ && dynamic_ && replaced.insert(directory).second) {
          ARROW_RETURN_NOT_OK(files.RemoveTree(directory));
        }
        if (directories.insert(directory).second) ARROW_RETURN_NOT_OK(files.CreateDirectories(directory));
        ARROW_RETURN_NOT_OK(files.Rename(JoinPath(JoinPath(temporary_, uuid_), file.relative_path), target));
      }
    }
    ARROW_RETURN_NOT_OK(files.RemoveTree(temporary_));
    ARROW_ASSIGN_OR_RAISE(auto success, files.OpenForWrite(JoinPath(path_, "_SUCCESS")));
    ARROW_RETURN_NOT_OK(success->Close());
    if (plan_->durability == Durability::kMachine) {
      for (const std::string& directory : directories) ARROW_RETURN_NOT_OK(files.SyncDirectory(directory));
      ARROW_RETURN_NOT_OK(files.SyncDirectory(std::filesystem::path(path_).parent_path().string()));
    }
    return arrow::Status::OK();
  }

  void Abort() override {
    (void)plan_->file_system->RemoveTree(JoinPath(temporary_, uuid_));
    // Others may be writing here.
    auto left = plan_->file_system->ListNames(temporary_);
    if (left.ok() && left->empty()) (void)plan_->file_system->RemoveTree(temporary_);
  }

 private:
  arrow::Status RemoveOld(const std::string& directory) {
    ARROW_ASSIGN_OR_RAISE(std::vector<FileInfo> old, plan_->file_system->List(directory));
    for (const FileInfo& file : old) {
      if (file.name == "_temporary") continue;
      std::string path = JoinPath(directory, file.name);
      ARROW_RETURN_NOT_OK(file.is_directory ? plan_->file_system->RemoveTree(path) : plan_->file_system->Remove(path));
    }
    return arrow::Status::OK();
  }

  std::shared_ptr<const FileWritePlan> plan_;
  std::string path_;
  std::string temporary_;
  bool overwrite_;
  /// spark.sql.sources.partitionOverwriteMode = dynamic: only partitions that get rows are replaced.
  bool dynamic_;
  std::string uuid_;
};

arrow::Status CheckDistinctNames(const types::DataType& schema, bool case_sensitive) {
  std::set<std::string> seen;
  for (const types::StructField& field : schema.fields()) {
    std::string name = case_sensitive ? field.name : ToLowerAscii(field.name);
    if (!seen.insert(name).second) return UserError("COLUMN_ALREADY_EXISTS", {{"columnName", QuoteIdentifier(name)}});
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<std::unique_ptr<Write>> OpenFileWrite(const format::FileFormat& format, const SinkRequest& request) {
  const ConnectorContext& context = *request.context;
  if (request.path.empty()) return UserError("_LEGACY_ERROR_TEMP_2047");
  SourceRequest as_source;
  as_source.paths = {request.path};
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> paths, AbsolutePaths(as_source));
  ARROW_ASSIGN_OR_RAISE(auto plan, MakeWritePlan(format, request));
  // Only CSV does well with such.
  if (format.name != "csv") ARROW_RETURN_NOT_OK(CheckDistinctNames(*request.schema, context.case_sensitive));
  ARROW_ASSIGN_OR_RAISE(auto existing, context.file_system->Stat(paths[0]));
  if (existing && request.save_mode == SaveMode::kIgnore) return nullptr;
  if (existing && request.save_mode == SaveMode::kErrorIfExists) {
    return UserError("PATH_ALREADY_EXISTS", {{"outputPath", ShownPath(paths[0])}});
  }
  ARROW_RETURN_NOT_OK(CheckDataTypes(*plan));
  std::string mode = request.options.Get("partitionOverwriteMode")
                         .value_or(context.conf("spark.sql.sources.partitionOverwriteMode").value_or("STATIC"));
  bool dynamic = EqualsIgnoreCase(mode, "dynamic") && !plan->partition_columns.empty();
  return std::make_unique<FileBatchWrite>(std::move(plan), paths[0], request.save_mode == SaveMode::kOverwrite,
                                          dynamic);
}

}  // namespace millrace::connector::file
