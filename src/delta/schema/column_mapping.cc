#include "delta/schema/column_mapping.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/error.h"
#include "base/json_value.h"

namespace millrace::delta {

namespace {

constexpr std::string_view kInternalKeys[] = {
    kPhysicalNameKey,
    kColumnIdKey,
    "delta.columnMapping.nested.ids",
    "delta.generationExpression",
    "delta.identity.start",
    "delta.identity.step",
    "delta.identity.highWaterMark",
    "delta.identity.allowExplicitInsert",
    "delta.typeChanges",
};

bool IsOneOf(std::span<const std::string_view> keys, std::string_view key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

std::string Without(const std::string& metadata_json, std::span<const std::string_view> keys) {
  if (metadata_json.find("delta.") == std::string::npos) return metadata_json;
  auto metadata = ParseJson(metadata_json);
  if (!metadata.ok()) return metadata_json;
  std::erase_if(metadata->members(), [&](const JsonValue::Member& member) { return IsOneOf(keys, member.first); });
  return metadata->members().empty() ? std::string() : metadata->ToString();
}

}  // namespace

arrow::Result<ColumnMappingMode> ColumnMappingModeOf(const Metadata& metadata) {
  std::string mode = metadata.Property("delta.columnMapping.mode").value_or("none");
  if (EqualsIgnoreCase(mode, "none")) return ColumnMappingMode::kNone;
  if (EqualsIgnoreCase(mode, "name")) return ColumnMappingMode::kName;
  if (EqualsIgnoreCase(mode, "id")) return ColumnMappingMode::kId;
  return arrow::Status::Invalid("The table's property delta.columnMapping.mode has an unknown value: ", mode);
}

std::string PhysicalName(const types::StructField& field) {
  if (field.metadata_json.find(kPhysicalNameKey) == std::string::npos) return field.name;
  auto metadata = ParseJson(field.metadata_json);
  const JsonValue* name = metadata.ok() ? metadata->Find(kPhysicalNameKey) : nullptr;
  return name != nullptr && name->is_string() ? name->AsString() : field.name;
}

std::optional<std::vector<std::string>> PhysicalPath(const types::DataType& schema,
                                                     const std::vector<std::string>& logical) {
  std::vector<std::string> physical;
  const types::DataType* level = &schema;
  for (const std::string& name : logical) {
    if (level->id() != types::TypeId::kStruct) return std::nullopt;
    int index = level->FieldIndex(name, /*case_sensitive=*/true);
    if (index < 0) index = level->FieldIndex(name, /*case_sensitive=*/false);
    if (index < 0) return std::nullopt;
    const types::StructField& field = level->fields()[static_cast<size_t>(index)];
    physical.push_back(PhysicalName(field));
    level = field.type.get();
  }
  return physical;
}

types::DataTypePtr WithoutFieldMetadata(const types::DataTypePtr& type, std::span<const std::string_view> keys) {
  switch (type->id()) {
    case types::TypeId::kStruct: {
      std::vector<types::StructField> fields = type->fields();
      for (types::StructField& field : fields) {
        field.metadata_json = Without(field.metadata_json, keys);
        field.type = WithoutFieldMetadata(field.type, keys);
      }
      return types::Struct(std::move(fields));
    }
    case types::TypeId::kArray:
      return types::Array(WithoutFieldMetadata(type->element(), keys), type->contains_null());
    case types::TypeId::kMap:
      return types::Map(WithoutFieldMetadata(type->key(), keys), WithoutFieldMetadata(type->value(), keys),
                        type->value_contains_null());
    default:
      return type;
  }
}

bool HasFieldMetadata(const types::DataType& type, std::span<const std::string_view> keys) {
  switch (type.id()) {
    case types::TypeId::kStruct:
      return std::any_of(type.fields().begin(), type.fields().end(), [&](const types::StructField& field) {
        if (HasFieldMetadata(*field.type, keys)) return true;
        auto metadata = ParseJson(field.metadata_json);
        if (!metadata.ok() || !metadata->is_object()) return false;
        const auto& members = metadata->members();
        return std::any_of(members.begin(), members.end(),
                           [&](const auto& member) { return IsOneOf(keys, member.first); });
      });
    case types::TypeId::kArray:
      return HasFieldMetadata(*type.element(), keys);
    case types::TypeId::kMap:
      return HasFieldMetadata(*type.key(), keys) || HasFieldMetadata(*type.value(), keys);
    default:
      return false;
  }
}

types::DataTypePtr WithoutInternalMetadata(const types::DataTypePtr& type) {
  return WithoutFieldMetadata(type, kInternalKeys);
}

}  // namespace millrace::delta
