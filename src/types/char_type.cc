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

}  // namespace

std::optional<CharType> CharTypeOf(const DataType& type, const std::string& metadata_json) {
  if (type.id() != TypeId::kString || metadata_json.find(kMetadataKey) == std::string::npos) return std::nullopt;
  auto metadata = ParseJson(metadata_json);
  const JsonValue* value = metadata.ok() ? metadata->Find(kMetadataKey) : nullptr;
  if (value == nullptr || !value->is_string()) return std::nullopt;
  const std::string text = value->AsString();
  for (bool padded : {true, false}) {
    std::string_view start = padded ? "char(" : "varchar(";
    if (text.starts_with(start)) return CharType{padded, std::atoi(text.c_str() + start.size())};
  }
  return std::nullopt;
}

std::optional<CharType> CharTypeOf(const StructField& field) { return CharTypeOf(*field.type, field.metadata_json); }

void SetCharType(const std::optional<CharType>& type, StructField* field) {
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
  if (type) {
    std::string quoted;
    AppendJsonString(Text(*type), &quoted);
    add(kMetadataKey, quoted);
  }
  field->metadata_json = json.size() > 1 ? json + "}" : "";
}

std::string DeclaredTypeText(const StructField& field) {
  std::optional<CharType> type = CharTypeOf(field);
  return type ? Text(*type) : field.type->SimpleString();
}

int64_t CharacterCount(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; });
}

}  // namespace millrace::types
