#include <cstdio>

#include "base/error.h"
#include "base/json_value.h"
#include "types/collation.h"
#include "types/data_type.h"

namespace millrace::types {

namespace {

arrow::Status Malformed(std::string_view what) { return arrow::Status::Invalid("Malformed schema JSON: ", what); }

arrow::Result<DataTypePtr> FromJson(const JsonValue& json, int depth);

arrow::Result<DataTypePtr> FromName(const std::string& name) {
  int precision = 0;
  int scale = 0;
  bool is_decimal = std::sscanf(name.c_str(), "decimal(%d,%d)", &precision, &scale) == 2;
  if (is_decimal && precision > 0 && precision <= kMaxDecimalPrecision && scale >= 0 && scale <= precision) {
    return Decimal(precision, scale);
  }
  if (is_decimal && precision > kMaxDecimalPrecision) {
    return UserError(
        "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION",
        {{"precision", std::to_string(precision)}, {"maxPrecision", std::to_string(kMaxDecimalPrecision)}});
  }
  if (is_decimal && scale > precision) {
    return UserError("_LEGACY_ERROR_TEMP_1228",
                     {{"precision", std::to_string(precision)}, {"scale", std::to_string(scale)}});
  }
  // The JSON words are DDL words too, but for these.
  if (name == "null") return Null();
  auto type = ParseTypeDdl(name);
  if (!type.ok()) return UserError("INVALID_JSON_DATA_TYPE", {{"invalidType", name}});
  return type;
}

// `type` with the collations that its field's metadata tells of; `path` is where it stands in them.
arrow::Result<DataTypePtr> Collated(const DataTypePtr& type, const std::string& path, const JsonValue& collations) {
  switch (type->id()) {
    case TypeId::kString: {
      const JsonValue* name = collations.Find(path);
      if (name == nullptr || !name->is_string()) return type;
      std::string text = name->AsString();
      size_t point = text.find('.');
      ARROW_ASSIGN_OR_RAISE(int number, FindCollation(point == std::string::npos ? text : text.substr(point + 1)));
      return CollatedString(number);
    }
    case TypeId::kArray: {
      ARROW_ASSIGN_OR_RAISE(DataTypePtr element, Collated(type->element(), path + ".element", collations));
      return Array(std::move(element), type->contains_null());
    }
    case TypeId::kMap: {
      ARROW_ASSIGN_OR_RAISE(DataTypePtr key, Collated(type->key(), path + ".key", collations));
      ARROW_ASSIGN_OR_RAISE(DataTypePtr value, Collated(type->value(), path + ".value", collations));
      return Map(std::move(key), std::move(value), type->value_contains_null());
    }
    default:
      return type;
  }
}

arrow::Result<StructField> FieldFromJson(const JsonValue& json, int depth) {
  const JsonValue* name = json.Find("name");
  const JsonValue* type = json.Find("type");
  if (name == nullptr || type == nullptr) return Malformed("a field has no name or type");
  StructField field;
  field.name = name->AsString();
  ARROW_ASSIGN_OR_RAISE(field.type, FromJson(*type, depth + 1));
  if (const JsonValue* nullable = json.Find("nullable")) field.nullable = nullable->AsBool();
  if (const JsonValue* metadata = json.Find("metadata")) {
    constexpr std::string_view kCollations = "__COLLATIONS";
    std::string text = metadata->ToString();
    if (const JsonValue* collations = metadata->Find(kCollations)) {
      ARROW_ASSIGN_OR_RAISE(field.type, Collated(field.type, field.name, *collations));
      JsonValue rest = JsonValue::Object();
      for (const auto& [key, value] : metadata->members()) {
        if (key != kCollations) rest.Set(key, value);
      }
      text = rest.ToString();
    }
    if (text != "{}") field.metadata_json = text;
  }
  return field;
}

arrow::Result<DataTypePtr> FromJson(const JsonValue& json, int depth) {
  if (depth > 200) return Malformed("nested too deeply");
  if (json.is_string()) return FromName(json.AsString());
  if (!json.is_object()) return Malformed("a type is neither a name nor an object");
  const JsonValue* kind = json.Find("type");
  if (kind == nullptr || !kind->is_string()) return Malformed("a type object has no \"type\"");
  if (kind->AsString() == "array") {
    const JsonValue* element = json.Find("elementType");
    const JsonValue* contains_null = json.Find("containsNull");
    if (element == nullptr) return Malformed("an array has no elementType");
    ARROW_ASSIGN_OR_RAISE(DataTypePtr type, FromJson(*element, depth + 1));
    return Array(std::move(type), contains_null == nullptr || contains_null->AsBool());
  }
  if (kind->AsString() == "map") {
    const JsonValue* key = json.Find("keyType");
    const JsonValue* value = json.Find("valueType");
    const JsonValue* contains_null = json.Find("valueContainsNull");
    if (key == nullptr || value == nullptr) return Malformed("a map has no keyType or valueType");
    ARROW_ASSIGN_OR_RAISE(DataTypePtr key_type, FromJson(*key, depth + 1));
    ARROW_ASSIGN_OR_RAISE(DataTypePtr value_type, FromJson(*value, depth + 1));
    return Map(std::move(key_type), std::move(value_type), contains_null == nullptr || contains_null->AsBool());
  }
  if (kind->AsString() == "struct") {
    const JsonValue* fields = json.Find("fields");
    if (fields == nullptr || !fields->is_array()) return Malformed("a struct has no fields");
    std::vector<StructField> made;
    for (const JsonValue& field : fields->elements()) {
      ARROW_ASSIGN_OR_RAISE(StructField one, FieldFromJson(field, depth));
      made.push_back(std::move(one));
    }
    return Struct(std::move(made));
  }
  if (kind->AsString() == "udt") {
    const JsonValue* stored = json.Find("sqlType");
    if (stored == nullptr) return Malformed("a user-defined type has no sqlType");
    ARROW_ASSIGN_OR_RAISE(DataTypePtr type, FromJson(*stored, depth + 1));
    auto text = [&json](std::string_view name) {
      const JsonValue* value = json.Find(name);
      return value != nullptr && value->is_string() ? value->AsString() : std::string();
    };
    return UserDefined(*type, {text("class"), text("pyClass"), text("serializedClass")});
  }
  return Malformed("unknown type " + kind->AsString());
}

}  // namespace

arrow::Result<DataTypePtr> ParseTypeJson(std::string_view json) {
  ARROW_ASSIGN_OR_RAISE(JsonValue value, ParseJson(json));
  return FromJson(value, 0);
}

}  // namespace millrace::types
