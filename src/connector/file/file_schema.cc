#include "connector/file/file_schema.h"

#include <filesystem>

#include "base/ascii.h"
#include "base/error.h"
#include "connector/file/glob.h"
#include "connector/file/partition_path.h"
#include "connector/file/sink_log_entry.h"
#include "format/parquet/parquet_columns.h"

namespace millrace::connector::file {

namespace {

bool SameName(const std::string& a, const std::string& b, bool case_sensitive) {
  return case_sensitive ? a == b : EqualsIgnoreCase(a, b);
}

bool HasColumn(const types::DataType& schema, const std::string& name, bool case_sensitive) {
  for (const types::StructField& field : schema.fields()) {
    if (SameName(field.name, name, case_sensitive)) return true;
  }
  return false;
}

types::DataTypePtr Without(const types::DataType& schema, const types::DataType& removed, bool case_sensitive) {
  std::vector<types::StructField> kept;
  for (const types::StructField& field : schema.fields()) {
    if (!HasColumn(removed, field.name, case_sensitive)) kept.push_back(field);
  }
  return types::Struct(std::move(kept));
}

types::DataTypePtr Nullable(const types::DataType& schema) {
  std::vector<types::StructField> fields = schema.fields();
  for (types::StructField& field : fields) {
    field.nullable = true;
    field.type = types::AsNullable(field.type);
  }
  return types::Struct(std::move(fields));
}

types::DataTypePtr Concat(const types::DataType& a, const types::DataType& b) {
  std::vector<types::StructField> fields = a.fields();
  fields.insert(fields.end(), b.fields().begin(), b.fields().end());
  return types::Struct(std::move(fields));
}

arrow::Result<std::vector<std::string>> Roots(const SourceRequest& request, bool must_exist) {
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> paths, AbsolutePaths(request));
  std::vector<std::string> roots;
  for (const std::string& path : paths) {
    ARROW_ASSIGN_OR_RAISE(std::vector<std::string> found, ExpandGlob(*request.context->file_system, path));
    if (found.empty() && must_exist) return UserError("PATH_NOT_FOUND", {{"path", ShownPath(path)}});
    roots.insert(roots.end(), found.begin(), found.end());
  }
  // A sink's log is never data. Source: Spark, FileStreamSink.ancestorIsMetadataDirectory.
  std::erase_if(roots, IsBelowSinkLog);
  return roots;
}

struct Listed {
  ListingOptions options;
  std::vector<ListedFile> files;
  PartitionColumns partitions;
};

arrow::Result<Listed> List(const SourceRequest& request, bool must_exist) {
  Listed listed;
  ARROW_ASSIGN_OR_RAISE(listed.options, ListingOptions::Parse(request));
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> roots, Roots(request, must_exist));
  ARROW_ASSIGN_OR_RAISE(listed.files, ListFiles(*request.context, roots, listed.options, must_exist));
  ARROW_ASSIGN_OR_RAISE(listed.partitions, DiscoverPartitions(*request.context, roots, listed.files, listed.options,
                                                              request.user_schema.get()));
  KeepFilesInRoots(roots, listed.options, listed.partitions, &listed.files);
  return listed;
}

// "parquet" is shown as "Parquet", "json" as "JSON".
std::string ShownName(std::string_view name) {
  if (name == "parquet") return "Parquet";
  if (name == "text") return "Text";
  if (name == "avro") return "Avro";
  if (name == "orc") return "ORC";
  return name == "json" ? "JSON" : name == "csv" ? "CSV" : std::string(name);
}

// What the session says of files of a format where the options do not. Spark: ParquetOptions, OrcOptions, AvroOptions.
struct FormatSetting {
  std::string_view format;
  std::string_view option;
  // The name the format's own library has for the option.
  std::string_view other_option;
  std::string_view key;
};

