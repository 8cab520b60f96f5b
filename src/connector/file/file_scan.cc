#include "connector/file/file_scan.h"

#include <arrow/array/util.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <filesystem>

#include "base/ascii.h"
#include "base/error.h"
#include "connector/file/metadata_column.h"
#include "connector/file/partition_path.h"
#include "connector/file_packing.h"
#include "types/arrow_type.h"

namespace millrace::connector::file {

namespace {

class FilesReader final : public BatchReader {
 public:
  FilesReader(const FileReadPlan* plan, const std::vector<FileToRead>* files, arrow::MemoryPool* pool)
      : plan_(plan), files_(files), pool_(pool) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    while (true) {
      if (reader_ == nullptr) {
        if (next_file_ == files_->size()) return nullptr;
        ARROW_RETURN_NOT_OK(OpenNext());
        if (reader_ == nullptr) continue;
      }
      arrow::Result<std::shared_ptr<arrow::RecordBatch>> batch = reader_->Next();
      if (!batch.ok()) {
        if (!plan_->ignore_corrupt_files) return batch.status();
        reader_.reset();
        continue;
      }
      if (*batch == nullptr) {
        reader_.reset();
        continue;
      }
      if ((*batch)->num_rows() > 0) return Assemble(**batch);
    }
  }

 private:
  arrow::Status OpenNext() {
    const FileToRead& next = (*files_)[next_file_++];
    if (plan_->ignore_missing_files && !std::filesystem::exists(next.file.path)) return arrow::Status::OK();
    format::FileReadRequest request;
    request.path = next.file.path;
    request.block = next.block;
    current_ = &next;
    request.schema = plan_->wanted_data;
    request.file_schema = plan_->data_schema;
    request.options = plan_->options;
    request.session = plan_->session;
    request.filter = plan_->filter;
    request.filter_schema = plan_->data_schema;
    auto opened = plan_->format->open_reader(request);
    if (!opened.ok()) return plan_->ignore_corrupt_files ? arrow::Status::OK() : opened.status();
    constants_.clear();
    const auto& fields = plan_->partition_schema->fields();
    for (size_t i = 0; i < fields.size(); ++i) {
      auto value = ReadPartitionValue(next.partition_values[i], *fields[i].type, *plan_->time_zone);
      if (!value.ok()) {
        return arrow::Status(value.status().code(),
                             value.status().message() + " `" + fields[i].name + "` (" + next.file.path + ")");
      }
      constants_.push_back(*value);
    }
    reader_ = std::move(*opened);
    return arrow::Status::OK();
  }

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Assemble(const arrow::RecordBatch& rows) {
    arrow::ArrayVector arrays;
    for (int column : plan_->columns) {
      if (column >= 0) {
        arrays.push_back(rows.column(column));
      } else if (column == kMetadataPosition) {
        ARROW_ASSIGN_OR_RAISE(auto metadata, MakeMetadataColumn(*plan_->metadata, current_->file, current_->block,
                                                                reader_->first_row(), rows.num_rows(), pool_));
        arrays.push_back(std::move(metadata));
      } else {
        ARROW_ASSIGN_OR_RAISE(auto constant, arrow::MakeArrayFromScalar(*constants_[static_cast<size_t>(-1 - column)],
                                                                        rows.num_rows(), pool_));
        arrays.push_back(std::move(constant));
      }
    }
    return arrow::RecordBatch::Make(plan_->output, rows.num_rows(), std::move(arrays));
  }

  const FileReadPlan* plan_;
  const std::vector<FileToRead>* files_;
  arrow::MemoryPool* pool_;
  size_t next_file_ = 0;
  const FileToRead* current_ = nullptr;
  std::unique_ptr<format::FileReader> reader_;
  std::vector<std::shared_ptr<arrow::Scalar>> constants_;
};

class FilesPartition final : public InputPartition {
 public:
  FilesPartition(std::shared_ptr<const FileReadPlan> plan, std::vector<FileToRead> files)
      : plan_(std::move(plan)), files_(std::move(files)) {}
  arrow::Result<std::unique_ptr<BatchReader>> Open(arrow::MemoryPool* pool) const override {
    return std::make_unique<FilesReader>(plan_.get(), &files_, pool);
  }

 private:
  std::shared_ptr<const FileReadPlan> plan_;
  std::vector<FileToRead> files_;
};

class FileScan final : public BatchScan {
 public:
  FileScan(FileTable table, const SourceRequest& request) : table_(std::move(table)), request_(request) {}

  arrow::Result<InputPartitions> PlanPartitions(const ReadColumns& columns) override {
    ARROW_ASSIGN_OR_RAISE(auto plan, MakeReadPlan(table_, request_, columns));
    std::vector<FileToRead> files;
    for (const ListedFile& file : table_.files) {
      FileToRead to_read{file, {}, {}};
      auto it = table_.partitions.values.find(std::filesystem::path(file.path).parent_path().string());
      if (it != table_.partitions.values.end()) to_read.partition_values = it->second;
      to_read.partition_values.resize(table_.partition_schema->fields().size(), std::string(kDefaultPartition));
      files.push_back(std::move(to_read));
    }
    return PackFiles(std::move(plan), std::move(files), *request_.context);
  }

