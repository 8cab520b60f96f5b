#include "session/parquet_files.h"

#include "base/ascii.h"
#include "base/error.h"
#include "connector/file/file_schema.h"
#include "connector/file/partition_path.h"
#include "delta/log/log_paths.h"
#include "format/file_format.h"

namespace millrace::session {

namespace {

std::string NameList(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + QuoteIdentifier(name);
  return "[" + list + "]";
}

// What the directories between the table and a file say of its columns.
arrow::Result<delta::PartitionValues> ValuesOf(const ParquetFiles& target, const std::string& file) {
  std::vector<std::string> names;
  std::vector<std::optional<std::string>> values;
  std::string_view rest = std::string_view(file).substr(target.path.size() + 1);
  for (size_t slash = 0; (slash = rest.find('/')) != std::string_view::npos; rest.remove_prefix(slash + 1)) {
    ARROW_ASSIGN_OR_RAISE(auto parsed, connector::file::ParsePartitionDirectory(rest.substr(0, slash)));
    if (!parsed) continue;
    names.push_back(parsed->first);
    bool null = parsed->second == connector::file::kDefaultPartition;
    values.push_back(null ? std::nullopt : std::optional(connector::file::UnescapePathName(parsed->second)));
  }
  const std::vector<types::StructField>& fields = target.partition_schema->fields();
  if (names.size() != fields.size()) {
    std::vector<std::string> expected;
    for (const types::StructField& field : fields) expected.push_back(field.name);
    return UserError("DELTA_UNEXPECTED_NUM_PARTITION_COLUMNS_FROM_FILE_NAME",
                     {{"expectedColsSize", std::to_string(fields.size())},
                      {"expectedCols", NameList(expected)},
                      {"parsedColsSize", std::to_string(names.size())},
                      {"parsedCols", NameList(names)},
                      {"path", "file:" + file}});
  }
  delta::PartitionValues found;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!EqualsIgnoreCase(fields[i].name, names[i])) {
      return UserError("DELTA_UNEXPECTED_PARTITION_COLUMN_FROM_FILE_NAME",
                       {{"expectedCol", QuoteIdentifier(fields[i].name)},
                        {"parsedCol", QuoteIdentifier(names[i])},
                        {"path", "file:" + file}});
    }
    found.Add(fields[i].name, std::move(values[i]));
  }
  return found;
}

}  // namespace

types::DataTypePtr ParquetFiles::schema() const {
  std::vector<types::StructField> fields = data_schema->fields();
  fields.insert(fields.end(), partition_schema->fields().begin(), partition_schema->fields().end());
  return types::Struct(std::move(fields));
}

arrow::Status FindParquetFiles(const connector::ConnectorContext& context, ParquetFiles* table) {
  connector::SourceRequest request;
  request.context = &context;
  request.paths = {table->path};
  request.options.Set("mergeSchema", "true");
  request.user_schema = nullptr;
  const format::FileFormat& parquet = *format::FindFileFormat("parquet");
  ARROW_ASSIGN_OR_RAISE(auto found, context.file_system->Stat(table->path));
  if (!found) return UserError("DELTA_PATH_DOES_NOT_EXIST", {{"path", "file:" + table->path}});
  request.schema = types::Struct({});
  ARROW_ASSIGN_OR_RAISE(connector::file::FileTable listed, connector::file::OpenFileTable(parquet, request));
  table->files = std::move(listed.files);
  if (table->files.empty()) return UserError("DELTA_EMPTY_DIRECTORY", {{"directory", table->path}});
  ARROW_ASSIGN_OR_RAISE(types::DataTypePtr schema, connector::file::ResolveFileSchema(parquet, request));
  std::vector<types::StructField> data;
  for (const types::StructField& field : schema->fields()) {
    bool of_directories = listed.partition_schema->FieldIndex(field.name, /*case_sensitive=*/false) >= 0;
    if (!of_directories) data.push_back(field);
  }
  table->data_schema = types::Struct(std::move(data));
  return arrow::Status::OK();
}

arrow::Result<delta::Add> FileOfTable(const ParquetFiles& table, const connector::file::ListedFile& file) {
  delta::Add add;
  add.path = delta::EncodeDataPath(file.path.substr(table.path.size() + 1));
  ARROW_ASSIGN_OR_RAISE(add.partition_values, ValuesOf(table, file.path));
  add.size_bytes = file.size_bytes;
  add.modification_time_ms = file.modified_ms;
  return add;
}

}  // namespace millrace::session
