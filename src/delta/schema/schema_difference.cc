#include "delta/schema/schema_difference.h"

#include "base/json_value.h"

namespace millrace::delta {

using types::DataType;
using types::StructField;
using types::TypeId;

namespace {

constexpr const char* kGenerationKey = "delta.generationExpression";

class Differences {
 public:
  std::vector<std::string> found;

  void OfStructs(const DataType& existing, const DataType& specified, const std::string& prefix) {
    std::string missing, additional;
    for (const StructField& field : existing.fields()) {
      if (specified.FieldIndex(field.name, true) < 0) missing += (missing.empty() ? "" : ", ") + prefix + field.name;
    }
    for (const StructField& field : specified.fields()) {
      if (existing.FieldIndex(field.name, true) < 0) {
        additional += (additional.empty() ? "" : ", ") + prefix + field.name;
      }
    }
    if (!missing.empty()) found.push_back("Specified schema is missing field(s): " + missing);
    if (!additional.empty()) found.push_back("Specified schema has additional field(s): " + additional);
    for (const StructField& field : existing.fields()) {
      int at = specified.FieldIndex(field.name, true);
      if (at >= 0) OfFields(field, specified.fields()[static_cast<size_t>(at)], prefix);
    }
  }

 private:
  void OfFields(const StructField& existing, const StructField& specified, const std::string& prefix) {
    std::string name = prefix + existing.name;
    if (existing.nullable != specified.nullable) {
      auto word = [](bool nullable) { return std::string(nullable ? "" : "non-") + "nullable"; };
      found.push_back("Field " + name + " is " + word(specified.nullable) + " in specified schema but " +
                      word(existing.nullable) + " in existing schema.");
    }
    OfMetadata(existing, specified, name);
    OfTypes(*existing.type, *specified.type, name);
  }

  void OfMetadata(const StructField& existing, const StructField& specified, const std::string& name) {
    auto read = [](const StructField& field) {
      return field.metadata_json.empty() ? JsonValue::Object() : ParseJson(field.metadata_json).ValueOr(JsonValue());
    };
    JsonValue was = read(existing), is = read(specified);
    auto take = [](JsonValue* metadata) {
      const JsonValue* sql = metadata->Find(kGenerationKey);
      std::string text = sql == nullptr ? "" : sql->AsString();
      std::erase_if(metadata->members(), [](const auto& member) { return member.first == kGenerationKey; });
      return text;
    };
    std::string was_generated = take(&was), is_generated = take(&is), message;
    auto differs = [&](const char* what, const std::string& a, const std::string& b) {
      if (a == b) return;
      if (!message.empty()) message += "\n";
      message += std::string("Specified ") + what + " for field " + name +
                 " is different from existing schema:\nSpecified: " + a + "\nExisting:  " + b;
    };
    differs("generation expression", is_generated, was_generated);
    differs("metadata", is.ToString(), was.ToString());
    if (!message.empty()) found.push_back(std::move(message));
  }

  void OfTypes(const DataType& existing, const DataType& specified, const std::string& name) {
    auto can = [](bool nulls) { return std::string(nulls ? "can" : "can not"); };
    if (existing.id() == TypeId::kStruct && specified.id() == TypeId::kStruct) {
      OfStructs(existing, specified, name + ".");
    } else if (existing.id() == TypeId::kArray && specified.id() == TypeId::kArray) {
      OfTypes(*existing.element(), *specified.element(), name + "[]");
      if (existing.contains_null() == specified.contains_null()) return;
      found.push_back("Array field " + name + "[] " + can(specified.contains_null()) +
                      " contain null in specified schema but " + can(existing.contains_null()) + " in existing schema");
    } else if (existing.id() == TypeId::kMap && specified.id() == TypeId::kMap) {
      OfTypes(*existing.key(), *specified.key(), name + "[key]");
      OfTypes(*existing.value(), *specified.value(), name + "[value]");
      if (existing.value_contains_null() == specified.value_contains_null()) return;
      found.push_back("Map field " + name + " " + can(specified.value_contains_null()) +
                      " contain null values in specified schema but " + can(existing.value_contains_null()) +
                      " in existing schema");
    } else if (!existing.Equals(specified)) {
      found.push_back("Specified type for " + name + " is different from existing schema:\nSpecified: " +
                      TypeWord(specified) + "\nExisting:  " + TypeWord(existing));
    }
  }
};

}  // namespace

std::vector<std::string> SchemaDifferences(const DataType& existing, const DataType& specified) {
  Differences differences;
  differences.OfStructs(existing, specified, "");
  return std::move(differences.found);
}

std::string TypeWord(const types::DataType& type) {
  switch (type.id()) {
    case TypeId::kStruct:
      return "struct";
    case TypeId::kArray:
      return "array";
    case TypeId::kMap:
      return "map";
    default:
      return type.TypeName();
  }
}

}  // namespace millrace::delta
