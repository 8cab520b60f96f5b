#include "connector/delta/data_file_scan.h"

#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <cstring>

#include "base/ascii.h"
#include "base/error.h"
#include "base/json_value.h"
#include "connector/delta/padded_chars.h"
#include "connector/delta/pinned_table.h"
#include "connector/delta/row_metadata.h"
#include "connector/file/metadata_column.h"
#include "connector/file_packing.h"
#include "delta/deletion_vector/deletion_vector.h"
#include "delta/log/log_paths.h"
#include "delta/partition_value.h"
#include "delta/skipping/file_selection.h"
#include "format/file_format.h"
#include "format/parquet/parquet_scan.h"
#include "types/arrow_type.h"
#include "types/char_type.h"

namespace millrace::connector::delta_table {

namespace {

// What a column with CHAR(n), which Spark keeps beside the type STRING, was declared as; nullptr for every other one.
types::DataTypePtr PaddedType(const types::StructField& field) {
  types::DataTypePtr declared = types::DeclaredTypeOf(field);
  return HoldsPaddedChars(declared.get()) ? declared : nullptr;
}

class DataFilesReader final : public BatchReader {
 public:
  DataFilesReader(const DataReadPlan* plan, const std::vector<DataFile>* files, arrow::MemoryPool* pool)
      : plan_(plan), files_(files), pool_(pool) {}

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    while (true) {
      if (scan_ == nullptr) {
        if (next_file_ == files_->size()) return nullptr;
        ARROW_RETURN_NOT_OK(OpenNext());
      }
      auto batch = scan_->Next();
      if (!batch.ok()) return format::FileReadError(file().path, batch.status());
      if (*batch == nullptr) {
        scan_.reset();
        continue;
      }
      if (plan_->num_metadata_fields > 0 || plan_->tells_places) {
        ARROW_ASSIGN_OR_RAISE(*batch, WithIndexes(**batch));
      }
      ARROW_ASSIGN_OR_RAISE(auto rows, WithoutDeleted(*batch));
      if (rows->num_rows() > 0) return Assemble(*rows);
    }
  }

 private:
  const DataFile& file() const { return (*files_)[next_file_ - 1]; }

  arrow::Status Missing() const {
    return UserError("FAILED_READ_FILE.FILE_NOT_EXIST", {{"path", "file:" + file().path}});
  }

  arrow::Status OpenNext() {
    ++next_file_;
    ARROW_ASSIGN_OR_RAISE(auto info, plan_->file_system->Stat(file().path));
    if (!info) return Missing();
    if (arrow::Status vectors = ReadVectors(); !vectors.ok()) {
      // A vector that is gone makes its data file unreadable, and that is the file Spark names.
      if (vectors.IsKeyError()) return Missing();
      return vectors;
    }
    ARROW_RETURN_NOT_OK(ReadConstants());
    format::ParquetScanOptions options;
    options.schema = plan_->wanted;
    if (has_change_type_column()) {
      std::vector<types::StructField> fields = plan_->wanted->fields();
      fields.push_back({std::string(kChangeType), types::String(), true, ""});
      options.schema = types::Struct(std::move(fields));
    }
    options.match = plan_->match;
    options.filter = plan_->filter;
    options.filter_schema = plan_->filter_schema;
    options.first_byte = file().first_byte;
    options.end_byte = file().end_byte;
    auto scan = format::ParquetScan::Open(file().path, options);
    if (!scan.ok()) return format::FileReadError(file().path, scan.status());
    scan_ = std::move(*scan);
    return CheckVectors();
  }

  bool has_change_type_column() const {
    return file().change_type.empty() &&
           std::find(plan_->columns.begin(), plan_->columns.end(), DataReadPlan::kIsChangeType) != plan_->columns.end();
  }

