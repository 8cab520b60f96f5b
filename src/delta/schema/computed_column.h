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

}  // namespace millrace::delta
