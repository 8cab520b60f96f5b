#include "connector/delta/source_offset.h"

#include <charconv>

#include "base/error.h"
#include "base/json_value.h"

namespace millrace::connector::delta_table {

namespace {

constexpr int64_t kMaxSourceVersion = 3;
constexpr int64_t kBaseIndexInJson = -1;

}  // namespace

std::string DeltaOffset::ToJson() const {
  JsonValue json = JsonValue::Object();
  json.Set("sourceVersion", JsonValue::Number(is_metadata_change() ? kMaxSourceVersion : int64_t{1}));
  json.Set("reservoirId", JsonValue::String(table_id));
  json.Set("reservoirVersion", JsonValue::Number(version));
  json.Set("index", JsonValue::Number(index == kBaseIndex ? kBaseIndexInJson : index));
  json.Set("isStartingVersion", JsonValue::Bool(is_initial_snapshot));
  return json.ToString();
}

arrow::Result<DeltaOffset> DeltaOffset::Parse(const SourceOffset& offset, const std::string& table_id) {
  auto json = ParseJson(offset.json);
  if (!json.ok() || !json->is_object()) return UserError("DELTA_INVALID_SOURCE_OFFSET_FORMAT");
  const JsonValue* source_version = json->Find("sourceVersion");
  const JsonValue* id = json->Find("reservoirId");
  const JsonValue* version = json->Find("reservoirVersion");
  const JsonValue* index = json->Find("index");
  const JsonValue* starting = json->Find("isStartingVersion");
  if (source_version == nullptr) return UserError("DELTA_CANNOT_FIND_VERSION", {{"json", offset.json}});
  if (id == nullptr || version == nullptr || !version->is_number() || index == nullptr || !index->is_number()) {
    return UserError("DELTA_INVALID_SOURCE_OFFSET_FORMAT");
  }
  int64_t format = source_version->AsInt64();
  if (format < 1 || format == 2 || format > kMaxSourceVersion) {
    return UserError("DELTA_INVALID_SOURCE_VERSION", {{"version", std::to_string(format)}});
  }
  DeltaOffset parsed;
  parsed.table_id = id->AsString();
  parsed.version = version->AsInt64();
  parsed.index = index->AsInt64();
  parsed.is_initial_snapshot = starting != nullptr && starting->AsBool();
  if (parsed.index == kBaseIndexInJson && format < kMaxSourceVersion) parsed.index = kBaseIndex;
  if (parsed.table_id != table_id) {
    return UserError("DIFFERENT_DELTA_TABLE_READ_BY_STREAMING_SOURCE",
                     {{"newTableId", table_id}, {"oldTableId", parsed.table_id}});
  }
  return parsed;
}

arrow::Result<int64_t> ParsePositiveOption(std::string_view name, const std::string& text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value <= 0) {
    return UserError("DELTA_ILLEGAL_OPTION",
                     {{"input", text}, {"name", std::string(name)}, {"explain", "must be a positive integer"}});
  }
  return value;
}

}  // namespace millrace::connector::delta_table
