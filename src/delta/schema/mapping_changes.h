#pragma once

#include <utility>
#include <vector>

#include "delta/schema/schema_edit.h"
#include "types/data_type.h"

namespace millrace::delta {

/// What happened to columns, told apart by the names files have for them, between two schemas of a table; additions
/// aside. Source: delta-spark's DeltaColumnMapping.
struct MappingChanges {
  std::vector<std::pair<ColumnPath, ColumnPath>> renamed;  ///< from, to
  std::vector<ColumnPath> dropped;

  bool none() const { return renamed.empty() && dropped.empty(); }
};

/// A schema that maps no columns yet is taken to do it under the columns' own names.
MappingChanges CompareMappings(const types::DataType& older, const types::DataType& newer);

}  // namespace millrace::delta