  arrow::Status ReadVectors() {
    deleted_.reset();
    if (file().left_out != nullptr) deleted_ = *file().left_out;
    if (!file().deleted) return arrow::Status::OK();
    if (deleted_) {
      ARROW_ASSIGN_OR_RAISE(auto vector,
                            delta::ReadDeletionVector(*plan_->file_system, plan_->table_path, *file().deleted));
      deleted_ = deleted_->Union(vector);
      return arrow::Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(deleted_, delta::ReadDeletionVector(*plan_->file_system, plan_->table_path, *file().deleted));
    if (!file().except) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(delta::RoaringBitmap except,
                          delta::ReadDeletionVector(*plan_->file_system, plan_->table_path, *file().except));
    deleted_ = deleted_->Minus(except);
    return arrow::Status::OK();
  }

  arrow::Status CheckVectors() const {
    if (!deleted_ || deleted_->empty()) return arrow::Status::OK();
    if (deleted_->Max() < static_cast<uint64_t>(scan_->num_file_rows())) return arrow::Status::OK();
    return UserError("DELTA_DELETION_VECTOR_INVALID_ROW_INDEX");
  }

  arrow::Status ReadConstants() {
    constants_.clear();
    const auto& fields = plan_->partition_schema->fields();
    for (size_t i = 0; i < fields.size(); ++i) {
      const auto& text = file().partition_values[i];
      auto value = delta::ReadPartitionValue(text ? std::optional<std::string_view>(*text) : std::nullopt,
                                             *fields[i].type, *plan_->time_zone);
      if (!value.ok()) {
        return value.status().WithMessage("Partition column `", fields[i].name, "` of file ", file().path, ": ",
                                          value.status().message());
      }
      constants_.push_back(*value);
    }
    return arrow::Status::OK();
  }

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> WithoutDeleted(const std::shared_ptr<arrow::RecordBatch>& rows) {
    if (!deleted_) return rows;
    auto num_bytes = static_cast<size_t>((rows->num_rows() + 7) / 8);
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> mask,
                          arrow::AllocateBuffer(static_cast<int64_t>(num_bytes), pool_));
    std::memset(mask->mutable_data(), 0xff, num_bytes);
    int64_t cleared =
        deleted_->ClearBits(static_cast<uint64_t>(scan_->first_row()), rows->num_rows(), mask->mutable_data());
    if (file().only_deleted) {
      for (size_t i = 0; i < num_bytes; ++i) mask->mutable_data()[i] = static_cast<uint8_t>(~mask->data()[i]);
      if (cleared == 0) return rows->Slice(0, 0);
    } else if (cleared == 0) {
      return rows;
    }
    auto keep = std::make_shared<arrow::BooleanArray>(rows->num_rows(), std::move(mask));
    if (rows->num_columns() == 0) {
      int64_t left = file().only_deleted ? cleared : rows->num_rows() - cleared;
      return arrow::RecordBatch::Make(rows->schema(), left, arrow::ArrayVector{});
    }
    arrow::compute::ExecContext execution(pool_);
    ARROW_ASSIGN_OR_RAISE(arrow::Datum kept,
                          arrow::compute::Filter(rows, keep, arrow::compute::FilterOptions::Defaults(), &execution));
    return kept.record_batch();
  }