constexpr FormatSetting kFormatSettings[] = {
    {"parquet", "compression", "parquet.compression", "spark.sql.parquet.compression.codec"},
    {"parquet", "mergeSchema", "", "spark.sql.parquet.mergeSchema"},
    {"parquet", format::kParquetTimestampType, "", "spark.sql.parquet.outputTimestampType"},
    {"orc", "compression", "orc.compress", "spark.sql.orc.compression.codec"},
    {"avro", "compression", "", "spark.sql.avro.compression.codec"},
};

}  // namespace

format::OptionMap FormatOptions(const format::FileFormat& format, const Options& options,
                                const ConnectorContext& context) {
  format::OptionMap map;
  for (const auto& [key, entry] : options.entries()) map[entry.key] = entry.value;
  if (!context.conf) return map;
  for (const FormatSetting& setting : kFormatSettings) {
    if (setting.format != format.name || options.Get(setting.option)) continue;
    std::optional<std::string> value;
    if (!setting.other_option.empty()) value = options.Get(setting.other_option);
    if (!value) value = context.conf(setting.key);
    if (value) map.insert_or_assign(std::string(setting.option), *value);
  }
  return map;
}

format::SessionFormat ToSessionFormat(const ConnectorContext& context) {
  format::SessionFormat session;
  session.time_zone = context.time_zone;
  if (auto column = context.conf("spark.sql.columnNameOfCorruptRecord")) session.corrupt_record_column = *column;
  if (auto ignore = context.conf("spark.sql.jsonGenerator.ignoreNullFields")) {
    session.json_ignore_null_fields = *ignore != "false";
  }
  if (auto partial = context.conf("spark.sql.json.enablePartialResults")) {
    session.json_partial_results = *partial != "false";
  }
  return session;
}

arrow::Status CheckTypes(const format::FileFormat& format, const types::DataType& schema) {
  for (const types::StructField& field : schema.fields()) {
    if (format.supports(*field.type)) continue;
    return UserError("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", {{"columnName", QuoteIdentifier(field.name)},
                                                              {"columnType", QuoteSqlType(field.type->Sql())},
                                                              {"format", ShownName(format.name)}});
  }
  return arrow::Status::OK();
}

arrow::Result<types::DataTypePtr> ResolveFileSchema(const format::FileFormat& format, const SourceRequest& request) {
  const ConnectorContext& context = *request.context;
  if (request.streaming && request.paths.empty()) return UserError("_LEGACY_ERROR_TEMP_2047");
  bool may_infer = !request.streaming || format.name == "text" ||
                   context.conf("spark.sql.streaming.schemaInference").value_or("false") == "true";
  // A glob pattern may make sense only when whoever fills the directories has begun.
  if (request.streaming && !IsGlob(request.paths[0])) {
    ARROW_ASSIGN_OR_RAISE(auto info, context.file_system->Stat(AbsolutePath(LocalPath(request.paths[0]))));
    if (!info) return UserError("PATH_NOT_FOUND", {{"path", request.paths[0]}});
  }
  if (request.user_schema == nullptr && !may_infer) return UserError("_LEGACY_ERROR_TEMP_2048");
  bool must_exist = !request.streaming || (request.user_schema == nullptr && format.name != "text");
  ARROW_ASSIGN_OR_RAISE(Listed listed, List(request, must_exist && !request.of_table));
  types::DataTypePtr data;
  bool keeps_nullability = false;
  if (request.user_schema != nullptr) {
    data = Without(*request.user_schema, *listed.partitions.schema, context.case_sensitive);
  } else if (format.name == "text") {
    data = types::Struct({{"value", types::String(), true, ""}});
  } else {
    if (listed.files.empty()) return UserError("UNABLE_TO_INFER_SCHEMA", {{"format", ShownName(format.name)}});
    std::vector<std::string> paths;
    for (const ListedFile& file : listed.files) paths.push_back(file.path);
    ARROW_ASSIGN_OR_RAISE(
        data, format.infer_schema(paths, FormatOptions(format, request.options, context), ToSessionFormat(context)));
    // Only what a stream wrote is known to hold no NULL where its schema says so.
    if (!request.streaming && request.paths.size() == 1) {
      std::string root = AbsolutePath(LocalPath(request.paths[0]));
      ARROW_ASSIGN_OR_RAISE(keeps_nullability, HasSinkLog(*context.file_system, root));
    }
    // A column the files hold too is read from the directory.
    data = Without(*data, *listed.partitions.schema, context.case_sensitive);
  }
  if (format.name == "text" && data->fields().size() > 1) {
    return UserError("_LEGACY_ERROR_TEMP_1290", {{"schemaSize", std::to_string(data->fields().size())}});
  }
  ARROW_RETURN_NOT_OK(CheckTypes(format, *data));
  if (request.streaming && request.user_schema != nullptr) {
    keeps_nullability = context.conf("spark.sql.streaming.fileSource.schema.forceNullable").value_or("true") == "false";
  }
  return Concat(keeps_nullability ? *data : *Nullable(*data), *listed.partitions.schema);
}

