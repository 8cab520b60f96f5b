#pragma once

#include <arrow/result.h>

#include <string>
#include <vector>

#include "types/data_type.h"

/// What becomes of a table's schema when rows of another one are written to it.
/// Source: delta-spark's SchemaMergingUtils and SchemaUtils.

namespace millrace::delta {

/// The table's schema with the columns, at any depth of structs, that only the rows have put at the end. Names are
/// compared in any case; the table's spelling, nullability and metadata stay. `casts`: rows of another type are taken
/// where Spark casts implicitly (streams); otherwise types must agree, but for the three small integers. `widens`: a
/// wider type of the rows becomes the table's (type widening). Errors: UserError DELTA_DUPLICATE_COLUMNS_FOUND.DATA,
/// DELTA_FAILED_TO_MERGE_FIELDS.
arrow::Result<types::DataTypePtr> MergeSchemas(const types::DataTypePtr& table, const types::DataTypePtr& rows,
                                               bool casts, bool widens = false);

/// Errors: UserError DELTA_DUPLICATE_COLUMNS_FOUND.<where> when two columns differ by case only.
arrow::Status CheckNoDuplicateColumns(const types::DataType& schema, const std::string& where);

/// The schema without metadata of column mapping, and with all columns nullable unless they are to keep it: what a
/// table is created with.
types::DataTypePtr AsTableSchema(const types::DataTypePtr& rows, bool keep_nullability = false);

/// Without columns of type VOID, at any depth of structs.
types::DataTypePtr DropVoidColumns(const types::DataTypePtr& schema);
/// Without the fields of type VOID; those inside of its fields stay.
types::DataTypePtr WithoutVoidFields(const types::DataType& schema);
bool HasVoidColumn(const types::DataType& type);

/// Whether both are the same: names, types, nullability and metadata of all fields.
bool SameSchema(const types::DataType& a, const types::DataType& b);

/// Whether rows can be written to a table of this schema, whose files have no columns of type VOID.
/// Errors: UserError DELTA_CANNOT_WRITE_EMPTY_SCHEMA.….
arrow::Status CheckHoldsValues(const types::DataType& schema);

}  // namespace millrace::delta
