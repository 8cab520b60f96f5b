#include "delta/schema/schema_edit.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/error.h"
#include "base/json_value.h"
#include "delta/schema/type_widening.h"
#include "types/column_metadata.h"
#include "types/scala_text.h"

namespace millrace::delta {

using types::DataType;
using types::DataTypePtr;
using types::StructField;
using types::TypeId;

namespace {

int FindField(const DataType& type, const std::string& name) {
  for (size_t i = 0; i < type.fields().size(); ++i) {
    if (EqualsIgnoreCase(type.fields()[i].name, name)) return static_cast<int>(i);
  }
  return -1;
}

std::string SchemaText(const DataType& schema) {
  return schema.id() == TypeId::kStruct ? schema.ToTreeString() : schema.ToJson();
}

ColumnPath Below(ColumnPath path, const std::string& name) {
  path.push_back(name);
  return path;
}

// The parts of a type as fields, whatever it is.
std::vector<StructField> Parts(const DataType& type) {
  switch (type.id()) {
    case TypeId::kStruct:
      return type.fields();
    case TypeId::kArray:
      return {{"element", type.element(), type.contains_null(), ""}};
    case TypeId::kMap:
      return {{"key", type.key(), false, ""}, {"value", type.value(), type.value_contains_null(), ""}};
    default:
      return {};
  }
}

DataTypePtr OfParts(const DataTypePtr& type, std::vector<StructField> parts) {
  switch (type->id()) {
    case TypeId::kStruct:
      return types::Struct(std::move(parts));
    case TypeId::kArray:
      return types::Array(parts[0].type, parts[0].nullable);
    case TypeId::kMap:
      return types::Map(parts[0].type, parts[1].type, parts[1].nullable);
    default:
      return type;
  }
}

arrow::Status NotNested(const DataType& schema, const DataType& found, const ColumnPath& above,
                        const std::string& name) {
  switch (found.id()) {
    case TypeId::kMap:
      return UserError("DELTA_FOUND_MAP_TYPE_COLUMN", {{"key", PathText(Below(above, "key"))},
                                                       {"value", PathText(Below(above, "value"))},
                                                       {"schema", SchemaText(schema)}});
    case TypeId::kArray:
      return UserError("DELTA_INCORRECT_ARRAY_ACCESS_BY_NAME", {{"rightName", PathText(Below(above, "element"))},
                                                                {"wrongName", PathText(above)},
                                                                {"schema", SchemaText(schema)}});
    default:
      return UserError("DELTA_COLUMN_PATH_NOT_NESTED", {{"columnPath", name},
                                                        {"other", types::ScalaText(found)},
                                                        {"column", PathText(above)},
                                                        {"schema", SchemaText(schema)}});
  }
}

/// Compares two schemas; the first reason found is why.
class ReplacementCheck {
 public:
  ReplacementCheck(bool drops, bool widens) : drops_(drops), widens_(widens) {}

  arrow::Status Check(const DataType& from, const DataType& to, const ColumnPath& path) {
    if (from.id() == TypeId::kArray && to.id() == TypeId::kArray) {
      CheckNullable(from.contains_null(), to.contains_null(), path);
      return Check(*from.element(), *to.element(), Below(path, "element"));
    }
    if (from.id() == TypeId::kMap && to.id() == TypeId::kMap) {
      CheckNullable(from.value_contains_null(), to.value_contains_null(), path);
      ARROW_RETURN_NOT_OK(Check(*from.key(), *to.key(), Below(path, "key")));
      return Check(*from.value(), *to.value(), Below(path, "value"));
    }
    if (from.id() == TypeId::kStruct && to.id() == TypeId::kStruct) return CheckStructs(from, to, path);
    if (from.id() == TypeId::kNull || from.Equals(to)) return arrow::Status::OK();
    bool wider = widens_ && !from.is_nested() && !to.is_nested() && CanWiden(from, to);
    if (!wider) {
      Refuse("changing data type of " + PathText(path) + " from " + types::ScalaText(from) + " to " +
             types::ScalaText(to));
    }
    return arrow::Status::OK();
  }
  const std::optional<std::string>& reason() const { return reason_; }

