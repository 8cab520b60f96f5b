#pragma once

#include <arrow/datum.h>
#include <arrow/result.h>

#include <memory>
#include <string>

#include "expression/eval_context.h"
#include "expression/node.h"

namespace millrace::expression {

/// Whether CAST(from AS to) is allowed in `mode` (Spark's Cast.canAnsiCast / canCast / canTryCast).
bool CanCast(const types::DataType& from, const types::DataType& to, CastMode mode);
/// Whether the cast of some non-null value may give NULL (kLegacy, kTry).
bool CastMayNull(const types::DataType& from, const types::DataType& to, CastMode mode);
/// Whether some value raises.
bool CastMayFail(const types::DataType& from, const types::DataType& to, CastMode mode);

/// Casts a column (array or scalar, Arrow form of `from`) to `to`.
/// Errors: UserError CAST_INVALID_INPUT, CAST_OVERFLOW, NUMERIC_VALUE_OUT_OF_RANGE… for the first bad value (kAnsi).
/// Source: Spark SQL reference, "ANSI Compliance", and Cast.scala.
arrow::Result<arrow::Datum> CastColumn(const EvalContext& context, const arrow::Datum& column,
                                       const types::DataType& from, const types::DataType& to, CastMode mode);

/// A value as messages show it (Spark's toSQLValue): its SQL literal, but floats and NaN bare.
std::string SqlValue(const EvalContext& context, const types::DataTypePtr& type,
                     const std::shared_ptr<arrow::Scalar>& value);

/// The text show() prints for each value (Spark's ToPrettyString): as CAST to STRING, but NULL for nulls and
/// [01 0A] for binary. Never null.
arrow::Result<std::shared_ptr<arrow::Array>> ToPrettyStrings(const EvalContext& context, const arrow::Array& column,
                                                             const types::DataType& type);

}  // namespace millrace::expression
