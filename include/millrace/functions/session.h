#pragma once

#include <optional>

#include "millrace/column.h"

/// What the session, the file and the row are, and errors raised on purpose.
/// Arguments that are `Column` take a column's name too. NULL in gives NULL out unless said otherwise. Source: Spark's
/// functions.
namespace millrace::functions {

/// NULL, or an error with the message when the condition does not hold.
Column AssertTrue(const Column& value, const std::optional<ColumnOrLiteral>& message = {});
/// Name of the current catalog.
Column CurrentCatalog();
/// As CurrentSchema.
Column CurrentDatabase();
/// Name of the current database.
Column CurrentSchema();
/// Name of the user who runs the engine.
Column CurrentUser();
/// How long that part is, in bytes; -1 where there is none.
Column InputFileBlockLength();
/// Where the part of the file that is read begins, in bytes; -1 where there is none.
Column InputFileBlockStart();
/// The file of the row; empty where there is none.
Column InputFileName();
/// A number for each row that grows within a partition: partition << 33 plus the row's index.
Column MonotonicallyIncreasingId();
/// An error with the message.
Column RaiseError(const ColumnOrLiteral& message);
/// As CurrentUser.
Column SessionUser();
/// Index of the row's partition.
Column SparkPartitionId();
/// Name of the value's type.
Column TypeOf(const Column& value);
/// As CurrentUser.
Column User();
/// A random universally unique identifier for each row.
Column Uuid(const std::optional<ColumnOrNumber>& seed = {});
/// The version of Spark whose behaviour this is.
Column Version();

}  // namespace millrace::functions
