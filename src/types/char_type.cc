#include "types/char_type.h"

#include <algorithm>
#include <cstdlib>

#include "base/json_value.h"

namespace millrace::types {

namespace {

constexpr std::string_view kMetadataKey = "__CHAR_VARCHAR_TYPE_STRING";

std::string Text(const CharType& type) {
  return (type.padded ? "char(" : "varchar(") + std::to_string(type.length) + ")";
}

// What the metadata says the column was declared as.
std::optional<std::string> DeclaredText(const std::string& metadata_json) {
  if (metadata_json.find(kMetadataKey) == std::string::npos) return std::nullopt;
  auto metadata = ParseJson(metadata_json);
  const JsonValue* value = metadata.ok() ? metadata->Find(kMetadataKey) : nullptr;
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return value->AsString();
}

void SetText(const std::optional<std::string>& text, StructField* field) {
  std::string json = "{";
  auto add = [&](std::string_view key, std::string_view value) {
    if (json.size() > 1) json += ',';
    AppendJsonString(key, &json);
    json += ':';
    json += value;
  };
  if (!field->metadata_json.empty()) {
    auto metadata = ParseJson(field->metadata_json);
    if (metadata.ok() && metadata->is_object()) {
      for (const auto& [key, value] : metadata->members()) {
        if (key != kMetadataKey) add(key, value.ToString());
      }
    }
  }
  if (text) {
    std::string quoted;
    AppendJsonString(*text, &quoted);
    add(kMetadataKey, quoted);
  }
  field->metadata_json = json.size() > 1 ? json + "}" : "";
}

}  // namespace

std::optional<CharType> CharTypeOf(const DataType& type, const std::string& metadata_json) {
  if (type.id() != TypeId::kString) return std::nullopt;
  std::optional<std::string> text = DeclaredText(metadata_json);
  if (!text) return std::nullopt;
  for (bool padded : {true, false}) {
    std::string_view start = padded ? "char(" : "varchar(";
    if (text->starts_with(start)) return CharType{padded, std::atoi(text->c_str() + start.size())};
  }
  return std::nullopt;
}

std::optional<CharType> CharTypeOf(const StructField& field) { return CharTypeOf(*field.type, field.metadata_json); }

void SetCharType(const std::optional<CharType>& type, StructField* field) {
  SetText(type ? std::optional(Text(*type)) : std::nullopt, field);
}

void SetDeclaredType(std::string_view text, StructField* field) { SetText(std::string(text), field); }

DataTypePtr DeclaredTypeOf(const StructField& field) {
  std::optional<std::string> text = DeclaredText(field.metadata_json);
  if (!text) return nullptr;
  arrow::Result<DataTypePtr> declared = ParseDeclaredDdl(*text);
  return declared.ok() && (*declared)->id() == field.type->id() ? *declared : nullptr;
}

std::string DeclaredTypeText(const StructField& field) {
  std::optional<CharType> type = CharTypeOf(field);
  return type ? Text(*type) : field.type->SimpleString();
}

int64_t CharacterCount(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; });
}

}  // namespace millrace::types
