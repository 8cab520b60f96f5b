#include "connector/delta/row_metadata.h"

#include <arrow/array/util.h>
#include <arrow/builder.h>

#include "base/json_value.h"
#include "connector/delta/data_file_scan.h"
#include "connector/file/file_listing.h"
#include "connector/file/metadata_column.h"
#include "delta/feature/table_feature.h"
#include "delta/transaction/table_metadata.h"
#include "types/arrow_type.h"

namespace millrace::connector::delta_table {

namespace delta = millrace::delta;

namespace {

int64_t ValueOr(const std::shared_ptr<arrow::Array>& column, int64_t row, int64_t fallback) {
  if (column == nullptr || column->IsNull(row)) return fallback;
  return static_cast<const arrow::Int64Array&>(*column).Value(row);
}

}  // namespace

bool TracksRows(const delta::Snapshot& snapshot) {
  return delta::Supports(snapshot.protocol(), "rowTracking") &&
         delta::BooleanProperty(snapshot.metadata(), "delta.enableRowTracking", false);
}

types::DataTypePtr RowMetadataType(const delta::Snapshot& snapshot) {
  // As a file source's, but for the row's number, which Delta shows only with its id.
  std::vector<types::StructField> fields = file::MetadataColumnType("json")->fields();
  if (!TracksRows(snapshot)) return types::Struct(std::move(fields));
  for (const char* name : {"row_index", "row_id", "base_row_id", "default_row_commit_version", "row_commit_version"}) {
    fields.push_back({name, types::Long(), true, ""});
  }
  return types::Struct(std::move(fields));
}

std::vector<types::StructField> RowMetadataFields(const delta::Snapshot& snapshot) {
  std::vector<types::StructField> fields;
  if (!TracksRows(snapshot)) return fields;
  for (const char* property :
       {"delta.rowTracking.materializedRowIdColumnName", "delta.rowTracking.materializedRowCommitVersionColumnName"}) {
    std::string name = snapshot.metadata().Property(property).value_or(property);
    std::string metadata = "{\"delta.columnMapping.physicalName\":";
    AppendJsonString(name, &metadata);
    fields.push_back({name, types::Long(), true, metadata + "}"});
  }
  return fields;
}

arrow::Result<std::shared_ptr<arrow::Array>> MakeRowIds(const RowMetadataInput& input, arrow::MemoryPool* pool) {
  arrow::Int64Builder ids(pool);
  ARROW_RETURN_NOT_OK(ids.Reserve(input.num_rows));
  const auto& indexes = static_cast<const arrow::Int64Array&>(*input.indexes);
  int64_t base = input.file->base_row_id.value_or(0);
  for (int64_t i = 0; i < input.num_rows; ++i) ids.UnsafeAppend(ValueOr(input.ids, i, base + indexes.Value(i)));
  return ids.Finish();
}

arrow::Result<std::shared_ptr<arrow::Array>> MakeRowMetadata(const types::DataType& type, const RowMetadataInput& input,
                                                             arrow::MemoryPool* pool) {
  const DataFile& file = *input.file;
  file::ListedFile listed;
  listed.path = file.path;
  listed.size_bytes = file.file_bytes;
  listed.modified_ms = file.modified_ms;
  format::FileBlock block;
  block.start = file.first_byte;
  block.length = file.size_bytes;
  types::DataTypePtr of_file = file::MetadataColumnType("json");
  ARROW_ASSIGN_OR_RAISE(auto known, file::MakeMetadataColumn(*of_file, listed, block, 0, input.num_rows, pool));
  if (input.indexes == nullptr) return known;
  arrow::ArrayVector columns = static_cast<const arrow::StructArray&>(*known).fields();
  arrow::Int64Builder versions(pool);
  ARROW_RETURN_NOT_OK(versions.Reserve(input.num_rows));
  for (int64_t i = 0; i < input.num_rows; ++i) {
    versions.UnsafeAppend(ValueOr(input.versions, i, file.default_row_commit_version.value_or(0)));
  }
  auto constant = [&](const std::optional<int64_t>& value) {
    return value ? arrow::MakeArrayFromScalar(arrow::Int64Scalar(*value), input.num_rows, pool)
                 : arrow::MakeArrayOfNull(arrow::int64(), input.num_rows, pool);
  };
  columns.push_back(input.indexes);
  columns.emplace_back();
  ARROW_ASSIGN_OR_RAISE(columns.back(), MakeRowIds(input, pool));
  columns.emplace_back();
  ARROW_ASSIGN_OR_RAISE(columns.back(), constant(file.base_row_id));
  columns.emplace_back();
  ARROW_ASSIGN_OR_RAISE(columns.back(), constant(file.default_row_commit_version));
  columns.emplace_back();
  ARROW_ASSIGN_OR_RAISE(columns.back(), versions.Finish());
  return std::make_shared<arrow::StructArray>(types::ToArrow(type), input.num_rows, std::move(columns));
}

}  // namespace millrace::connector::delta_table
