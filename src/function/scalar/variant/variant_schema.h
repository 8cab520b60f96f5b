#pragma once

#include <arrow/result.h>

#include <string>

#include "types/data_type.h"
#include "variant/variant.h"

namespace millrace::function {

/// The type of a variant; objects as structs, their names in order. Errors: as variant::Variant.
arrow::Result<types::DataTypePtr> SchemaOfVariant(const variant::Variant& value);

/// The tightest type that holds both; VARIANT where there is none.
types::DataTypePtr MergeVariantSchemas(const types::DataTypePtr& a, const types::DataTypePtr& b);

/// As SQL, with OBJECT for structs.
std::string VariantSchemaText(const types::DataType& schema);

}  // namespace millrace::function