 private:
  void Refuse(const std::string& why) {
    if (reason_) return;
    reason_ = UserError("DELTA_CANNOT_CHANGE_DATA_TYPE", {{"dataType", why}}).message();
  }
  void CheckNullable(bool from, bool to, const ColumnPath& path) {
    if (from && !to) Refuse("tightening nullability of " + PathText(path));
  }
  arrow::Status CheckStructs(const DataType& from, const DataType& to, const ColumnPath& path) {
    std::vector<bool> stays(from.fields().size());
    bool adds = false;
    for (const StructField& field : to.fields()) {
      int at = FindField(from, field.name);
      if (at < 0) {
        adds = true;
        if (!field.nullable) Refuse("adding non-nullable column " + PathText(Below(path, field.name)));
        continue;
      }
      const StructField& before = from.fields()[static_cast<size_t>(at)];
      stays[static_cast<size_t>(at)] = true;
      CheckNullable(before.nullable, field.nullable, Below(path, before.name));
      ARROW_RETURN_NOT_OK(Check(*before.type, *field.type, Below(path, before.name)));
    }
    std::string gone;
    for (size_t i = 0; i < stays.size(); ++i) {
      if (!stays[i]) gone += (gone.empty() ? "" : ", ") + from.fields()[i].name;
    }
    if (gone.empty()) return arrow::Status::OK();
    if (adds && !reason_) {
      return UserError("DELTA_AMBIGUOUS_DATA_TYPE_CHANGE",
                       {{"column", PathText(path)}, {"from", from.ToDdl()}, {"to", to.ToDdl()}});
    }
    if (!drops_) {
      Refuse("dropping column(s) [" + gone + "]" + (path.empty() ? "" : " from " + PathText(path)));
    }
    return arrow::Status::OK();
  }

