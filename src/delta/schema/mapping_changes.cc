#include "delta/schema/mapping_changes.h"

#include <string>

#include "delta/schema/column_mapping.h"

namespace millrace::delta {

using types::DataType;
using types::StructField;
using types::TypeId;

namespace {

ColumnPath Below(ColumnPath path, const std::string& name) {
  path.push_back(name);
  return path;
}

void Compare(const DataType& older, const DataType& newer, const ColumnPath& from, const ColumnPath& to,
             MappingChanges* changes) {
  if (older.id() != newer.id()) return;
  switch (older.id()) {
    case TypeId::kStruct:
      for (const StructField& field : older.fields()) {
        const StructField* now = nullptr;
        for (const StructField& candidate : newer.fields()) {
          if (PhysicalName(candidate) == PhysicalName(field)) now = &candidate;
        }
        if (now == nullptr) {
          changes->dropped.push_back(Below(from, field.name));
          continue;
        }
        if (now->name != field.name) changes->renamed.emplace_back(Below(from, field.name), Below(to, now->name));
        Compare(*field.type, *now->type, Below(from, field.name), Below(to, now->name), changes);
      }
      return;
    case TypeId::kArray:
      return Compare(*older.element(), *newer.element(), Below(from, "element"), Below(to, "element"), changes);
    case TypeId::kMap:
      Compare(*older.key(), *newer.key(), Below(from, "key"), Below(to, "key"), changes);
      return Compare(*older.value(), *newer.value(), Below(from, "value"), Below(to, "value"), changes);
    default:
      return;
  }
}

}  // namespace

MappingChanges CompareMappings(const DataType& older, const DataType& newer) {
  MappingChanges changes;
  Compare(older, newer, {}, {}, &changes);
  return changes;
}

}  // namespace millrace::delta