  // The rows with their numbers in the file as a last column.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> WithIndexes(const arrow::RecordBatch& rows) {
    arrow::Int64Builder indexes(pool_);
    ARROW_RETURN_NOT_OK(indexes.Reserve(rows.num_rows()));
    for (int64_t i = 0; i < rows.num_rows(); ++i) indexes.UnsafeAppend(scan_->first_row() + i);
    ARROW_ASSIGN_OR_RAISE(auto column, indexes.Finish());
    return rows.AddColumn(rows.num_columns(), "row_index", column);
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Metadata(const arrow::RecordBatch& rows) const {
    RowMetadataInput input{&file(), rows.num_rows(), nullptr, nullptr, nullptr};
    if (plan_->num_metadata_fields > 0) {
      int last = rows.num_columns() - 1;
      input.indexes = rows.column(last);
      input.ids = rows.column(last - 2);
      input.versions = rows.column(last - 1);
    }
    if (plan_->tells_places) {
      arrow::ArrayVector place(2);
      ARROW_ASSIGN_OR_RAISE(place[0],
                            arrow::MakeArrayFromScalar(arrow::StringScalar(file().path), rows.num_rows(), pool_));
      place[1] = rows.column(rows.num_columns() - 1);
      if (input.ids != nullptr) {
        ARROW_ASSIGN_OR_RAISE(place.emplace_back(), MakeRowIds(input, pool_));
      }
      return std::make_shared<arrow::StructArray>(types::ToArrow(*plan_->metadata), rows.num_rows(), std::move(place));
    }
    return MakeRowMetadata(*plan_->metadata, input, pool_);
  }

  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Assemble(const arrow::RecordBatch& rows) {
    arrow::ArrayVector arrays;
    for (int column : plan_->columns) {
      if (column == DataReadPlan::kIsChangeType && file().change_type.empty()) {
        arrays.push_back(rows.column(rows.num_columns() - 1));
        continue;
      }
      if (column == DataReadPlan::kIsMetadata) {
        ARROW_ASSIGN_OR_RAISE(auto metadata, Metadata(rows));
        arrays.push_back(std::move(metadata));
        continue;
      }
      const types::DataType* padded = plan_->padded_types[arrays.size()].get();
      std::shared_ptr<arrow::Array> values;
      if (column >= 0 && column < DataReadPlan::kIsChangeType) {
        values = rows.column(column);
      } else {
        ARROW_ASSIGN_OR_RAISE(values, arrow::MakeArrayFromScalar(*Constant(column), rows.num_rows(), pool_));
      }
      if (padded != nullptr) {
        ARROW_ASSIGN_OR_RAISE(values, PadChars(values, *padded, pool_));
      }
      arrays.push_back(std::move(values));
    }
    return arrow::RecordBatch::Make(plan_->output, rows.num_rows(), std::move(arrays));
  }

  std::shared_ptr<arrow::Scalar> Constant(int column) const {
    switch (column) {
      case DataReadPlan::kIsChangeType:
        return std::make_shared<arrow::StringScalar>(file().change_type);
      case DataReadPlan::kIsCommitVersion:
        return std::make_shared<arrow::Int64Scalar>(file().commit_version);
      case DataReadPlan::kIsVoid:
        return std::make_shared<arrow::NullScalar>();
      case DataReadPlan::kIsCommitTimestamp:
        return std::make_shared<arrow::TimestampScalar>(file().commit_timestamp_ms * 1000,
                                                        types::ToArrow(*types::Timestamp()));
      default:
        return constants_[static_cast<size_t>(-1 - column)];
    }
  }

  const DataReadPlan* plan_;
  const std::vector<DataFile>* files_;
  arrow::MemoryPool* pool_;
  size_t next_file_ = 0;
  std::unique_ptr<format::ParquetScan> scan_;
  std::optional<delta::RoaringBitmap> deleted_;
  std::vector<std::shared_ptr<arrow::Scalar>> constants_;
};

class DataFilesPartition final : public InputPartition {
 public:
  DataFilesPartition(std::shared_ptr<const DataReadPlan> plan, std::vector<DataFile> files)
      : plan_(std::move(plan)), files_(std::move(files)) {}
  arrow::Result<std::unique_ptr<BatchReader>> Open(arrow::MemoryPool* pool) const override {
    return std::make_unique<DataFilesReader>(plan_.get(), &files_, pool);
  }

