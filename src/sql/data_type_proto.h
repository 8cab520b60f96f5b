#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <string>

#include "types/data_type.h"

namespace spark::connect {
class DataType;
}

namespace millrace::sql {

/// The type of a plan message. CHAR and VARCHAR become STRING (their lengths are not kept); Unparsed is parsed as DDL.
/// Errors: UserError UNSUPPORTED_DATATYPE for types the engine does not have (VARIANT, TIME, GEOMETRY, user-defined …)
/// and for collations other than UTF8_BINARY; DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION; FAILED_TO_PARSE_TOO_COMPLEX
/// beyond 200 levels.
arrow::Result<types::DataTypePtr> DataTypeFromProto(const spark::connect::DataType& proto);

/// The type in a text of a client: the columns of a table, one type, or the fields of a struct without its brackets
/// ("a: int, b: string"), in this order. Errors: those of the first two.
arrow::Result<types::DataTypePtr> ParseClientDdl(const std::string& text);

/// Inverse of DataTypeFromProto; total.
void DataTypeToProto(const types::DataType& type, spark::connect::DataType* out);

}  // namespace millrace::sql
