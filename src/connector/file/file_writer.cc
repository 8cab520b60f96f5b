#include "connector/file/file_writer.h"

#include <arrow/array/array_primitive.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "base/ascii.h"
#include "base/error.h"
#include "base/ids.h"
#include "connector/file/file_schema.h"
#include "connector/file/file_write_error.h"
#include "connector/file/partition_path.h"

namespace millrace::connector::file {

namespace {

/// Directories whose file is open at once; more are closed and, when their rows come again, continued in another file.
constexpr size_t kOpenFilesMax = 128;

class FileTaskWriter final : public DataWriter {
 public:
  FileTaskWriter(std::shared_ptr<const FileWritePlan> plan, std::string directory, FileNaming naming)
      : plan_(std::move(plan)), directory_(std::move(directory)), naming_(std::move(naming)) {}

  arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& rows) override {
    ARROW_ASSIGN_OR_RAISE(auto data, rows->SelectColumns(plan_->data_columns));
    if (plan_->partition_columns.empty() && plan_->bucket_column < 0) return WriteTo({}, data);
    std::map<Place, std::unique_ptr<arrow::Int64Builder>> rows_of;
    for (int64_t row = 0; row < rows->num_rows(); ++row) {
      auto& indices = rows_of[PlaceOf(*rows, row)];
      if (indices == nullptr) indices = std::make_unique<arrow::Int64Builder>();
      ARROW_RETURN_NOT_OK(indices->Append(row));
    }
    for (auto& [place, builder] : rows_of) {
      if (builder->length() == rows->num_rows()) {
        ARROW_RETURN_NOT_OK(WriteTo(place, data));
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(auto indices, builder->Finish());
      ARROW_ASSIGN_OR_RAISE(arrow::Datum part, arrow::compute::Take(arrow::Datum(data), arrow::Datum(indices)));
      ARROW_RETURN_NOT_OK(WriteTo(place, part.record_batch()));
    }
    return arrow::Status::OK();
  }

  arrow::Result<WriterCommitMessage> Commit() override {
    // Task 0 always leaves a file, so that an empty result can be read back with its schema.
    if (plan_->partition_columns.empty() && naming_.task_index == 0 && written_.empty() && open_.empty()) {
      ARROW_RETURN_NOT_OK(Open({}).status());
    }
    ARROW_RETURN_NOT_OK(FinishAll());
    if (plan_->durability == Durability::kMachine) {
      for (const std::string& directory : new_directories_) {
        ARROW_RETURN_NOT_OK(plan_->file_system->SyncDirectory(directory));
      }
    }
    return WriterCommitMessage(std::move(written_));
  }

  void Abort() override {
    for (const auto& [place, file] : open_) (void)plan_->file_system->Remove(JoinPath(directory_, file.relative_path));
    for (const FileWritten& file : written_) (void)plan_->file_system->Remove(JoinPath(directory_, file.relative_path));
    open_.clear();
    written_.clear();
  }

 private:
  /// Which file a row belongs to.
  struct Place {
    std::string directory;
    int64_t bucket = -1;
    auto operator<=>(const Place&) const = default;
  };
  struct OpenFile {
    std::string relative_path;
    std::unique_ptr<format::FileWriter> writer;
    int64_t num_rows = 0;
  };

  Place PlaceOf(const arrow::RecordBatch& rows, int64_t row) const {
    Place place;
    if (plan_->bucket_column >= 0) {
      place.bucket = static_cast<const arrow::Int32Array&>(*rows.column(plan_->bucket_column)).Value(row);
    }
    std::string& directory = place.directory;
    for (int column : plan_->partition_columns) {
      const types::StructField& field = plan_->schema->fields()[static_cast<size_t>(column)];
      if (!directory.empty()) directory += '/';
      directory +=
          PartitionDirectory(field.name, PartitionValueText(*rows.column(column), row, *field.type, *plan_->time_zone));
    }
    return place;
  }

  arrow::Result<OpenFile*> Open(const Place& place) {
    const std::string& directory = place.directory;
    auto it = open_.find(place);
    if (it != open_.end()) return &it->second;
    if (open_.size() >= kOpenFilesMax) ARROW_RETURN_NOT_OK(FinishAll());
    std::string uuid = naming_.uuid.empty() ? RandomUuid() : naming_.uuid;
    // As Spark names them: with a dot where a task writes into several places.
    std::string bucket = place.bucket < 0 ? "" : fmt::format("_{:05}", place.bucket);
    bool one_place = plan_->partition_columns.empty() && plan_->bucket_column < 0;
    std::string name = fmt::format("part-{:05}-{}{}{}c{:03}{}", naming_.task_index, uuid, bucket, one_place ? '-' : '.',
                                   next_counter_[place]++, plan_->extension);
    std::string whole = directory.empty() ? directory_ : JoinPath(directory_, directory);
    ARROW_RETURN_NOT_OK(plan_->file_system->CreateDirectories(whole));
    // The file's own directory, and those above it that may be new.
    for (std::string above = whole; above.size() > directory_.size(); above = Parent(above)) {
      new_directories_.insert(above);
    }
    new_directories_.insert(directory_);
    OpenFile file;
    file.relative_path = directory.empty() ? name : JoinPath(directory, name);
    format::FileWriteRequest request;
    request.path = JoinPath(directory_, file.relative_path);
    request.schema = plan_->data_schema;
    request.options = plan_->options;
    request.session = plan_->session;
    auto opened = plan_->format->open_writer(request);
    ARROW_RETURN_NOT_OK(FileOpenError(*plan_->file_system, request.path, directory_, opened.status()));
    file.writer = std::move(*opened);
    return &open_.emplace(place, std::move(file)).first->second;
  }

  arrow::Status WriteTo(const Place& place, const std::shared_ptr<arrow::RecordBatch>& rows) {
    int64_t at = 0;
    while (at < rows->num_rows()) {
      ARROW_ASSIGN_OR_RAISE(OpenFile * file, Open(place));
      int64_t taken = rows->num_rows() - at;
      if (plan_->max_rows_per_file > 0) taken = std::min(taken, plan_->max_rows_per_file - file->num_rows);
      ARROW_RETURN_NOT_OK(FileWriteError(directory_, file->writer->Write(*rows->Slice(at, taken))));
      file->num_rows += taken;
      at += taken;
      if (plan_->max_rows_per_file > 0 && file->num_rows == plan_->max_rows_per_file) {
        ARROW_RETURN_NOT_OK(Finish(file));
        open_.erase(place);
      }
    }
    return arrow::Status::OK();
  }

  arrow::Status Finish(OpenFile* file) {
    auto written = file->writer->Finish();
    ARROW_RETURN_NOT_OK(FileWriteError(directory_, written.status()));
    std::string path = JoinPath(directory_, file->relative_path);
    ARROW_ASSIGN_OR_RAISE(auto info, plan_->file_system->Stat(path));
    if (!info) return WorldError("The file just written is gone: " + path);
    written_.push_back({file->relative_path, info->size_bytes, info->modified_ms});
    return arrow::Status::OK();
  }

  arrow::Status FinishAll() {
    for (auto& [place, file] : open_) ARROW_RETURN_NOT_OK(Finish(&file));
    open_.clear();
    return arrow::Status::OK();
  }

  static std::string Parent(const std::string& path) { return std::filesystem::path(path).parent_path().string(); }

  std::shared_ptr<const FileWritePlan> plan_;
  std::string directory_;
  FileNaming naming_;
  std::map<Place, OpenFile> open_;
  std::map<Place, int> next_counter_;
  std::set<std::string> new_directories_;
  std::vector<FileWritten> written_;
};

bool IsAtomic(const types::DataType& type) {
  return !type.is_nested() && !type.is_ansi_interval() && type.id() != types::TypeId::kCalendarInterval &&
         type.id() != types::TypeId::kNull && type.id() != types::TypeId::kVariant && type.id() != types::TypeId::kTime;
}

}  // namespace

arrow::Result<std::shared_ptr<const FileWritePlan>> MakeWritePlan(const format::FileFormat& format,
                                                                  const SinkRequest& request) {
  const ConnectorContext& context = *request.context;
  auto plan = std::make_shared<FileWritePlan>();
  plan->format = &format;
  plan->options = FormatOptions(format, request.options, context);
  plan->session = ToSessionFormat(context);
  plan->schema = request.schema;
  plan->time_zone = context.time_zone;
  plan->file_system = context.file_system;
  plan->durability = context.durability;
  ARROW_ASSIGN_OR_RAISE(plan->max_rows_per_file, request.options.GetInt64("maxRecordsPerFile", 0));
  const auto& fields = request.schema->fields();
  std::vector<bool> is_partition(fields.size());
  for (const std::string& name : request.partition_columns) {
    int found = -1;
    for (size_t i = 0; i < fields.size(); ++i) {
      bool same = context.case_sensitive ? fields[i].name == name : EqualsIgnoreCase(fields[i].name, name);
      if (same) found = static_cast<int>(i);
    }
    if (found < 0 && !request.query_id.empty()) {
      std::vector<std::string> names;
      for (const types::StructField& field : fields) names.push_back(field.name);
      return UserError("_LEGACY_ERROR_TEMP_1196", {{"columnType", "Partition"},
                                                   {"columnName", name},
                                                   {"validColumnNames", fmt::format("{}", fmt::join(names, ", "))}});
    }
    if (found < 0) {
      return UserError("PARTITION_COLUMN_NOT_FOUND_IN_SCHEMA",
                       {{"column", name}, {"schema", request.schema->CatalogString()}});
    }
    const types::StructField& field = fields[static_cast<size_t>(found)];
    if (!IsAtomic(*field.type)) {
      return UserError("INVALID_PARTITION_COLUMN_DATA_TYPE", {{"type", QuoteSqlType(field.type->Sql())}});
    }
    is_partition[static_cast<size_t>(found)] = true;
    plan->partition_columns.push_back(found);
  }
  // Streams are not asked for a data column (Spark's FileStreamSink).
  if (request.query_id.empty() && !fields.empty() && plan->partition_columns.size() == fields.size()) {
    return UserError("ALL_PARTITION_COLUMNS_NOT_ALLOWED");
  }
  std::vector<types::StructField> data_fields;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (is_partition[i]) continue;
    if (!request.bucket_column.empty() && fields[i].name == request.bucket_column) {
      plan->bucket_column = static_cast<int>(i);
      continue;
    }
    plan->data_columns.push_back(static_cast<int>(i));
    data_fields.push_back(fields[i]);
  }
  plan->data_schema = types::Struct(std::move(data_fields));
  ARROW_ASSIGN_OR_RAISE(plan->extension, format.extension(plan->options));
  return plan;
}

arrow::Status CheckDataTypes(const FileWritePlan& plan) {
  ARROW_RETURN_NOT_OK(CheckTypes(*plan.format, *plan.data_schema));
  size_t num_columns = plan.data_schema->fields().size();
  if (plan.format->name == "text" && num_columns != 1) {
    return UserError("_LEGACY_ERROR_TEMP_1290", {{"schemaSize", std::to_string(num_columns)}});
  }
  return arrow::Status::OK();
}

std::unique_ptr<DataWriter> MakeFileWriter(std::shared_ptr<const FileWritePlan> plan, std::string directory,
                                           FileNaming naming) {
  return std::make_unique<FileTaskWriter>(std::move(plan), std::move(directory), std::move(naming));
}

}  // namespace millrace::connector::file