  bool drops_;
  bool widens_;
  std::optional<std::string> reason_;
};

}  // namespace

std::string PathText(const ColumnPath& path) {
  std::string text;
  for (const std::string& name : path) {
    if (!text.empty()) text += '.';
    text += name.find('.') == std::string::npos ? name : "`" + name + "`";
  }
  return text;
}

arrow::Result<std::vector<int>> FindColumn(const DataType& schema, const ColumnPath& path) {
  std::vector<int> position;
  const DataType* type = &schema;
  ColumnPath above;
  for (const std::string& name : path) {
    std::vector<StructField> parts = Parts(*type);
    int at = -1;
    for (size_t i = 0; i < parts.size(); ++i) {
      bool same = type->id() == TypeId::kStruct ? EqualsIgnoreCase(parts[i].name, name) : parts[i].name == name;
      if (same && at < 0) at = static_cast<int>(i);
    }
    if (at < 0 && type->id() != TypeId::kStruct) return NotNested(schema, *type, above, name);
    above.push_back(name);
    if (at < 0) {
      return UserError("DELTA_COLUMN_NOT_FOUND_IN_SCHEMA",
                       {{"columnName", PathText(above)}, {"tableSchema", SchemaText(schema)}});
    }
    position.push_back(at);
    switch (type->id()) {
      case TypeId::kStruct:
        type = type->fields()[static_cast<size_t>(at)].type.get();
        break;
      case TypeId::kArray:
        type = type->element().get();
        break;
      default:
        type = at == 0 ? type->key().get() : type->value().get();
        break;
    }
  }
  return position;
}

StructField FieldAt(const DataType& schema, const std::vector<int>& position) {
  StructField field;
  const DataType* type = &schema;
  for (int at : position) {
    field = Parts(*type)[static_cast<size_t>(at)];
    type = field.type.get();
  }
  return field;
}

DataTypePtr EditAt(const DataTypePtr& schema, const std::vector<int>& position,
                   const std::function<void(std::vector<StructField>*)>& edit) {
  std::vector<StructField> parts = Parts(*schema);
  if (position.empty()) {
    edit(&parts);
  } else {
    StructField& part = parts[static_cast<size_t>(position[0])];
    part.type = EditAt(part.type, {position.begin() + 1, position.end()}, edit);
  }
  return OfParts(schema, std::move(parts));
}

arrow::Result<DataTypePtr> AddColumn(const DataTypePtr& schema, const ColumnPath& parent, const StructField& column,
                                     const std::optional<ColumnPlace>& place) {
  std::vector<int> position;
  size_t index = 0;
  if (place && !place->first) {
    ARROW_ASSIGN_OR_RAISE(position, FindColumn(*schema, Below(parent, place->after)));
    index = static_cast<size_t>(position.back()) + 1;
    position.pop_back();
  } else {
    ARROW_ASSIGN_OR_RAISE(position, FindColumn(*schema, parent));
  }
  DataTypePtr above = position.empty() ? schema : FieldAt(*schema, position).type;
  if (above->id() != TypeId::kStruct) {
    return UserError("DELTA_ADD_COLUMN_PARENT_NOT_STRUCT",
                     {{"columnName", column.name}, {"other", types::ScalaText(*above)}});
  }
  if (types::DefaultOf(column)) {
    return UserError("WRONG_COLUMN_DEFAULTS_FOR_DELTA_ALTER_TABLE_ADD_COLUMN_NOT_SUPPORTED");
  }
  if (!place) index = above->fields().size();
  return EditAt(schema, position, [&](std::vector<StructField>* fields) {
    fields->insert(fields->begin() + static_cast<ptrdiff_t>(index), column);
  });
}

arrow::Result<DataTypePtr> DropColumn(const DataTypePtr& schema, const ColumnPath& path) {
  ARROW_ASSIGN_OR_RAISE(std::vector<int> position, FindColumn(*schema, path));
  int index = position.back();
  position.pop_back();
  DataTypePtr above = position.empty() ? schema : FieldAt(*schema, position).type;
  if (above->id() != TypeId::kStruct) {
    return UserError("DELTA_UNSUPPORTED_DROP_NESTED_COLUMN_FROM_NON_STRUCT_TYPE",
                     {{"struct", types::ScalaText(*above)}});
  }
  if (above->fields().size() == 1) {
    return UserError("DELTA_DROP_COLUMN_ON_SINGLE_FIELD_SCHEMA", {{"schema", above->ToTreeString()}});
  }
  return EditAt(schema, position, [&](std::vector<StructField>* fields) { fields->erase(fields->begin() + index); });
}

arrow::Result<std::optional<std::string>> WhyNotReplaced(const DataType& from, const DataType& to,
                                                         const ColumnPath& path, bool drops, bool widens) {
  ReplacementCheck check(drops, widens);
  ARROW_RETURN_NOT_OK(check.Check(from, to, path));
  return check.reason();
}

DataTypePtr CarryOver(const DataTypePtr& from, const DataTypePtr& to) {
  if (from->id() != to->id()) return to;
  switch (to->id()) {
    case TypeId::kStruct: {
      std::vector<StructField> fields = to->fields();
      for (StructField& field : fields) {
        int at = FindField(*from, field.name);
        if (at < 0) continue;
        const StructField& before = from->fields()[static_cast<size_t>(at)];
        std::optional<std::string> comment = types::CommentOf(field);
        field.name = before.name;
        field.type = CarryOver(before.type, field.type);
        field.metadata_json = before.metadata_json;
        if (!comment) continue;
        arrow::Result<JsonValue> metadata = JsonValue::Object();
        if (!before.metadata_json.empty()) metadata = ParseJson(before.metadata_json);
        if (metadata.ok()) field.metadata_json = metadata->Set("comment", JsonValue::String(*comment)).ToString();
      }
      return types::Struct(std::move(fields));
    }
    case TypeId::kArray:
      return types::Array(CarryOver(from->element(), to->element()), from->contains_null());
    case TypeId::kMap:
      return types::Map(CarryOver(from->key(), to->key()), CarryOver(from->value(), to->value()),
                        from->value_contains_null());
    default:
      return to;
  }
}

}  // namespace millrace::delta
