#include "delta/transaction/schema_merge.h"

#include <algorithm>
#include <functional>
#include <set>

#include "base/ascii.h"
#include "base/error.h"
#include "base/json_value.h"
#include "delta/schema/type_widening.h"

namespace millrace::delta {

using types::DataTypePtr;
using types::StructField;
using types::TypeId;

namespace {

const StructField* FindField(const std::vector<StructField>& fields, const std::string& name) {
  for (const StructField& field : fields) {
    if (EqualsIgnoreCase(field.name, name)) return &field;
  }
  return nullptr;
}

bool IsAtomic(const types::DataType& type) { return !type.is_nested() && type.id() != TypeId::kNull; }

// Spark's implicitCast (the one without ANSI, which Delta asks).
bool CastsImplicitly(const types::DataType& from, const types::DataType& to) {
  if (from.id() == TypeId::kNull) return true;
  if (from.Equals(to)) return true;
  if (from.is_numeric() && to.is_numeric()) return true;
  if (from.id() == TypeId::kString) return to.is_numeric() || to.is_datetime() || to.id() == TypeId::kBinary;
  if (to.id() == TypeId::kString) return IsAtomic(from);
  return from.is_datetime() && to.is_datetime();
}

/// `casts`: rows are cast to the table's types; `widens`: the table's types become the rows' wider ones.
struct MergeRules {
  bool casts = false;
  bool widens = false;
};

bool IsSmallInteger(const types::DataType& type) { return type.id() >= TypeId::kByte && type.id() <= TypeId::kInteger; }

arrow::Result<DataTypePtr> MergeTypes(const DataTypePtr& table, const DataTypePtr& rows, MergeRules rules);

arrow::Status NotMergeable(const types::DataType& table, const types::DataType& rows) {
  return UserError("DELTA_MERGE_INCOMPATIBLE_DATATYPE",
                   {{"currentDataType", table.Sql()}, {"updateDataType", rows.Sql()}});
}

arrow::Result<DataTypePtr> MergeStructs(const types::DataType& table, const types::DataType& rows, MergeRules rules) {
  std::vector<StructField> merged;
  for (const StructField& field : table.fields()) {
    merged.push_back(field);
    const StructField* update = FindField(rows.fields(), field.name);
    if (update == nullptr) continue;
    auto type = MergeTypes(field.type, update->type, rules);
    if (!type.ok()) {
      return UserError("DELTA_FAILED_TO_MERGE_FIELDS", {{"currentField", field.name}, {"updateField", update->name}});
    }
    merged.back().type = *std::move(type);
  }
  for (const StructField& field : rows.fields()) {
    if (FindField(table.fields(), field.name) == nullptr) merged.push_back(field);
  }
  return types::Struct(std::move(merged));
}

arrow::Result<DataTypePtr> MergeTypes(const DataTypePtr& table, const DataTypePtr& rows, MergeRules rules) {
  if (table->id() == TypeId::kStruct && rows->id() == TypeId::kStruct) return MergeStructs(*table, *rows, rules);
  if (table->id() == TypeId::kArray && rows->id() == TypeId::kArray) {
    ARROW_ASSIGN_OR_RAISE(DataTypePtr element, MergeTypes(table->element(), rows->element(), rules));
    return types::Array(std::move(element), table->contains_null());
  }
  if (table->id() == TypeId::kMap && rows->id() == TypeId::kMap) {
    ARROW_ASSIGN_OR_RAISE(DataTypePtr key, MergeTypes(table->key(), rows->key(), rules));
    ARROW_ASSIGN_OR_RAISE(DataTypePtr value, MergeTypes(table->value(), rows->value(), rules));
    return types::Map(std::move(key), std::move(value), table->value_contains_null());
  }
  if (table->Equals(*rows)) return table;
  bool atomic = IsAtomic(*table) && IsAtomic(*rows);
  if (rules.widens && atomic && CanWidenByMerge(*table, *rows)) return rows;
  if (rules.casts && CastsImplicitly(*rows, *table)) return table;
  if (IsSmallInteger(*table) && IsSmallInteger(*rows)) return table->id() >= rows->id() ? table : rows;
  if (table->id() == TypeId::kNull) return rows;
  if (rows->id() == TypeId::kNull) return table;
  return NotMergeable(*table, *rows);
}

void CollectNames(const types::DataType& type, const std::string& prefix, std::vector<std::string>* names) {
  switch (type.id()) {
    case TypeId::kStruct:
      for (const StructField& field : type.fields()) {
        std::string name = prefix + ToLowerAscii(types::QuoteIfNeeded(field.name));
        names->push_back(name);
        CollectNames(*field.type, name + ".", names);
      }
      return;
    case TypeId::kArray:
      CollectNames(*type.element(), prefix + "element.", names);
      return;
    case TypeId::kMap:
      CollectNames(*type.key(), prefix + "key.", names);
      CollectNames(*type.value(), prefix + "value.", names);
      return;
    default:
      return;
  }
}

// Column mapping starts anew with each table.
std::string WithoutColumnMapping(const std::string& metadata_json) {
  if (metadata_json.find("delta.columnMapping.") == std::string::npos &&
      metadata_json.find("parquet.field.") == std::string::npos) {
    return metadata_json;
  }
  auto parsed = ParseJson(metadata_json);
  if (!parsed.ok()) return metadata_json;
  std::erase_if(parsed->members(), [](const JsonValue::Member& member) {
    return member.first.starts_with("delta.columnMapping.") || member.first.starts_with("parquet.field.");
  });
  return parsed->members().empty() ? "" : parsed->ToString();
}

DataTypePtr MapFields(const DataTypePtr& type, const std::function<void(StructField*)>& change) {
  switch (type->id()) {
    case TypeId::kStruct: {
      std::vector<StructField> fields = type->fields();
      for (StructField& field : fields) {
        field.type = MapFields(field.type, change);
        change(&field);
      }
      return types::Struct(std::move(fields));
    }
    case TypeId::kArray:
      return types::Array(MapFields(type->element(), change), type->contains_null());
    case TypeId::kMap:
      return types::Map(MapFields(type->key(), change), MapFields(type->value(), change), type->value_contains_null());
    default:
      return type;
  }
}

}  // namespace

arrow::Status CheckNoDuplicateColumns(const types::DataType& schema, const std::string& where) {
  std::vector<std::string> names;
  CollectNames(schema, "", &names);
  std::set<std::string> seen, doubled;
  for (const std::string& name : names) {
    if (!seen.insert(name).second) doubled.insert(name);
  }
  if (doubled.empty()) return arrow::Status::OK();
  std::string list;
  for (const std::string& name : doubled) list += (list.empty() ? "" : ", ") + name;
  return UserError("DELTA_DUPLICATE_COLUMNS_FOUND." + where, {{"duplicateCols", list}});
}

arrow::Result<DataTypePtr> MergeSchemas(const DataTypePtr& table, const DataTypePtr& rows, bool casts, bool widens) {
  ARROW_RETURN_NOT_OK(CheckNoDuplicateColumns(*rows, "DATA"));
  return MergeTypes(table, rows, {casts, widens});
}

DataTypePtr AsTableSchema(const DataTypePtr& rows, bool keep_nullability) {
  return MapFields(keep_nullability ? rows : types::AsNullable(rows), [&](StructField* field) {
    field->nullable = field->nullable || !keep_nullability;
    field->metadata_json = WithoutColumnMapping(field->metadata_json);
  });
}

bool HasVoidColumn(const types::DataType& type) {
  switch (type.id()) {
    case TypeId::kNull:
      return true;
    case TypeId::kStruct:
      return std::any_of(type.fields().begin(), type.fields().end(),
                         [](const StructField& field) { return HasVoidColumn(*field.type); });
    case TypeId::kArray:
      return HasVoidColumn(*type.element());
    case TypeId::kMap:
      return HasVoidColumn(*type.key()) || HasVoidColumn(*type.value());
    default:
      return false;
  }
}

namespace {

arrow::Status CheckStructsHoldValues(const types::DataType& type, const std::string& path) {
  switch (type.id()) {
    case TypeId::kStruct: {
      const auto& fields = type.fields();
      if (!path.empty() && fields.empty()) {
        return UserError("DELTA_CANNOT_WRITE_EMPTY_SCHEMA.STRUCT_NO_FIELDS", {{"columnPath", path}});
      }
      bool all_void = std::all_of(fields.begin(), fields.end(),
                                  [](const StructField& field) { return field.type->id() == TypeId::kNull; });
      if (!path.empty() && all_void) {
        return UserError("DELTA_CANNOT_WRITE_EMPTY_SCHEMA.STRUCT_ALL_VOID_FIELDS", {{"columnPath", path}});
      }
      for (const StructField& field : fields) {
        std::string name = types::QuoteIfNeeded(field.name);
        ARROW_RETURN_NOT_OK(CheckStructsHoldValues(*field.type, path.empty() ? name : path + "." + name));
      }
      return arrow::Status::OK();
    }
    case TypeId::kArray:
      return CheckStructsHoldValues(*type.element(), path + ".element");
    case TypeId::kMap:
      ARROW_RETURN_NOT_OK(CheckStructsHoldValues(*type.key(), path + ".key"));
      return CheckStructsHoldValues(*type.value(), path + ".value");
    default:
      return arrow::Status::OK();
  }
}

}  // namespace

arrow::Status CheckHoldsValues(const types::DataType& schema) {
  const auto& fields = schema.fields();
  bool all_void = !fields.empty() && std::all_of(fields.begin(), fields.end(), [](const StructField& field) {
    return field.type->id() == TypeId::kNull;
  });
  if (all_void) return UserError("DELTA_CANNOT_WRITE_EMPTY_SCHEMA.TABLE_ALL_VOID_COLUMNS");
  return CheckStructsHoldValues(schema, "");
}

DataTypePtr DropVoidColumns(const DataTypePtr& schema) {
  if (schema->id() != TypeId::kStruct) return schema;
  std::vector<StructField> kept;
  for (StructField field : schema->fields()) {
    if (field.type->id() == TypeId::kNull) continue;
    field.type = DropVoidColumns(field.type);
    kept.push_back(std::move(field));
  }
  return types::Struct(std::move(kept));
}

DataTypePtr WithoutVoidFields(const types::DataType& schema) {
  std::vector<StructField> kept = schema.fields();
  std::erase_if(kept, [](const StructField& field) { return field.type->id() == TypeId::kNull; });
  return types::Struct(std::move(kept));
}

bool SameSchema(const types::DataType& a, const types::DataType& b) { return a.ToJson() == b.ToJson(); }

}  // namespace millrace::delta
