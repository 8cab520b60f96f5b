#include "types/column_metadata.h"

#include "base/json_value.h"

namespace millrace::types {

std::string ColumnCommentJson(std::string_view comment) {
  std::string json = R"({"comment":)";
  AppendJsonString(comment, &json);
  return json + "}";
}

std::string ColumnMetadata(const std::optional<std::string>& comment, const std::optional<std::string>& default_text) {
  if (!comment && !default_text) return "";
  std::string json = "{";
  auto add = [&](std::string_view key, const std::string& value) {
    json += (json.size() > 1 ? ",\"" : "\"") + std::string(key) + "\":";
    AppendJsonString(value, &json);
  };
  if (comment) add("comment", *comment);
  if (default_text) {
    add("CURRENT_DEFAULT", *default_text);
    add("EXISTS_DEFAULT", *default_text);
  }
  return json + "}";
}

std::optional<std::string> MetadataText(const StructField& field, std::string_view key) {
  if (field.metadata_json.empty()) return std::nullopt;
  auto metadata = ParseJson(field.metadata_json);
  const JsonValue* value = metadata.ok() ? metadata->Find(key) : nullptr;
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return value->AsString();
}

std::optional<std::string> CommentOf(const StructField& field) { return MetadataText(field, "comment"); }

std::optional<std::string> DefaultOf(const StructField& field) { return MetadataText(field, "CURRENT_DEFAULT"); }

}  // namespace millrace::types
