#pragma once

#include <cstdint>
#include <string>

#include "types/data_type.h"

/// Columns whose values the table makes where nobody gives them. Source: PROTOCOL.md, "Generated Columns" and "Identity
/// Columns".

namespace millrace::delta {

/// The SQL text of a generated column; empty for any other.
std::string GenerationExpression(const types::StructField& field);
bool IsIdentityColumn(const types::StructField& field);
/// How far apart its numbers are.
int64_t IdentityStep(const types::StructField& field);
/// `schema`, going back to which must not give numbers twice that `newer`, a later schema of the table, has given:
/// identity columns of both go on after the later one of their marks. Columns are the same by their physical names.
types::DataTypePtr WithIdentityMarksOf(const types::DataTypePtr& schema, const types::DataType& newer);

}  // namespace millrace::delta
