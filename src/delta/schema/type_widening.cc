#include "delta/schema/type_widening.h"

#include <string>
#include <vector>

#include "base/json_value.h"
#include "delta/schema/column_mapping.h"

namespace millrace::delta {

using types::DataType;
using types::DataTypePtr;
using types::StructField;
using types::TypeId;

namespace {

bool IsWiderDecimal(const DataType& wide, const DataType& narrow) {
  return wide.precision() - wide.scale() >= narrow.precision() - narrow.scale() && wide.scale() >= narrow.scale();
}

bool IsSmallInteger(const DataType& type) { return type.id() >= TypeId::kByte && type.id() <= TypeId::kInteger; }

void AppendChange(const DataType& from, const DataType& to, const std::string& path, JsonValue* changes) {
  JsonValue change = JsonValue::Object();
  change.Set("toType", JsonValue::String(to.TypeName()));
  change.Set("fromType", JsonValue::String(from.TypeName()));
  if (!path.empty()) change.Set("fieldPath", JsonValue::String(path));
  changes->elements().push_back(std::move(change));
}

// Changes below a field that are not below a field of its own: elements, keys and values.
void CollectChanges(const DataType& from, const DataType& to, const std::string& path, JsonValue* changes) {
  auto below = [&](const char* part) { return path.empty() ? std::string(part) : path + "." + part; };
  if (from.id() == TypeId::kArray && to.id() == TypeId::kArray) {
    CollectChanges(*from.element(), *to.element(), below("element"), changes);
  } else if (from.id() == TypeId::kMap && to.id() == TypeId::kMap) {
    CollectChanges(*from.key(), *to.key(), below("key"), changes);
    CollectChanges(*from.value(), *to.value(), below("value"), changes);
  } else if (!from.is_nested() && !to.is_nested() && !from.Equals(to) && CanWiden(from, to)) {
    AppendChange(from, to, path, changes);
  }
}

const StructField* Counterpart(const DataType& old_struct, const StructField& field) {
  for (const StructField& candidate : old_struct.fields()) {
    if (PhysicalName(candidate) == PhysicalName(field)) return &candidate;
  }
  return nullptr;
}

}  // namespace

bool CanWiden(const DataType& from, const DataType& to) {
  if (from.Equals(to)) return true;
  if (from.is_integral() && to.is_integral()) return from.id() <= to.id();
  if (from.id() == TypeId::kFloat) return to.id() == TypeId::kDouble;
  if (from.id() == TypeId::kDate) return to.id() == TypeId::kTimestampNtz;
  if (IsSmallInteger(from) && to.id() == TypeId::kDouble) return true;
  if (to.id() != TypeId::kDecimal) return false;
  if (from.id() == TypeId::kDecimal) return IsWiderDecimal(to, from);
  if (IsSmallInteger(from)) return to.precision() - to.scale() >= 10;
  return from.id() == TypeId::kLong && to.precision() - to.scale() >= 20;
}

bool CanWidenByMerge(const DataType& from, const DataType& to) {
  bool same_family = (from.is_integral() && to.is_integral()) || from.id() == TypeId::kFloat ||
                     from.id() == TypeId::kDate || from.id() == TypeId::kDecimal;
  return from.Equals(to) || (same_family && CanWiden(from, to));
}

DataTypePtr WithTypeChanges(const DataTypePtr& schema, const DataTypePtr& old_schema) {
  if (schema->id() != old_schema->id()) return schema;
  switch (schema->id()) {
    case TypeId::kStruct: {
      std::vector<StructField> fields = schema->fields();
      for (StructField& field : fields) {
        const StructField* before = Counterpart(*old_schema, field);
        if (before == nullptr) continue;
        JsonValue changes = JsonValue::Array();
        CollectChanges(*before->type, *field.type, "", &changes);
        field.type = WithTypeChanges(field.type, before->type);
        if (changes.elements().empty()) continue;
        arrow::Result<JsonValue> parsed = JsonValue::Object();
        if (!field.metadata_json.empty()) parsed = ParseJson(field.metadata_json);
        JsonValue metadata = parsed.ok() ? *std::move(parsed) : JsonValue::Object();
        JsonValue all = JsonValue::Array();
        if (const JsonValue* earlier = metadata.Find("delta.typeChanges")) all = *earlier;
        for (JsonValue& change : changes.elements()) all.elements().push_back(std::move(change));
        field.metadata_json = metadata.Set("delta.typeChanges", std::move(all)).ToString();
      }
      return types::Struct(std::move(fields));
    }
    case TypeId::kArray:
      return types::Array(WithTypeChanges(schema->element(), old_schema->element()), schema->contains_null());
    case TypeId::kMap:
      return types::Map(WithTypeChanges(schema->key(), old_schema->key()),
                        WithTypeChanges(schema->value(), old_schema->value()), schema->value_contains_null());
    default:
      return schema;
  }
}

}  // namespace millrace::delta