arrow::Result<FileTable> OpenFileTable(const format::FileFormat& format, const SourceRequest& request) {
  FileTable table;
  table.format = &format;
  ARROW_ASSIGN_OR_RAISE(Listed listed, List(request, /*must_exist=*/!request.of_table));
  ARROW_ASSIGN_OR_RAISE(table.paths, AbsolutePaths(request));
  table.listing = std::move(listed.options);
  table.files = std::move(listed.files);
  table.partitions = std::move(listed.partitions);
  table.partition_schema = table.partitions.schema;
  table.schema = request.schema;
  table.data_schema = Without(*request.schema, *table.partition_schema, request.context->case_sensitive);
  return table;
}

arrow::Result<FileTable> OpenFileStreamTable(const format::FileFormat& format, const SourceRequest& request) {
  FileTable table;
  table.format = &format;
  ARROW_ASSIGN_OR_RAISE(table.listing, ListingOptions::Parse(request));
  ARROW_ASSIGN_OR_RAISE(table.paths, AbsolutePaths(request));
  if (table.paths.size() != 1) return UserError("_LEGACY_ERROR_TEMP_2047");
  table.schema = request.schema;
  // Columns of directories are what the schema had them for when the stream was defined; they stand last.
  ARROW_ASSIGN_OR_RAISE(Listed listed, List(request, /*must_exist=*/false));
  table.partition_schema = listed.partitions.schema;
  std::vector<types::StructField> partition_fields;
  for (const types::StructField& field : table.schema->fields()) {
    if (HasColumn(*listed.partitions.schema, field.name, request.context->case_sensitive)) {
      partition_fields.push_back(field);
    }
  }
  table.partition_schema = types::Struct(std::move(partition_fields));
  table.data_schema = Without(*table.schema, *table.partition_schema, request.context->case_sensitive);
  return table;
}

FileTable WithColumnsOfDirectories(const FileTable& table, const std::vector<std::string>& files, bool case_sensitive) {
  // Below a pattern each file stands for itself.
  if (!table.partition_schema->fields().empty() || IsGlob(table.paths[0])) return table;
  std::vector<types::StructField> found;
  for (const std::string& file : files) {
    if (!file.starts_with(table.paths[0])) continue;
    std::filesystem::path below(file.substr(table.paths[0].size()));
    for (const auto& directory : below.parent_path()) {
      auto column = ParsePartitionDirectory(directory.string());
      if (column.ok() && *column) found.push_back({(*column)->first, types::String(), true, {}});
    }
  }
  if (found.empty()) return table;
  const types::DataTypePtr names = types::Struct(std::move(found));
  std::vector<types::StructField> fields;
  for (const types::StructField& field : table.schema->fields()) {
    if (HasColumn(*names, field.name, case_sensitive)) fields.push_back(field);
  }
  FileTable changed = table;
  changed.partition_schema = types::Struct(std::move(fields));
  changed.data_schema = Without(*table.schema, *changed.partition_schema, case_sensitive);
  return changed;
}

}  // namespace millrace::connector::file
