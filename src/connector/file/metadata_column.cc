#include "connector/file/metadata_column.h"

#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/scalar.h>

#include "base/ascii.h"
#include "base/file_system.h"
#include "connector/file/file_listing.h"
#include "types/arrow_type.h"

namespace millrace::connector::file {

namespace {

/// "file:/a/b%20c": a URI as Hadoop's Path prints it, without an authority.
std::string PathText(const std::string& path) {
  constexpr std::string_view kWithAuthority = "file://";
  return "file:" + FileUri(path).substr(kWithAuthority.size());
}

arrow::Result<std::shared_ptr<arrow::Array>> RowIndexes(int64_t first_row, int64_t num_rows, arrow::MemoryPool* pool) {
  arrow::Int64Builder builder(pool);
  ARROW_RETURN_NOT_OK(builder.Reserve(num_rows));
  for (int64_t i = 0; i < num_rows; ++i) builder.UnsafeAppend(first_row + i);
  return builder.Finish();
}

}  // namespace

types::DataTypePtr MetadataColumnType(std::string_view format_name) {
  bool known = false;
  for (std::string_view name : {"parquet", "json", "csv", "text", "avro", "orc", "binaryFile"})
    known = known || EqualsIgnoreCase(name, format_name);
  if (!known) return nullptr;
  std::vector<types::StructField> fields = {
      {"file_path", types::String(), false, ""},       {"file_name", types::String(), false, ""},
      {"file_size", types::Long(), false, ""},         {"file_block_start", types::Long(), false, ""},
      {"file_block_length", types::Long(), false, ""}, {"file_modification_time", types::Timestamp(), false, ""}};
  if (EqualsIgnoreCase(format_name, "parquet")) fields.push_back({"row_index", types::Long(), true, ""});
  return types::Struct(std::move(fields));
}

types::DataTypePtr MetadataColumnType(const SourceDef& def) { return MetadataColumnType(def.name); }

arrow::Result<std::shared_ptr<arrow::Array>> MakeMetadataColumn(const types::DataType& type, const ListedFile& file,
                                                                const format::FileBlock& block, int64_t first_row,
                                                                int64_t num_rows, arrow::MemoryPool* pool) {
  std::string path = PathText(file.path);
  std::string name = path.substr(path.rfind('/') + 1);
  int64_t length = block.length < 0 ? file.size_bytes - block.start : block.length;
  std::shared_ptr<arrow::DataType> arrow_type = types::ToArrow(type);
  arrow::ScalarVector values = {
      std::make_shared<arrow::StringScalar>(path),
      std::make_shared<arrow::StringScalar>(name),
      std::make_shared<arrow::Int64Scalar>(file.size_bytes),
      std::make_shared<arrow::Int64Scalar>(block.start),
      std::make_shared<arrow::Int64Scalar>(length),
      std::make_shared<arrow::TimestampScalar>(file.modified_ms * 1000, arrow_type->field(5)->type())};
  arrow::ArrayVector columns;
  for (const auto& value : values) {
    ARROW_ASSIGN_OR_RAISE(auto column, arrow::MakeArrayFromScalar(*value, num_rows, pool));
    columns.push_back(std::move(column));
  }
  if (arrow_type->num_fields() > static_cast<int>(columns.size())) {
    ARROW_ASSIGN_OR_RAISE(auto indexes, RowIndexes(first_row, num_rows, pool));
    columns.push_back(std::move(indexes));
  }
  return std::make_shared<arrow::StructArray>(arrow_type, num_rows, std::move(columns));
}

}  // namespace millrace::connector::file
