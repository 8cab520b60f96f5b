#include "catalog/catalog_files.h"

#include <fmt/format.h>

#include <cctype>

#include "base/error.h"
#include "base/ids.h"
#include "base/json_value.h"

namespace millrace::catalog {

namespace {

constexpr const char* kDatabaseFile = "_database";
constexpr const char* kFunctionsFile = "_functions";
constexpr std::string_view kSuffix = ".json";

JsonValue ToJson(const std::map<std::string, std::string>& map) {
  JsonValue object = JsonValue::Object();
  for (const auto& [key, value] : map) object.Set(key, JsonValue::String(value));
  return object;
}

JsonValue ToJson(const std::optional<std::string>& text) { return text ? JsonValue::String(*text) : JsonValue(); }

JsonValue ToJson(const std::optional<bool>& flag) { return flag ? JsonValue::Bool(*flag) : JsonValue(); }

JsonValue ToJson(const types::DataTypePtr& type) {
  return type == nullptr ? JsonValue() : JsonValue::String(type->ToJson());
}

JsonValue ToJson(const std::vector<std::string>& texts) {
  JsonValue array = JsonValue::Array();
  for (const std::string& text : texts) array.elements().push_back(JsonValue::String(text));
  return array;
}

std::string TextOf(const JsonValue& object, std::string_view name) {
  const JsonValue* value = object.Find(name);
  return value == nullptr ? std::string() : value->AsString();
}

std::optional<std::string> OptionalText(const JsonValue& object, std::string_view name) {
  const JsonValue* value = object.Find(name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return value->AsString();
}

bool FlagOf(const JsonValue& object, std::string_view name) {
  const JsonValue* value = object.Find(name);
  return value != nullptr && value->AsBool();
}

std::optional<bool> OptionalFlag(const JsonValue& object, std::string_view name) {
  const JsonValue* value = object.Find(name);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return value->AsBool();
}

std::map<std::string, std::string> MapOf(const JsonValue& object, std::string_view name) {
  std::map<std::string, std::string> map;
  if (const JsonValue* value = object.Find(name)) {
    for (const auto& [key, text] : value->members()) map[key] = text.AsString();
  }
  return map;
}

std::vector<std::string> TextsOf(const JsonValue& object, std::string_view name) {
  std::vector<std::string> texts;
  if (const JsonValue* array = object.Find(name)) {
    for (const JsonValue& text : array->elements()) texts.push_back(text.AsString());
  }
  return texts;
}

arrow::Result<types::DataTypePtr> TypeOf(const JsonValue& object, std::string_view name) {
  std::optional<std::string> text = OptionalText(object, name);
  if (!text) return types::DataTypePtr();
  return types::ParseTypeJson(*text);
}

JsonValue ToJson(const Table& table) {
  JsonValue object = JsonValue::Object();
  object.Set("name", JsonValue::String(table.name));
  object.Set("kind", JsonValue::String(table.kind == TableKind::kView       ? "view"
                                       : table.kind == TableKind::kExternal ? "external"
                                                                            : "managed"));
  object.Set("provider", JsonValue::String(table.provider));
  object.Set("schema", ToJson(table.schema));
  object.Set("partitionColumns", ToJson(table.partition_columns));
  if (table.buckets) {
    JsonValue buckets = JsonValue::Object();
    buckets.Set("number", JsonValue::Number(int64_t{table.buckets->num_buckets}));
    buckets.Set("columns", ToJson(table.buckets->columns));
    buckets.Set("sortColumns", ToJson(table.buckets->sort_columns));
    object.Set("buckets", std::move(buckets));
  }
  object.Set("options", ToJson(table.options));
  object.Set("properties", ToJson(table.properties));
  object.Set("comment", ToJson(table.comment));
  object.Set("location", JsonValue::String(table.location));
  object.Set("viewText", JsonValue::String(table.view_text));
  object.Set("viewDatabase", JsonValue::String(table.view_database));
  if (table.kind == TableKind::kView) {
    object.Set("viewColumns", ToJson(table.view_columns));
    object.Set("viewSchemaMode", JsonValue::String(table.view_schema_mode));
  }
  object.Set("createdMs", JsonValue::Number(table.created_ms));
  return object;
}

arrow::Result<Table> TableOf(const JsonValue& object, const std::string& database) {
  Table table;
  table.database = database;
  table.name = TextOf(object, "name");
  std::string kind = TextOf(object, "kind");
  table.kind = kind == "view" ? TableKind::kView : kind == "external" ? TableKind::kExternal : TableKind::kManaged;
  table.provider = TextOf(object, "provider");
  ARROW_ASSIGN_OR_RAISE(table.schema, TypeOf(object, "schema"));
  table.partition_columns = TextsOf(object, "partitionColumns");
  if (const JsonValue* buckets = object.Find("buckets")) {
    const JsonValue* number = buckets->Find("number");
    table.buckets = sql::BucketSpec{number == nullptr ? 0 : static_cast<int>(number->AsInt64()),
                                    TextsOf(*buckets, "columns"), TextsOf(*buckets, "sortColumns")};
  }
  table.options = MapOf(object, "options");
  table.properties = MapOf(object, "properties");
  table.comment = OptionalText(object, "comment");
  table.location = TextOf(object, "location");
  table.view_text = TextOf(object, "viewText");
  table.view_database = TextOf(object, "viewDatabase");
  if (table.kind == TableKind::kView) {
    if (object.Find("viewColumns") != nullptr) table.view_columns = TextsOf(object, "viewColumns");
    table.view_schema_mode = TextOf(object, "viewSchemaMode");
    // Of a catalog that knew no modes.
    if (table.view_schema_mode.empty()) table.view_schema_mode = "COMPENSATION";
  }
  if (const JsonValue* created = object.Find("createdMs")) table.created_ms = created->AsInt64();
  return table;
}

JsonValue ToJson(const SqlFunction& function) {
  JsonValue object = JsonValue::Object();
  object.Set("name", JsonValue::String(function.name));
  JsonValue parameters = JsonValue::Array();
  for (const SqlFunction::Parameter& parameter : function.parameters) {
    JsonValue one = JsonValue::Object();
    one.Set("name", JsonValue::String(parameter.name));
    one.Set("type", ToJson(parameter.type));
    one.Set("default", ToJson(parameter.default_text));
    one.Set("comment", JsonValue::String(parameter.comment));
    parameters.elements().push_back(std::move(one));
  }
  object.Set("parameters", std::move(parameters));
  object.Set("isTable", JsonValue::Bool(function.is_table));
  object.Set("returns", ToJson(function.returns));
  object.Set("body", JsonValue::String(function.body));
  object.Set("bodyIsQuery", JsonValue::Bool(function.body_is_query));
  object.Set("comment", ToJson(function.comment));
  object.Set("deterministic", ToJson(function.deterministic));
  object.Set("readsData", ToJson(function.reads_data));
  object.Set("ansi", JsonValue::Bool(function.ansi));
  object.Set("lookupDatabase", JsonValue::String(function.lookup_database));
  return object;
}

arrow::Result<SqlFunction> FunctionOf(const JsonValue& object, const std::string& database) {
  SqlFunction function;
  function.database = database;
  function.name = TextOf(object, "name");
  if (const JsonValue* parameters = object.Find("parameters")) {
    for (const JsonValue& one : parameters->elements()) {
      ARROW_ASSIGN_OR_RAISE(types::DataTypePtr type, TypeOf(one, "type"));
      function.parameters.push_back(
          {TextOf(one, "name"), std::move(type), OptionalText(one, "default"), TextOf(one, "comment")});
    }
  }
  function.is_table = FlagOf(object, "isTable");
  ARROW_ASSIGN_OR_RAISE(function.returns, TypeOf(object, "returns"));
  function.body = TextOf(object, "body");
  function.body_is_query = FlagOf(object, "bodyIsQuery");
  function.comment = OptionalText(object, "comment");
  function.deterministic = OptionalFlag(object, "deterministic");
  function.reads_data = OptionalFlag(object, "readsData");
  function.ansi = FlagOf(object, "ansi");
  function.lookup_database = TextOf(object, "lookupDatabase");
  return function;
}

// Names may hold any character; a leading underscore is ours.
std::string FileNameOf(const std::string& name) {
  std::string file;
  for (char c : name) {
    bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || (c == '_' && !file.empty());
    file += plain ? std::string(1, c) : fmt::format("%{:02x}", static_cast<unsigned char>(c));
  }
  return file;
}

arrow::Status AddTo(const std::string& file, const JsonValue& json, const Database& database,
                    CatalogFiles::Contents* contents) {
  if (file == kFunctionsFile) {
    for (const JsonValue& one : json.elements()) {
      ARROW_ASSIGN_OR_RAISE(SqlFunction function, FunctionOf(one, database.name));
      contents->functions.push_back(std::move(function));
    }
    return arrow::Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(Table table, TableOf(json, database.name));
  contents->tables.push_back(std::move(table));
  return arrow::Status::OK();
}

}  // namespace

std::string CatalogFiles::PathOf(const std::string& database, const std::string& name) const {
  return JoinPath(JoinPath(directory_, FileNameOf(database)), name + std::string(kSuffix));
}

arrow::Result<CatalogFiles::Contents> CatalogFiles::Load() const {
  Contents contents;
  ARROW_ASSIGN_OR_RAISE(auto exists, file_system_->Stat(directory_));
  if (!exists) return contents;
  ARROW_ASSIGN_OR_RAISE(std::vector<FileInfo> folders, file_system_->List(directory_));
  for (const FileInfo& folder : folders) {
    if (!folder.is_directory) continue;
    std::string path = JoinPath(directory_, folder.name);
    auto read = [&](const std::string& file) -> arrow::Result<JsonValue> {
      ARROW_ASSIGN_OR_RAISE(std::string text, file_system_->ReadFile(JoinPath(path, file)));
      arrow::Result<JsonValue> json = ParseJson(text);
      if (!json.ok()) return arrow::Status::IOError(JoinPath(path, file), ": ", json.status().message());
      return json;
    };
    ARROW_ASSIGN_OR_RAISE(std::vector<std::string> files, file_system_->ListNames(path));
    std::string head = kDatabaseFile + std::string(kSuffix);
    // Its removal was cut short.
    if (std::find(files.begin(), files.end(), head) == files.end()) continue;
    ARROW_ASSIGN_OR_RAISE(JsonValue json, read(head));
    Database database{TextOf(json, "name"), TextOf(json, "comment"), TextOf(json, "location"),
                      MapOf(json, "properties")};
    for (const std::string& file : files) {
      if (file == head || !file.ends_with(kSuffix)) continue;
      ARROW_ASSIGN_OR_RAISE(JsonValue one, read(file));
      arrow::Status added = AddTo(file.substr(0, file.size() - kSuffix.size()), one, database, &contents);
      if (!added.ok()) return arrow::Status::IOError(JoinPath(path, file), ": ", added.message());
    }
    contents.databases.push_back(std::move(database));
  }
  return contents;
}

arrow::Status CatalogFiles::Replace(const std::string& database, const std::string& path, const std::string& text) {
  std::string folder = JoinPath(directory_, FileNameOf(database));
  ARROW_RETURN_NOT_OK(file_system_->CreateDirectories(folder));
  std::string temporary = path + "." + RandomUuid() + ".tmp";
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<OutputFile> file, file_system_->OpenForWrite(temporary));
  ARROW_RETURN_NOT_OK(file->Append(text));
  ARROW_RETURN_NOT_OK(file->Sync());
  ARROW_RETURN_NOT_OK(file->Close());
  ARROW_RETURN_NOT_OK(file_system_->Rename(temporary, path));
  return file_system_->SyncDirectory(folder);
}

arrow::Status CatalogFiles::Save(const Database& database) {
  JsonValue object = JsonValue::Object();
  object.Set("name", JsonValue::String(database.name));
  object.Set("comment", JsonValue::String(database.comment));
  object.Set("location", JsonValue::String(database.location));
  object.Set("properties", ToJson(database.properties));
  return Replace(database.name, PathOf(database.name, kDatabaseFile), object.ToString());
}

arrow::Status CatalogFiles::Save(const Table& table) {
  return Replace(table.database, PathOf(table.database, FileNameOf(table.name)), ToJson(table).ToString());
}

arrow::Status CatalogFiles::SaveFunctions(const std::string& database, const std::vector<SqlFunctionPtr>& functions) {
  JsonValue array = JsonValue::Array();
  for (const SqlFunctionPtr& function : functions) array.elements().push_back(ToJson(*function));
  return Replace(database, PathOf(database, kFunctionsFile), array.ToString());
}

arrow::Status CatalogFiles::RemoveDatabase(const std::string& name) {
  ARROW_RETURN_NOT_OK(file_system_->Remove(PathOf(name, kDatabaseFile)));
  return file_system_->RemoveTree(JoinPath(directory_, FileNameOf(name)));
}

arrow::Status CatalogFiles::RemoveTable(const std::string& database, const std::string& name) {
  ARROW_RETURN_NOT_OK(file_system_->Remove(PathOf(database, FileNameOf(name))));
  return file_system_->SyncDirectory(JoinPath(directory_, FileNameOf(database)));
}

}  // namespace millrace::catalog