  std::string Description() const override { return std::string(table_.format->name) + " " + table_.paths[0]; }

 private:
  FileTable table_;
  SourceRequest request_;
};

/// Blocks of at most `share` bytes of each file that can be read in parts.
std::vector<FileToRead> CutIntoBlocks(const FileReadPlan& plan, std::vector<FileToRead> files, int64_t share) {
  std::vector<FileToRead> blocks;
  for (FileToRead& file : files) {
    const int64_t size = file.file.size_bytes;
    if (size <= share || !plan.format->splittable(file.file.path, plan.options)) {
      blocks.push_back(std::move(file));
      continue;
    }
    for (int64_t start = 0; start < size; start += share) {
      blocks.push_back(file);
      blocks.back().block = {start, std::min(share, size - start)};
    }
  }
  return blocks;
}

}  // namespace

arrow::Result<std::shared_ptr<const FileReadPlan>> MakeReadPlan(const FileTable& table, const SourceRequest& request,
                                                                const ReadColumns& columns) {
  const ConnectorContext& context = *request.context;
  auto plan = std::make_shared<FileReadPlan>();
  plan->format = table.format;
  plan->options = FormatOptions(*table.format, request.options, context);
  plan->session = ToSessionFormat(context);
  plan->data_schema = table.data_schema;
  plan->partition_schema = table.partition_schema;
  plan->time_zone = context.time_zone;
  plan->filter = columns.filter;
  auto flag = [&](std::string_view option, std::string_view conf) -> arrow::Result<bool> {
    return request.options.GetBool(option, context.conf(conf).value_or("false") == "true");
  };
  ARROW_ASSIGN_OR_RAISE(plan->ignore_missing_files, flag("ignoreMissingFiles", "spark.sql.files.ignoreMissingFiles"));
  ARROW_ASSIGN_OR_RAISE(plan->ignore_corrupt_files, flag("ignoreCorruptFiles", "spark.sql.files.ignoreCorruptFiles"));
  std::vector<types::StructField> wanted;
  std::vector<types::StructField> output;
  for (int index : columns.indices) {
    if (static_cast<size_t>(index) >= table.schema->fields().size()) {
      plan->metadata = MetadataColumnType(table.format->name);
      plan->columns.push_back(kMetadataPosition);
      output.push_back({std::string(kMetadataColumn), plan->metadata, false, ""});
      continue;
    }
    const types::StructField& field = table.schema->fields()[static_cast<size_t>(index)];
    output.push_back(field);
    int partition = -1;
    const auto& partition_fields = table.partition_schema->fields();
    for (size_t i = 0; i < partition_fields.size(); ++i) {
      if (EqualsIgnoreCase(partition_fields[i].name, field.name)) partition = static_cast<int>(i);
    }
    if (partition >= 0) {
      plan->columns.push_back(-1 - partition);
    } else {
      plan->columns.push_back(static_cast<int>(wanted.size()));
      wanted.push_back(field);
    }
  }
  plan->wanted_data = types::Struct(std::move(wanted));
  plan->output = types::ToArrowSchema(*types::Struct(std::move(output)));
  return plan;
}

InputPartitions PackFiles(std::shared_ptr<const FileReadPlan> plan, std::vector<FileToRead> files,
                          const ConnectorContext& context) {
  int64_t total = 0;
  for (const FileToRead& file : files) total += file.file.size_bytes;
  FilePacking packing = MakeFilePacking(context, files.size(), total);
  files = CutIntoBlocks(*plan, std::move(files), packing.split_bytes);
  auto bytes_of = [](const FileToRead& file) { return file.block.whole() ? file.file.size_bytes : file.block.length; };
  InputPartitions partitions;
  for (auto& share : PackByBytes(std::move(files), packing, bytes_of)) {
    partitions.push_back(std::make_shared<FilesPartition>(plan, std::move(share)));
  }
  return partitions;
}

std::vector<std::string> PartitionValuesOf(const std::string& path, const types::DataType& partition_schema,
                                           bool case_sensitive) {
  std::vector<std::string> values(partition_schema.fields().size(), std::string(kDefaultPartition));
  for (const auto& part : std::filesystem::path(path).parent_path()) {
    auto column = ParsePartitionDirectory(part.string());
    if (!column.ok() || !*column) continue;
    for (size_t i = 0; i < values.size(); ++i) {
      const std::string& name = partition_schema.fields()[i].name;
      if (case_sensitive ? name == (*column)->first : EqualsIgnoreCase(name, (*column)->first)) {
        values[i] = (*column)->second;
      }
    }
  }
  return values;
}

arrow::Result<std::unique_ptr<BatchScan>> OpenFileScan(const format::FileFormat& format, const SourceRequest& request) {
  ARROW_ASSIGN_OR_RAISE(FileTable table, OpenFileTable(format, request));
  return std::make_unique<FileScan>(std::move(table), request);
}

}  // namespace millrace::connector::file