 private:
  std::shared_ptr<const DataReadPlan> plan_;
  std::vector<DataFile> files_;
};

int FieldIndex(const types::DataType& schema, const std::string& name) {
  int index = schema.FieldIndex(name, /*case_sensitive=*/true);
  return index >= 0 ? index : schema.FieldIndex(name, /*case_sensitive=*/false);
}

/// `wanted` as the state that is read has it: its fields' metadata names them in the files. Fields of structs that the
/// plan does not know are left out.
types::DataTypePtr WithStateMetadata(const types::DataTypePtr& wanted, const types::DataTypePtr& state) {
  if (wanted->id() != state->id()) return wanted;
  switch (wanted->id()) {
    case types::TypeId::kStruct: {
      std::vector<types::StructField> fields = wanted->fields();
      for (types::StructField& field : fields) {
        int index = FieldIndex(*state, field.name);
        if (index < 0) continue;
        const types::StructField& there = state->fields()[static_cast<size_t>(index)];
        field.metadata_json = there.metadata_json;
        field.type = WithStateMetadata(field.type, there.type);
      }
      return types::Struct(std::move(fields));
    }
    case types::TypeId::kArray:
      return types::Array(WithStateMetadata(wanted->element(), state->element()), wanted->contains_null());
    case types::TypeId::kMap:
      return types::Map(WithStateMetadata(wanted->key(), state->key()),
                        WithStateMetadata(wanted->value(), state->value()), wanted->value_contains_null());
    default:
      return wanted;
  }
}

/// Parts of at most `share` bytes; the last one takes what the log's size may have missed.
std::vector<DataFile> Split(std::vector<DataFile> files, int64_t share) {
  std::vector<DataFile> parts;
  for (DataFile& file : files) {
    int64_t size = file.size_bytes;
    if (size <= share) {
      parts.push_back(std::move(file));
      continue;
    }
    for (int64_t start = 0; start < size; start += share) {
      DataFile part = file;
      bool last = start + share >= size;
      part.first_byte = start;
      part.end_byte = last ? std::numeric_limits<int64_t>::max() : start + share;
      part.size_bytes = last ? size - start : share;
      parts.push_back(std::move(part));
    }
  }
  return parts;
}

}  // namespace

const PinnedTable* PinnedTableOf(const SourceRequest& request) {
  return dynamic_cast<const PinnedTable*>(request.extension.get());
}

types::DataTypePtr RowPlaceType(const delta::Snapshot& snapshot) {
  std::vector<types::StructField> fields = {{"file_path", types::String(), false, ""},
                                            {"row_index", types::Long(), false, ""}};
  if (TracksRows(snapshot)) fields.push_back({std::string(kRowIdField), types::Long(), false, ""});
  return types::Struct(std::move(fields));
}

arrow::Result<std::shared_ptr<const DataReadPlan>> MakeDataReadPlan(const delta::Snapshot& snapshot,
                                                                    const types::DataType& output_schema,
                                                                    const ReadColumns& columns,
                                                                    const ConnectorContext& context,
                                                                    bool tells_places) {
  auto plan = std::make_shared<DataReadPlan>();
  plan->file_system = context.file_system;
  plan->table_path = snapshot.table_path();
  plan->time_zone = context.time_zone;
  ARROW_ASSIGN_OR_RAISE(delta::ColumnMappingMode mode, delta::ColumnMappingModeOf(snapshot.metadata()));
  if (mode == delta::ColumnMappingMode::kName) {
    plan->match = {format::ColumnMatch::By::kMetadataName, std::string(delta::kPhysicalNameKey)};
  } else if (mode == delta::ColumnMappingMode::kId) {
    plan->match = {format::ColumnMatch::By::kFieldId, std::string(delta::kColumnIdKey)};
  }
  const types::DataType& schema = *snapshot.schema();
  std::vector<types::StructField> partition_fields;
  for (int index : snapshot.partition_columns())
    partition_fields.push_back(schema.fields()[static_cast<size_t>(index)]);
  plan->partition_schema = types::Struct(std::move(partition_fields));

  std::vector<types::StructField> wanted;
  std::vector<types::StructField> output;
  for (int column : columns.indices) {
    if (static_cast<size_t>(column) >= output_schema.fields().size()) {
      plan->metadata = tells_places ? RowPlaceType(snapshot) : RowMetadataType(snapshot);
      plan->tells_places = tells_places;
      plan->columns.push_back(DataReadPlan::kIsMetadata);
      plan->padded_types.push_back(nullptr);
      output.push_back({std::string(file::kMetadataColumn), plan->metadata, false, ""});
      continue;
    }
    const types::StructField& field = output_schema.fields()[static_cast<size_t>(column)];
    output.push_back(field);
    plan->padded_types.push_back(PaddedType(field));
    int partition = FieldIndex(*plan->partition_schema, field.name);
    int index = FieldIndex(schema, field.name);
    if (field.type->id() == types::TypeId::kNull) {
      plan->columns.push_back(DataReadPlan::kIsVoid);
    } else if (partition >= 0) {
      plan->columns.push_back(-1 - partition);
    } else if (index >= 0) {
      const types::StructField& there = schema.fields()[static_cast<size_t>(index)];
      plan->columns.push_back(static_cast<int>(wanted.size()));
      wanted.push_back({field.name, WithStateMetadata(field.type, there.type), true, there.metadata_json});
    } else if (field.name == kChangeType) {
      plan->columns.push_back(DataReadPlan::kIsChangeType);
    } else if (field.name == kCommitVersion) {
      plan->columns.push_back(DataReadPlan::kIsCommitVersion);
    } else if (field.name == kCommitTimestamp) {
      plan->columns.push_back(DataReadPlan::kIsCommitTimestamp);
    } else {
      return InternalError("The Delta table " + snapshot.table_path() + " has no column " + field.name);
    }
  }
  if (plan->metadata != nullptr) {
    for (types::StructField& field : RowMetadataFields(snapshot)) {
      wanted.push_back(std::move(field));
      ++plan->num_metadata_fields;
    }
  }
  plan->wanted = types::Struct(std::move(wanted));
  plan->output = types::ToArrowSchema(*types::Struct(std::move(output)));
  plan->filter = UsableFilter(schema, columns.filter);
  plan->filter_schema = snapshot.schema();
  return plan;
}

