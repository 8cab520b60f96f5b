#pragma once

#include <string>
#include <vector>

#include "types/data_type.h"

namespace millrace::delta {

/// How a schema that a statement gives differs from the table's, a sentence each; empty when they are the same.
/// Source: delta-spark's SchemaUtils.reportDifferences.
std::vector<std::string> SchemaDifferences(const types::DataType& existing, const types::DataType& specified);

/// "struct", "array", "map", or the name of a type that has no others in it.
std::string TypeWord(const types::DataType& type);

}  // namespace millrace::delta
