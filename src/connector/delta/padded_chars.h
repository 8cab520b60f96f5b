#pragma once

#include <arrow/array.h>

#include "types/data_type.h"

namespace millrace::connector::delta_table {

/// Whether `declared` (types::DeclaredTypeOf) is CHAR(n), or has it inside. nullptr has none.
bool HoldsPaddedChars(const types::DataType* declared);

/// `values` with blanks behind each CHAR(n) that is shorter, at any depth, as Spark shows them: files hold what was
/// written. Fields of structs are found by name; those that `declared` does not have stay as they are.
arrow::Result<std::shared_ptr<arrow::Array>> PadChars(const std::shared_ptr<arrow::Array>& values,
                                                      const types::DataType& declared, arrow::MemoryPool* pool);

}  // namespace millrace::connector::delta_table