format::PredicatePtr UsableFilter(const types::DataType& schema, const format::PredicatePtr& filter) {
  return format::RenameColumns(filter,
                               [&](const std::vector<std::string>& column) -> std::optional<std::vector<std::string>> {
                                 int index = FieldIndex(schema, column[0]);
                                 if (index < 0 || PaddedType(schema.fields()[static_cast<size_t>(index)]) != nullptr)
                                   return std::nullopt;
                                 return column;
                               });
}

std::vector<std::optional<std::string>> PartitionTexts(const delta::Snapshot& snapshot,
                                                       const delta::PartitionValues& values) {
  std::vector<std::optional<std::string>> texts;
  for (int index : snapshot.partition_columns()) {
    const auto* value = values.Find(delta::PhysicalName(snapshot.schema()->fields()[static_cast<size_t>(index)]));
    texts.push_back(value == nullptr ? std::nullopt : *value);
  }
  return texts;
}

std::optional<int64_t> NumLiveRows(const delta::FileRef& file) {
  std::optional<int64_t> num_records = delta::NumRecords(file);
  auto vector = file.columns->deletion_vector(file.row);
  if (num_records && vector) *num_records -= vector->cardinality;
  return num_records;
}

DataFile ToDataFile(const delta::Snapshot& snapshot, const delta::FileRef& file) {
  DataFile data;
  data.path = delta::DataFilePath(snapshot.table_path(), file.columns->path(file.row));
  data.size_bytes = file.columns->size_bytes(file.row);
  for (int index : snapshot.partition_columns()) {
    const types::StructField& field = snapshot.schema()->fields()[static_cast<size_t>(index)];
    auto value = file.columns->partition_value(file.row, delta::PhysicalName(field));
    data.partition_values.push_back(value ? std::optional<std::string>(*value) : std::nullopt);
  }
  data.deleted = file.columns->deletion_vector(file.row);
  data.file_bytes = data.size_bytes;
  data.modified_ms = file.columns->modification_time_ms(file.row);
  data.base_row_id = file.columns->base_row_id(file.row);
  data.default_row_commit_version = file.columns->default_row_commit_version(file.row);
  return data;
}

InputPartitions PackDataFiles(std::shared_ptr<const DataReadPlan> plan, std::vector<DataFile> files,
                              const ConnectorContext& context) {
  int64_t total = 0;
  for (const DataFile& file : files) total += file.size_bytes;
  FilePacking packing = MakeFilePacking(context, files.size(), total);
  files = Split(std::move(files), packing.split_bytes);
  InputPartitions partitions;
  for (auto& share : PackByBytes(std::move(files), packing, [](const DataFile& file) { return file.size_bytes; })) {
    partitions.push_back(std::make_shared<DataFilesPartition>(plan, std::move(share)));
  }
  return partitions;
}

}  // namespace millrace::connector::delta_table
