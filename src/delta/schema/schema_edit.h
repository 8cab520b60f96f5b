#pragma once

#include <arrow/result.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "types/data_type.h"

/// Single changes of a schema, at any depth. Source: delta-spark's SchemaUtils.

namespace millrace::delta {

/// Names from the table's columns down; below arrays and maps `element`, `key`, `value`.
using ColumnPath = std::vector<std::string>;

/// The path as messages show it: `a.b`, names with dots in back-ticks.
std::string PathText(const ColumnPath& path);

/// FIRST, or AFTER a column beside it.
struct ColumnPlace {
  bool first = false;
  std::string after;
};

/// Where a column is: at each level the index of the field; below arrays 0, below maps 0 (key) or 1 (value).
/// Names compare without case. Errors: UserError DELTA_COLUMN_NOT_FOUND_IN_SCHEMA, DELTA_COLUMN_PATH_NOT_NESTED,
/// DELTA_FOUND_MAP_TYPE_COLUMN, DELTA_INCORRECT_ARRAY_ACCESS_BY_NAME.
arrow::Result<std::vector<int>> FindColumn(const types::DataType& schema, const ColumnPath& path);

/// The field at a position (an element, key or value as a field of that name).
types::StructField FieldAt(const types::DataType& schema, const std::vector<int>& position);

/// The schema with a column put below `parent` (empty: a column of the table).
/// Errors: as FindColumn; UserError DELTA_ADD_COLUMN_PARENT_NOT_STRUCT,
/// WRONG_COLUMN_DEFAULTS_FOR_DELTA_ALTER_TABLE_ADD_COLUMN_NOT_SUPPORTED.
arrow::Result<types::DataTypePtr> AddColumn(const types::DataTypePtr& schema, const ColumnPath& parent,
                                            const types::StructField& column, const std::optional<ColumnPlace>& place);

/// Errors: as FindColumn; UserError DELTA_DROP_COLUMN_ON_SINGLE_FIELD_SCHEMA,
/// DELTA_UNSUPPORTED_DROP_NESTED_COLUMN_FROM_NON_STRUCT_TYPE.
arrow::Result<types::DataTypePtr> DropColumn(const types::DataTypePtr& schema, const ColumnPath& path);

/// The schema with `edit` done to the fields of the struct, or the parts of the array or map, at a position.
types::DataTypePtr EditAt(const types::DataTypePtr& schema, const std::vector<int>& position,
                          const std::function<void(std::vector<types::StructField>*)>& edit);

/// Why a schema cannot take the place of another, as delta-spark words it; nullopt when it can. Columns may come, and
/// where the table maps columns (`drops`) go; no type changes, except, where `widens`, to a wider one.
/// Errors: UserError DELTA_AMBIGUOUS_DATA_TYPE_CHANGE.
arrow::Result<std::optional<std::string>> WhyNotReplaced(const types::DataType& from, const types::DataType& to,
                                                         const ColumnPath& path, bool drops, bool widens);

/// `to` with what columns of the same name had in `from`: their metadata, ids among it.
types::DataTypePtr CarryOver(const types::DataTypePtr& from, const types::DataTypePtr& to);

}  // namespace millrace::delta
