#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/type.h>

#include <memory>

#include "types/data_type.h"
#include "types/time_zone.h"

/// Spark's columns as ORC's and the reverse. Source: OrcFileFormat.scala, OrcUtils.scala; Apache ORC specification v1.
///
/// An ORC TIMESTAMP is a reading of a wall clock. Spark's instants are written and read as the process's time zone
/// shows them, and types that ORC lacks as numbers with the attribute spark.sql.catalyst.type.

namespace millrace::format {

bool SupportsOrc(const types::DataType& type);

/// The Spark type of a file's schema. Errors: UserError UNSUPPORTED_ARROWTYPE.
arrow::Result<types::DataTypePtr> OrcSparkType(const arrow::Schema& schema);

/// The schema that a file declares for rows of `type`.
std::shared_ptr<arrow::Schema> OrcFileSchema(const types::DataType& type);
/// A column of Spark's in the form of OrcFileSchema.
arrow::Result<std::shared_ptr<arrow::Array>> ToOrcColumn(const std::shared_ptr<arrow::Array>& column,
                                                         const types::DataType& type, const types::TimeZone& zone);

/// A file's column as `wanted`: parts of structs by name (any case), missing ones NULL, numbers widened.
/// Errors: Invalid where the types do not fit.
arrow::Result<std::shared_ptr<arrow::Array>> FromOrcColumn(const std::shared_ptr<arrow::Array>& column,
                                                           const types::DataTypePtr& wanted,
                                                           const types::TimeZone& zone);

}  // namespace millrace::format
