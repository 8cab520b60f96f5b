#pragma once

#include <arrow/result.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "delta/schema/schema_edit.h"
#include "delta/snapshot/snapshot.h"
#include "delta/transaction/operation.h"
#include "delta/transaction/table_metadata.h"
#include "types/char_type.h"

/// ALTER TABLE: what each of its forms makes of a table's definition, and how the log tells of it. Nothing is written
/// here. Source: delta-spark's alterDeltaTableCommands.

namespace millrace::delta {

/// A field as operations of the log tell it, named by its whole path.
JsonValue FieldJson(const ColumnPath& parent, const types::StructField& field);

struct Alteration {
  DefinitionChange definition;
  Operation operation;
  /// What the clustering becomes.
  std::optional<DomainMetadata> clustering = std::nullopt;
  /// It depends on the rows there are.
  bool reads_rows = false;
};

/// Whether a SQL expression uses a column, or one above or below it. The protocol's module reads no SQL.
using UsesColumn = std::function<bool(const std::string& sql, const ColumnPath& column)>;

/// `properties` as TableProperties gave them, and those of the user. `comment`: the property of that name. `of_sql`:
/// ALTER TABLE, which tells of features in lower case; else a method of DeltaTable (upgradeTableProtocol,
/// addFeatureSupport).
/// Errors: UserError DELTA_ADD_CONSTRAINTS, DELTA_ALTER_TABLE_SET_CLUSTERING_TABLE_FEATURE_NOT_ALLOWED; those of
/// UpdateDefinition.
arrow::Result<Alteration> SetProperties(const Snapshot& table, const StringMap& properties,
                                        const std::optional<std::string>& comment, bool of_sql = true);
/// Keys that are not there are passed over.
arrow::Result<Alteration> UnsetProperties(const Snapshot& table, const std::vector<std::string>& keys);

struct NewColumn {
  ColumnPath parent;
  types::StructField field;
  std::optional<ColumnPlace> place;
};
/// Errors: those of AddColumn; UserError DELTA_OPERATION_NOT_ALLOWED for NOT NULL, DELTA_DUPLICATE_COLUMNS_FOUND.….
arrow::Result<Alteration> AddColumns(const Snapshot& table, const std::vector<NewColumn>& columns);

/// Errors: those of DropColumn; UserError DELTA_UNSUPPORTED_DROP_COLUMN, DELTA_UNSUPPORTED_DROP_PARTITION_COLUMN,
/// DELTA_CONSTRAINT_DEPENDENT_COLUMN_CHANGE, DELTA_GENERATED_COLUMNS_DEPENDENT_COLUMN_CHANGE.
arrow::Result<Alteration> DropColumns(const Snapshot& table, const std::vector<ColumnPath>& columns,
                                      const UsesColumn& uses);

/// What is set changes.
struct ColumnChange {
  ColumnPath column;
  std::optional<std::string> new_name;
  types::DataTypePtr type;
  std::optional<bool> nullable;
  std::optional<std::string> comment;
  std::optional<ColumnPlace> place;
  /// The text of an expression; empty: no default any more.
  std::optional<std::string> default_sql;
  /// Of `type`, where it is CHAR(n) or VARCHAR(n).
  std::optional<types::CharType> char_type = std::nullopt;
};
/// ALTER COLUMN and RENAME COLUMN. `table_name` is for messages.
/// Errors: UserError DELTA_UNSUPPORTED_RENAME_COLUMN, DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP,
/// DELTA_CANNOT_UPDATE_STRUCT_FIELD, DELTA_IDENTITY_COLUMNS_ALTER_COLUMN_NOT_SUPPORTED, and as DropColumns.
arrow::Result<Alteration> ChangeColumns(const Snapshot& table, const std::vector<ColumnChange>& changes,
                                        const std::string& table_name, const UsesColumn& uses);

/// Errors: UserError DELTA_UNSUPPORTED_ALTER_TABLE_REPLACE_COL_OP, DELTA_AMBIGUOUS_DATA_TYPE_CHANGE.
arrow::Result<Alteration> ReplaceColumns(const Snapshot& table, const std::vector<types::StructField>& columns);

/// CLUSTER BY; no columns: NONE. Errors: UserError DELTA_ALTER_TABLE_CLUSTER_BY_NOT_ALLOWED, those of ClusteringDomain.
arrow::Result<Alteration> ClusterBy(const Snapshot& table, const std::vector<ColumnPath>& columns);

/// The identity column at `position` goes on behind its outermost value, where it is not further already.
arrow::Result<Alteration> SyncIdentity(const Snapshot& table, const std::vector<int>& position,
                                       std::optional<int64_t> outermost);

/// The rows were looked at. Errors: UserError DELTA_CONSTRAINT_ALREADY_EXISTS.
arrow::Result<Alteration> AddConstraint(const Snapshot& table, const std::string& name, const std::string& sql);
/// Errors: UserError DELTA_CONSTRAINT_DOES_NOT_EXIST unless `if_exists`.
arrow::Result<Alteration> DropConstraint(const Snapshot& table, const std::string& name, bool if_exists,
                                         const std::string& table_name);

}  // namespace millrace::delta
